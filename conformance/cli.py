"""Runs AWS CLI commands for the story: one JSON object per line, in and out.

    {"args": ["apigatewayv2", "get-apis", ...]}  -> {"out": {"stdout", "stderr", "status"}}

The CLI spends most of its time importing itself. Here that happens once, and each
command is a process forked from this one, which then does what /usr/bin/aws does.
"""

import json
import os
import sys
import tempfile
import traceback

import awscli.clidriver
import awscli.handlers  # noqa: F401  the plugins, which every command loads


def command(args, stdout, stderr):
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    sys.argv = ["aws", *args]
    try:
        return awscli.clidriver.main()
    except SystemExit as e:
        return e.code
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


for line in sys.stdin:
    args = json.loads(line)["args"]
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        child = os.fork()
        if child == 0:
            os._exit(command(args, stdout, stderr))
        _, status = os.waitpid(child, 0)
        stdout.seek(0)
        stderr.seek(0)
        out = {"stdout": stdout.read(), "stderr": stderr.read(), "status": os.waitstatus_to_exitcode(status)}
    print(json.dumps({"out": out}), flush=True)
