"""What the functions of the tests do is the last part of the path."""
import base64
import os
import time

kept = []
invocations = 0


def handler(event, context):
    global invocations
    invocations += 1
    answer = {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": ""}
    what = event["rawPath"].split("/")[-1]
    if what == "ok":
        answer["body"] = "python " + event["requestContext"]["http"]["method"]
    elif what == "count":
        answer["body"] = str(invocations)
    elif what == "throw":
        raise ValueError("thrown by python")
    elif what == "sleep":
        time.sleep(60)
    elif what == "nap":
        time.sleep(0.1)
    elif what == "crash":
        os._exit(3)
    elif what == "memory":
        while True:
            kept.append(bytearray(b"x" * (16 << 20)))
            time.sleep(0.01)
    elif what == "big":
        answer["body"] = "x" * ((6 << 20) + 100)
    elif what == "binary":
        answer["headers"]["content-type"] = "image/png"
        answer["body"] = base64.b64encode(b"\x89PNG\x00\xff").decode()
        answer["isBase64Encoded"] = True
    elif what == "cookies":
        answer["cookies"] = ["a=1; Path=/", "b=2"]
        answer["body"] = "|".join(event.get("cookies", []))
    else:
        answer["statusCode"] = 404
    return answer


def simple(event, context):
    return {"isAuthorized": event["identitySource"] == ["open sesame"], "context": {"by": "python", "version": event["version"]}}


def policy(event, context):
    if event["identitySource"] in ("throw", ["throw"]):
        raise KeyError("no door")
    effect = "Allow" if event["identitySource"] in ("open sesame", ["open sesame"]) else "Deny"
    return {
        "principalId": "ada",
        "policyDocument": {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": event.get("methodArn") or event["routeArn"]}]},
        "context": {"by": "python", "version": event["version"]},
    }
