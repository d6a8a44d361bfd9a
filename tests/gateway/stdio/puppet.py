"""A program that does what the messages tell it, byte by byte: `params.do` is a list of [what, argument].

Writes down every line it gets, as it came, into the file that its first argument names. A request without `do`
is answered at once with the process id.
"""

import json
import os
import signal
import subprocess
import sys
from typing import Any


def say(text: str) -> None:
    """One line on stdout."""
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()


def answer(request: dict[str, Any], result: Any) -> None:
    """The answer to `request`."""
    say(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}))


def child() -> int:
    """A process of the program's own that hears no request to end; returns its process id."""
    code = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process.pid


def target(fd: int) -> str:
    """What a file descriptor of this process is, '' when it is not open."""
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""


def do(request: dict[str, Any], what: str, argument: Any) -> None:
    """One thing."""
    match what:
        case "say":
            say(argument)
        case "answer":
            answer(request, argument)
        case "env":
            answer(request, dict(os.environ))
        case "fds":
            answer(request, [path for path in map(target, range(argument)) if path])
        case "child":
            answer(request, child())
        case "stderr":
            os.write(2, b"x" * argument)
        case "signal":
            os.kill(os.getpid(), argument)
        case "exit":
            os._exit(argument)
        case "deaf":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            answer(request, os.getpid())
            while True:
                signal.pause()


def main() -> None:
    """Until stdin ends."""
    with open(sys.argv[1], "ab", buffering=0) as heard:
        for line in sys.stdin.buffer:
            heard.write(line)
            message = json.loads(line)
            first = message[0] if isinstance(message, list) else message
            params = first.get("params", {})
            if "do" in params:
                for what, argument in params["do"]:
                    do(first, what, argument)
            elif "id" in first and "method" in first and not params.get("silent"):
                answer(first, {"pid": os.getpid()})


main()
