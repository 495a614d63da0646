"""Runs AWS CLI commands for the story: one JSON object per line, in and out.

    {"describe": true}                  -> {"out": {"CreateApi": {"members": [...], "pages": false}, ...}}
    {"args": [...], "env": {...}}       -> {"out": {"stdout", "stderr", "status"}}

The CLI spends most of its time importing itself and reading what it knows of the
service. Here that happens once, and each command is a process forked from this one,
which then does what /usr/bin/aws does, in an environment of its own.
"""

import gc
import json
import os
import sys
import tempfile
import traceback

import awscli.clidriver
import awscli.handlers  # noqa: F401  the plugins, which every command loads

import service


def create_driver(loader=None):
    driver = awscli.clidriver.create_clidriver()
    if loader:
        driver.session.register_component("data_loader", loader)
    return driver


def command(args, env, stdout, stderr):
    os.environ.update(env)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    try:
        return awscli.clidriver.AWSCLIEntryPoint(driver).main(args)
    except SystemExit as e:
        return e.code
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


# Of the first session, commands get the files it has read, and nothing else. No call
# is made here: that would start threads, and a process that has some cannot fork.
first = create_driver().session
known = service.describe(first)
first.create_client("apigatewayv2", endpoint_url="http://127.0.0.1:9")
driver = create_driver(first.get_component("data_loader"))
gc.freeze()

for line in sys.stdin:
    message = json.loads(line)
    if "describe" in message:
        print(json.dumps({"out": known}), flush=True)
        continue
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        child = os.fork()
        if child == 0:
            os._exit(command(message["args"], message["env"], stdout, stderr))
        _, status = os.waitpid(child, 0)
        stdout.seek(0)
        stderr.seek(0)
        out = {"stdout": stdout.read(), "stderr": stderr.read(), "status": os.waitstatus_to_exitcode(status)}
    print(json.dumps({"out": out}), flush=True)
