"""Answers the story's requests with boto3: one JSON object per line, in and out.

    {"describe": true}                                -> {"out": {"CreateApi": {"members": [...], "pages": false}, ...}}
    {"op": "CreateApi", "in": {...}}                  -> {"out": {...}, "status": 201} or {"error": {...}}
    {"op": "GetIntegrations", "in": ..., "page": 2}   -> {"out": {"Items": [...]}} by boto3's paginator
    {"fetch": {"method", "url", "headers", "body"}}   -> {"out": {"status", "headers", "body"}}

The first argument is the address of the control plane, the second "signed" or
"unsigned". Credentials come from the environment, as for any program.
"""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

import boto3
import botocore
import botocore.session
from botocore.config import Config

import service

endpoint, signing = sys.argv[1:]
client = boto3.client(
    "apigatewayv2",
    endpoint_url=endpoint,
    config=Config(signature_version=botocore.UNSIGNED) if signing == "unsigned" else None,
)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(op, arguments, page=None):
    method = botocore.xform_name(op)
    try:
        if page:
            pages = client.get_paginator(method).paginate(PaginationConfig={"PageSize": page}, **arguments)
            return {"out": pages.build_full_result()}
        out = getattr(client, method)(**arguments)
    except botocore.exceptions.ClientError as e:
        error = e.response["Error"]
        return {"error": {"class": type(e).__name__, "code": error["Code"], "message": error["Message"]}}
    status = out.pop("ResponseMetadata")["HTTPStatusCode"]
    return {"out": out, "status": status}


def fetch(method, url, headers, body):
    # Names under localhost are loopback, but not every C library knows that.
    parts = urllib.parse.urlsplit(url)
    target = parts._replace(netloc=f"127.0.0.1:{parts.port}").geturl()
    data = body.encode() if body else None
    request = urllib.request.Request(target, data, {**(headers or {}), "Host": parts.netloc}, method=method)
    try:
        response = opener.open(request, timeout=30)
    except urllib.error.HTTPError as e:
        response = e
    with response:
        return {"out": {"status": response.status, "headers": response.headers.items(), "body": response.read().decode()}}


def plain(value):
    """Turns what JSON has not into a text: bodies that are streams, and times."""
    return value.read().decode() if hasattr(value, "read") else value.isoformat()


for line in sys.stdin:
    message = json.loads(line)
    if "describe" in message:
        answer = {"out": service.describe(botocore.session.get_session())}
    elif "fetch" in message:
        answer = fetch(**message["fetch"])
    else:
        answer = call(message["op"], message["in"], message.get("page"))
    print(json.dumps(answer, default=plain), flush=True)
