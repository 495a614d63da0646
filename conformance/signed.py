"""Sends requests that botocore has signed for execute-api: one JSON object per line, in and out.

    {"method", "url", "host", "headers", "body",      -> {"out": {"status", "headers", "body"}}
     "key", "secret", "token", "region", "service",
     "presign", "expires", "skew", "sent": {...}}

The host is the one that is signed; the address in the URL is where the request goes.
Skew is by how many seconds the clock of the caller is ahead. What is in sent takes the
place of what was signed: url and body.
"""

import datetime
import json
import sys

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.httpsession

session = botocore.httpsession.URLLib3Session(proxies={})


class Clock:
    """Stands for the module datetime in botocore, and is ahead by skew."""

    timedelta, timezone = datetime.timedelta, datetime.timezone

    def __init__(self, skew):
        ahead = datetime.timedelta(seconds=skew)

        class Ahead(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return datetime.datetime.utcnow() + ahead

            @classmethod
            def now(cls, tz=None):
                return datetime.datetime.now(tz) + ahead

        self.datetime = Ahead


def sign(m):
    request = botocore.awsrequest.AWSRequest(
        method=m["method"], url=m["url"], data=m["body"].encode() or None, headers={**(m["headers"] or {}), "Host": m["host"]}
    )
    credentials = botocore.credentials.Credentials(m["key"], m["secret"], m["token"] or None)
    if m["presign"]:
        auth = botocore.auth.SigV4QueryAuth(credentials, m["service"], m["region"], expires=m["expires"])
    else:
        auth = botocore.auth.SigV4Auth(credentials, m["service"], m["region"])
    botocore.auth.datetime = Clock(m["skew"])
    try:
        auth.add_auth(request)
    finally:
        botocore.auth.datetime = datetime
    return request.prepare()


for line in sys.stdin:
    message = json.loads(line)
    prepared = sign(message)
    sent = message["sent"] or {}
    if "url" in sent:
        prepared.url = sent["url"]
    if "body" in sent:
        prepared.body = sent["body"].encode()
        prepared.headers["Content-Length"] = str(len(prepared.body))
    response = session.send(prepared)
    out = {"status": response.status_code, "headers": list(response.headers.items()), "body": response.text}
    print(json.dumps({"out": out}), flush=True)
