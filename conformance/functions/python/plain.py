"""A handler without a framework."""

import base64
import hashlib
import json
from urllib.parse import parse_qsl

# The shortest PNG of one pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
COOKIES = ["a=1; Path=/; HttpOnly", "b=2; Path=/; HttpOnly"]


def dumps(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def as_json(value):
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": dumps(value)}


def as_bytes(kind, body, **more):
    headers = {"content-type": kind} | more
    return {"statusCode": 200, "headers": headers, "body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def body_of(event):
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def cookie_of(event):
    if event["version"] == "2.0":
        return "; ".join(event.get("cookies", []))
    return next((value for name, value in event["headers"].items() if name.lower() == "cookie"), "")


def handler(event, context):
    body = body_of(event)
    match event.get("rawPath", event.get("path")):
        case "/hello":
            return as_json({"message": "Hello, " + event["queryStringParameters"]["name"]})
        case "/echo":
            return as_json(json.loads(body))
        case "/form":
            return as_json(dict(parse_qsl(body.decode())))
        case "/upload":
            return as_bytes("application/octet-stream", body, **{"x-sha256": hashlib.sha256(body).hexdigest()})
        case "/cookies":
            response = as_json({"cookie": cookie_of(event)})
            if event["version"] == "2.0":
                return response | {"cookies": COOKIES}
            return response | {"multiValueHeaders": {"set-cookie": COOKIES}}
        case "/binary":
            return as_bytes("image/png", PNG)
    raise LookupError("no such pet")
