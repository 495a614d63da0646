"""A function from its zip to its end, with boto3. Prints a line for each step.

    functions.py ADMIN_URL GATEWAY_URL
"""
import io
import json
import sys
import urllib.error
import urllib.request
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

admin, gateway = sys.argv[1:]
common = dict(endpoint_url=admin, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any",
              config=Config(retries={"max_attempts": 0}))
functions = boto3.client("lambda", **common)
apis = boto3.client("apigatewayv2", **common)


def archive(text):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("app.py", text)
    return out.getvalue()


def source(word):
    return f"""
import os
def handler(event, context):
    print("asked", event.get("rawPath"))
    return {{"statusCode": 200, "body": "{word} " + os.environ.get("MOOD", "calm")}}
"""


def get(path):
    with urllib.request.urlopen(f"{gateway}/_aws/execute-api/{api}/$default{path}") as r:
        return r.status, r.read().decode()


created = functions.create_function(
    FunctionName="boto", Runtime="python3.12", Role="arn:aws:iam::000000000000:role/any", Handler="app.handler",
    Code={"ZipFile": archive(source("one"))}, Timeout=10, MemorySize=256, Tags={"team": "pets"}, Publish=True)
functions.get_waiter("function_active_v2").wait(FunctionName="boto")
print("created", created["FunctionArn"], created["State"], created["Version"])

out = functions.invoke(FunctionName="boto", Payload=json.dumps({"rawPath": "/direct"}), LogType="Tail")
print("invoked", out["StatusCode"], out["ExecutedVersion"], json.loads(out["Payload"].read()))

api = apis.create_api(Name="boto", ProtocolType="HTTP", Target=created["FunctionArn"])["ApiId"]
functions.add_permission(FunctionName="boto", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
                         SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{api}/*/*")
print("served", *get("/a"))

functions.update_function_code(FunctionName="boto", ZipFile=archive(source("two")))
functions.get_waiter("function_updated_v2").wait(FunctionName="boto")
print("updated", *get("/a"))
functions.update_function_configuration(FunctionName="boto", Environment={"Variables": {"MOOD": "glad"}})
print("configured", *get("/a"))

version = functions.publish_version(FunctionName="boto")["Version"]
functions.create_alias(FunctionName="boto", Name="live", FunctionVersion="1")
live = functions.invoke(FunctionName="boto", Qualifier="live", Payload="{}")
print("alias", version, live["ExecutedVersion"], json.loads(live["Payload"].read())["body"])
print("versions", *[v["Version"] for p in functions.get_paginator("list_versions_by_function").paginate(FunctionName="boto") for v in p["Versions"]])
print("policy", *[s["Sid"] for s in json.loads(functions.get_policy(FunctionName="boto")["Policy"])["Statement"]])
print("tags", functions.list_tags(Resource=created["FunctionArn"])["Tags"])
print("event", functions.invoke(FunctionName="boto", InvocationType="Event", Payload="{}")["StatusCode"])

functions.delete_function(FunctionName="boto")
for call in (lambda: functions.get_function(FunctionName="boto"), lambda: functions.invoke(FunctionName="boto")):
    try:
        call()
        print("still there")
    except ClientError as e:
        print("gone", e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"])
try:
    print("served", *get("/a"))
except urllib.error.HTTPError as e:
    print("served", e.code, e.read().decode())
