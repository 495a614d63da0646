"""Opens one WebSocket with the package websockets: one JSON object per line, in and out.

    {"do": "open", "url", "protocols", "headers", "deflate",  -> {"out": {"status", "protocol", "extensions", "body"}}
     "authority"}                                                authority: a file, for wss
    {"do": "send", "text", "frames"}                          -> {"out": {}}, a text message in so many frames
    {"do": "send", "text", "binary": true}                    -> {"out": {}}
    {"do": "ping", "text"}                                    -> {"out": {"text"}} of the pong
    {"do": "next"}                                            -> {"out": {"text"}} or {"out": {"code", "reason"}} of the end
    {"do": "close", "code", "reason"}                         -> {"out": {}}; "next" tells how it ended
    {"do": "kill"}                                            -> {"out": {}}, the TCP connection without a close frame

The loop reads what comes at any time, as it must to answer pings and close frames.
"""

import asyncio
import base64
import json
import os
import socket
import ssl
import struct
import sys
import urllib.parse

import websockets


class Client(websockets.WebSocketClientProtocol):
    """Keeps the body of an answer that refuses the handshake, which is not part of the exception."""

    body = ""

    async def read_http_response(self):
        status, headers = await super().read_http_response()
        if status != 101:
            self.body = (await self.reader.readexactly(int(headers["Content-Length"]))).decode()
        refused.append(self.body)
        return status, headers


refused = []
connection = None


async def open_(url, protocols=None, headers=None, deflate=False, authority=None):
    global connection
    parts = urllib.parse.urlsplit(url)
    trust = {"ssl": ssl.create_default_context(cafile=authority), "server_hostname": parts.hostname} if authority else {}
    try:
        # The name may not resolve: it is one under localhost.
        connection = await websockets.connect(
            url,
            host="127.0.0.1",
            port=parts.port,
            create_protocol=Client,
            subprotocols=protocols or None,
            extra_headers=headers or None,
            compression="deflate" if deflate else None,
            open_timeout=20,
            ping_interval=None,
            **trust,
        )
    except websockets.InvalidStatusCode as e:
        return {"status": e.status_code, "protocol": "", "extensions": "", "body": refused[-1]}
    names = ",".join(e.name for e in connection.extensions)
    return {"status": 101, "protocol": connection.subprotocol or "", "extensions": names, "body": ""}


async def send(text, frames=1, binary=False):
    data = text.encode()
    if binary:
        await connection.send(data)
    elif frames == 1:
        await connection.send(text)
    else:  # in pieces of the text: websockets cuts no characters
        size = -(-len(text) // frames)
        await connection.send([text[i : i + size] for i in range(0, len(text), size)])
    return {}


async def ping(text):
    await (await connection.ping(text))
    return {"text": text}


async def next_():
    try:
        message = await connection.recv()
    except websockets.ConnectionClosed:
        return {"code": connection.close_code, "reason": connection.close_reason}
    if isinstance(message, bytes):
        return {"binary": base64.b64encode(message).decode()}
    return {"text": message}


async def close(code=1000, reason=""):
    await connection.close(code, reason)
    return {}


async def kill():
    # With nothing to linger for, the end is a reset.
    connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()
    return {}


actions = {"open": open_, "send": send, "ping": ping, "next": next_, "close": close, "kill": kill}


async def main():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        message = json.loads(line)
        try:
            answer = {"out": await actions[message.pop("do")](**message)}
        except Exception as e:
            answer = {"error": {"class": type(e).__name__, "code": "", "message": str(e)}}
        print(json.dumps(answer), flush=True)
    os._exit(0)  # a connection that is still open would be waited for


asyncio.run(main())
