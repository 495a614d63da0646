"""Uses connections of WebSocket APIs with boto3: one JSON object per line, in and out.

    {"endpoint", "proxy", "key", "secret", "token",  -> {"out": {}, "status": 200} or {"error": {...}}
     "do": "post", "id", "text"}

Names under localhost are loopback, but not every resolver knows that: a proxy may have to
find them.
"""

import json
import sys

import boto3
import botocore.exceptions
from botocore.config import Config

calls = {
    "post": lambda c, id, text: c.post_to_connection(ConnectionId=id, Data=text.encode()),
    "get": lambda c, id, text: c.get_connection(ConnectionId=id),
    "delete": lambda c, id, text: c.delete_connection(ConnectionId=id),
}

for line in sys.stdin:
    m = json.loads(line)
    client = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=m["endpoint"],
        aws_access_key_id=m["key"],
        aws_secret_access_key=m["secret"],
        aws_session_token=m["token"] or None,
        config=Config(proxies={"http": m["proxy"]} if m["proxy"] else {}),
    )
    try:
        out = calls[m["do"]](client, m["id"], m["text"])
        status = out.pop("ResponseMetadata")["HTTPStatusCode"]
        answer = {"out": out, "status": status}
    except botocore.exceptions.ClientError as e:
        error = e.response["Error"]
        answer = {"error": {"class": type(e).__name__, "code": error["Code"], "message": error.get("Message", "")}}
    print(json.dumps(answer, default=lambda value: value.isoformat()), flush=True)
