import decimal
import logging
import os
import sys
import time

logger = logging.getLogger()
child = logging.getLogger("child")


class OddError(Exception):
    pass


class Named:
    pass


def echo(event, context):
    return event


def nothing(event, context):
    pass


def values(event, context):
    return {
        "bytes": lambda: b"x",
        "object": Named,
        "cycle": cycle,
        "coroutine": lambda: coroutine(),
        "generator": lambda: (i for i in ()),
        "decimal": lambda: [decimal.Decimal("1.5"), 0.1, 10 ** 20],
        "surrogate": lambda: "\ud800ü",
        "tuple": lambda: (1, 2),
    }[event]()


def cycle():
    a = []
    a.append(a)
    return a


async def coroutine():
    pass


def large(event, context):
    return "x" * event["length"]


def count(event, context):
    return len(event["text"])


def about(event, context):
    client = context.client_context
    return {
        "function_name": context.function_name,
        "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "aws_request_id": context.aws_request_id,
        "log_group_name": context.log_group_name,
        "log_stream_name": context.log_stream_name,
        "identity": context.identity.cognito_identity_id,
        "client": client and [client.custom, client.env, client.client.app_title],
        "remaining": 50000 < context.get_remaining_time_in_millis() <= 60000,
        "repr": repr(context),
    }


def trace(event, context):
    return os.environ.get("_X_AMZN_TRACE_ID")


def path(event, context):
    return [sys.path.count(os.environ["LAMBDA_TASK_ROOT"]), sys.path[0] == os.environ["LAMBDA_TASK_ROOT"]]


class Silent(Exception):
    def __str__(self):
        raise ValueError()


def raises(event, context):
    if event == "own":
        raise OddError("one\ntwo")
    if event == "silent":
        raise Silent()
    if event == "base":
        raise GeneratorExit("boom")
    if event == "exit":
        print("last words", end="")
        sys.exit(3)
    if event == "type":
        raise type("Bad\r\nX-Forged: é", (Exception,), {})("boom")
    return 1 / 0


def logs(event, context):
    print("printed")
    print("ü\ntwo lines")
    sys.stderr.write("to stderr\n")
    logger.warning("w %d", 7)
    logger.info("left out")
    logger.setLevel(logging.INFO)
    child.info("one\ntwo")
    logger.setLevel(logging.WARNING)
    try:
        raise OddError("boom")
    except OddError:
        logger.exception("caught")
    context.log("by context\n")
    print("no end", end="")


def logs_json(event, context):
    logger.info("i", extra={"order": 7})
    logger.debug("left out")
    try:
        raise OddError("boom")
    except OddError:
        child.exception("caught")
    raise OddError("bang")


def closes(event, context):
    sys.stdout.close()
    raise OddError("boom")


seven = 7


def flood(event, context):
    for _ in range(3000):
        print("x" * 100)
