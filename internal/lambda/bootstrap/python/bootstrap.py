"""The runtime for functions in Python: it loads the handler and runs it for one
invocation after another. It needs Python 3.8 and the standard library only.

The answer to an invocation and the request for the next one leave in one write. The
answers of the host come in the order of the requests. What they may look like is narrow,
a status line, headers and a body whose length is said; anything else ends the process,
because nothing can be known about what follows.
"""

import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

API = "/2018-06-01/runtime/"
MAX_HEAD = 64 << 10
MAX_BODY = 32 << 20


class Lost(Exception):
    """The connection has ended where an answer should have begun."""


class Connection:
    """One socket to the Runtime API."""

    def __init__(self, authority):
        host, _, port = authority.rpartition(":")
        self._address = (host, int(port))
        self._host = ("Host: %s\r\n" % authority).encode()
        self._get = b"GET " + API.encode() + b"invocation/next HTTP/1.1\r\n" + self._host + b"\r\n"
        self._dial()

    def _dial(self):
        self._socket = socket.create_connection(self._address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def next(self):
        """Returns the headers and the body of the next invocation."""
        self._socket.sendall(self._get)
        return self._invocation()

    def post(self, path, body, headers=b""):
        """Sends JSON and waits for the answer."""
        self._socket.sendall(self._request(path, body, headers))
        self._read()

    def post_and_next(self, path, body, headers=b""):
        """Sends JSON and returns the next invocation.

        A host may close the connection after an answer to what it did not want to read
        to its end; the next invocation is then asked for on a new connection.
        """
        try:
            self._socket.sendall(self._request(path, body, headers) + self._get)
            self._read()
            return self._invocation()
        except (Lost, ConnectionError):
            self._socket.close()
            self._dial()
            return self.next()

    def _request(self, path, body, headers):
        head = "POST %s%s HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        return b"".join(((head % (API, path, len(body))).encode(), self._host, headers, b"\r\n", body))

    def _invocation(self):
        status, headers, body = self._read()
        if status != b"200":
            sys.exit("There is no next invocation: the Runtime API answered %s." % status.decode())
        return headers, body

    def _read(self):
        buffer = self._buffer
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end >= 0:
                break
            if len(buffer) > MAX_HEAD:
                malformed("its head is too long")
            received = self._socket.recv(65536)
            if not received:
                raise Lost()
            buffer = buffer + received if buffer else received
        lines = buffer[:end].split(b"\r\n")
        status = lines[0]
        if not status.startswith(b"HTTP/1.1 ") or not status[9:12].isdigit() or status[12:13] not in (b"", b" "):
            malformed("its status line is none")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            name = name.lower()
            if not colon or not name:
                malformed("a header has no name")
            if name == b"content-length" and name in headers:
                malformed("it has two lengths")
            headers[name] = value.strip()
        status = status[9:12]
        length = headers.get(b"content-length")
        if length is None and status == b"204":
            length = b"0"
        if b"transfer-encoding" in headers or length is None or not length.isdigit() or len(length) > 9:
            malformed("its length is not said")
        length = int(length)
        if length > MAX_BODY:
            malformed("its body is too long")
        start = end + 4
        if len(buffer) - start >= length:
            self._buffer = buffer[start + length:]
            return status, headers, buffer[start:start + length]
        body = bytearray(length)
        filled = len(buffer) - start
        body[:filled] = buffer[start:]
        self._buffer = b""
        view = memoryview(body)
        while filled < length:
            n = self._socket.recv_into(view[filled:])
            if n == 0:
                raise Lost()
            filled += n
        return status, headers, body


def malformed(reason):
    sys.exit("The answer of the Runtime API is not understood: %s." % reason)


class Fault(Exception):
    """An error that the runtime has found: its type is one of the documented ones."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind = "Runtime." + kind
        self.trace = list(trace)


class CognitoIdentity:
    """Who has called, if it was through a mobile SDK."""

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class Client:
    """The application that has called."""

    def __init__(self, values):
        self.installation_id = values.get("installation_id")
        self.app_title = values.get("app_title")
        self.app_version_name = values.get("app_version_name")
        self.app_version_code = values.get("app_version_code")
        self.app_package_name = values.get("app_package_name")


class ClientContext:
    """What the caller has added to the invocation."""

    def __init__(self, values):
        self.client = Client(values["client"]) if values.get("client") else None
        self.custom = values.get("custom")
        self.env = values.get("env")


class Context:
    """What a handler gets to know about its invocation."""

    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
    memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
    log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")

    def __init__(self, headers):
        text = lambda name: headers[name].decode("latin-1") if name in headers else None
        self.aws_request_id = text(b"lambda-runtime-aws-request-id")
        self.invoked_function_arn = text(b"lambda-runtime-invoked-function-arn")
        self.tenant_id = text(b"lambda-runtime-aws-tenant-id")
        client = headers.get(b"lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        identity = headers.get(b"lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity(json.loads(identity) if identity else {})
        self._deadline = int(headers.get(b"lambda-runtime-deadline-ms", b"0"))

    def get_remaining_time_in_millis(self):
        return max(self._deadline - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        return "LambdaContext([aws_request_id=%s,function_name=%s,invoked_function_arn=%s])" % (
            self.aws_request_id, self.function_name, self.invoked_function_arn)


# The id of the request under way; records of the log carry it.
request_id = None


def timestamp(seconds):
    """Returns a time in UTC, to the millisecond."""
    millis = int(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000)) + ".%03dZ" % (millis % 1000)


class LogHandler(logging.Handler):
    """Writes each record as one line on the standard output: in text, line ends within
    it become CRs."""

    def emit(self, record):
        try:
            record.aws_request_id = request_id
            sys.stdout.write(self.format(record).replace("\n", "\r") + "\n")
        except Exception:
            self.handleError(record)


class TextFormatter(logging.Formatter):
    def formatTime(self, record, datefmt=None):
        return timestamp(record.created)


# Attributes of every record: what else a record has was given as extra.
ORDINARY = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "aws_request_id", "message", "asctime", "taskName"}


class JSONFormatter(logging.Formatter):
    def format(self, record):
        entry = {
            "timestamp": timestamp(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": request_id,
        }
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            entry["errorType"] = type(error).__name__
            entry["errorMessage"] = str(error)
            entry["stackTrace"] = traceback.format_tb(record.exc_info[2])
            entry["location"] = "%s:%s:%d" % (record.pathname, record.funcName, record.lineno)
        for name, value in vars(record).items():
            if name not in ORDINARY:
                entry.setdefault(name, value)
        return json.dumps(entry, default=str, ensure_ascii=False)


def configure_logging():
    handler = LogHandler()
    if as_json:
        handler.setFormatter(JSONFormatter())
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
        level = {"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level)
        if level in ("DEBUG", "INFO", "WARN", "ERROR", "CRITICAL"):
            logging.getLogger().setLevel(level)
    else:
        handler.setFormatter(TextFormatter("[%(levelname)s]\t%(asctime)s\t%(aws_request_id)s\t%(message)s"))
    logging.getLogger().addHandler(handler)


def load(name):
    """Returns the function that a handler such as dir/module.function names."""
    module_name, dot, function_name = name.rpartition(".")
    if not dot or not module_name or not function_name:
        raise Fault("MalformedHandlerName", "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name)
    module_name = module_name.replace("/", ".")
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module_name)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise Fault("ImportModuleError", "Unable to import module '%s': %s" % (module_name, error), frames(error))
    except SyntaxError as error:
        where = '  File "%s" Line %s\n    %s' % (error.filename, error.lineno, (error.text or "").strip())
        raise Fault("UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error), [where])
    except (TypeError, ValueError) as error:
        if frames(error):
            raise
        raise Fault("ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    function = getattr(module, function_name, None)
    if function is None:
        raise Fault("HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))
    if not callable(function):
        raise Fault("HandlerNotFound", "Handler '%s' on module '%s' is not a function" % (function_name, module_name))
    return function


def frames(error):
    """Returns the stack of an error from the code of the function on."""
    tb = error.__traceback__
    while tb is not None:
        file = tb.tb_frame.f_code.co_filename
        if file not in (__file__, importlib.__file__) and not file.startswith("<frozen importlib"):
            break
        tb = tb.tb_next
    return traceback.format_list(traceback.extract_tb(tb))


def describe(error, request):
    """Returns an error as the caller gets it."""
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace
    else:
        kind, trace = type(error).__name__, frames(error)
    try:
        message = str(error)
    except Exception:
        message = "the error cannot be described"
    return {"errorMessage": message, "errorType": kind, "requestId": request, "stackTrace": trace}


def log_error(description):
    """Writes an error as one line: the space at the begin of its lines does not break."""
    if as_json:
        line = encode({"timestamp": timestamp(time.time()), "log_level": "ERROR", **description}).decode()
    else:
        lines = ["[ERROR] %s: %s" % (description["errorType"], description["errorMessage"])]
        if description["stackTrace"]:
            lines.append("Traceback (most recent call last):")
        for line in "".join(description["stackTrace"]).splitlines():
            text = line.lstrip(" ")
            lines.append("\u00a0" * (len(line) - len(text)) + text)
        line = "\r".join(lines).replace("\n", "\r")
    try:
        sys.stdout.write(line + "\n")
    except Exception:
        pass  # the function has closed it


def error_type(description):
    kind = "".join(c if " " <= c <= "~" else "?" for c in description["errorType"])
    return b"Lambda-Runtime-Function-Error-Type: " + kind[:256].encode() + b"\r\n"


def default(value):
    """Encodes what JSON does not know: decimals, as the service does."""
    if type(value).__name__ == "Decimal" and type(value).__module__ == "decimal":
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def encode(value):
    """Returns JSON in UTF-8; where a string has half of a surrogate pair, escaped."""
    try:
        return ENCODER.encode(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, default=default).encode()


ENCODER = json.JSONEncoder(ensure_ascii=False, default=default)


def run(handler, payload, context):
    """Returns the answer of the handler as JSON."""
    try:
        event = json.loads(payload)
    except ValueError as error:
        raise Fault("UnmarshalError", "Unable to unmarshal input: %s" % error)
    result = handler(event, context)
    try:
        return encode(result)
    except Exception as error:
        raise Fault("MarshalError", "Unable to marshal response: %s" % error)


def flush():
    """Hands over what was printed, so that it belongs to this invocation."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # the function has closed it


def main():
    global request_id
    connection = Connection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(os.environ["_HANDLER"])
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException as error:
        description = describe(error, "")
        log_error(description)
        flush()
        connection.post("init/error", encode(description), error_type(description))
        sys.exit(1)
    headers, payload = connection.next()
    while True:
        request_id = headers[b"lambda-runtime-aws-request-id"].decode("latin-1")
        trace = headers.get(b"lambda-runtime-trace-id")
        if trace:
            os.environ["_X_AMZN_TRACE_ID"] = trace.decode("latin-1")
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        try:
            answer = run(handler, payload, Context(headers))
            what, kind = "response", b""
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            description = describe(error, request_id)
            log_error(description)
            answer, what, kind = encode(description), "error", error_type(description)
        flush()
        payload = None
        headers, payload = connection.post_and_next("invocation/%s/%s" % (request_id, what), answer, kind)


if __name__ == "__main__":
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    # Modules are looked for in the code of the function, not beside this file. What is
    # compiled is not kept there: it would look like a change of the code.
    root = os.environ["LAMBDA_TASK_ROOT"]
    sys.path[:] = [root] + [entry for entry in sys.path[1:] if entry != root]
    sys.dont_write_bytecode = sys.pycache_prefix is None
    for output in (sys.stdout, sys.stderr):
        output.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    configure_logging()
    try:
        main()
    except (Lost, ConnectionError):
        sys.exit("The Runtime API is gone.")
