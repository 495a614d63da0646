"""A Bottle application, which knows nothing of Lambda, and what makes a handler of it.

Debian has no adapter from Lambda to WSGI, so there is one here.
"""

import base64
import hashlib
import io
import sys
from urllib.parse import urlencode

import bottle
from plain import COOKIES, PNG, body_of, cookie_of, dumps

app = bottle.Bottle(autojson=False)
app.install(bottle.JSONPlugin(json_dumps=dumps))


@app.get("/hello")
def hello():
    return {"message": "Hello, " + bottle.request.query.name}


@app.post("/echo")
def echo():
    return bottle.request.json


@app.post("/form")
def form():
    return dict(bottle.request.forms)


@app.post("/upload")
def upload():
    body = bottle.request.body.read()
    bottle.response.content_type = "application/octet-stream"
    bottle.response.set_header("x-sha256", hashlib.sha256(body).hexdigest())
    return body


@app.get("/cookies")
def cookies():
    for cookie in COOKIES:
        bottle.response.add_header("set-cookie", cookie)
    return {"cookie": bottle.request.get_header("cookie", "")}


@app.get("/binary")
def binary():
    bottle.response.content_type = "image/png"
    return PNG


@app.get("/error")
def error():
    return bottle.HTTPResponse({"error": "no such pet"}, 422)


def environ_of(event):
    http = event["requestContext"].get("http", {})
    body = body_of(event)
    query = event.get("rawQueryString")
    if query is None:
        query = urlencode(event.get("multiValueQueryStringParameters") or {}, doseq=True)
    environ = {
        "REQUEST_METHOD": http.get("method") or event["httpMethod"],
        "PATH_INFO": event.get("rawPath") or event["path"],
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "SERVER_NAME": "lambda",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in event["headers"].items():
        name = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if name == "CONTENT_TYPE" else "HTTP_" + name] = value
    if cookie := cookie_of(event):
        environ["HTTP_COOKIE"] = cookie
    return environ


def handler(event, context):
    started = []
    body = b"".join(app(environ_of(event), lambda status, headers, _=None: started.extend((status, headers))))
    status, headers = started
    response = {"statusCode": int(status.split()[0]), "body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    cookies = [value for name, value in headers if name.lower() == "set-cookie"]
    response["headers"] = {name.lower(): value for name, value in headers if name.lower() != "set-cookie"}
    if cookies and event["version"] == "2.0":
        response["cookies"] = cookies
    elif cookies:
        response["multiValueHeaders"] = {"set-cookie": cookies}
    return response
