"""Runs a command in a terminal of its own, types into it once it has said something, prints what it shows."""

from __future__ import annotations

import os
import pty
import select
import sys

PATIENCE_S = 20.0


def main() -> int:
    """`terminal.py FIRST_WORDS TYPED COMMAND…`; the exit code is the command's."""
    awaited, typed, command = (
        sys.argv[1].encode(),
        sys.argv[2].encode().decode("unicode_escape"),
        sys.argv[3:],
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    shown = b""
    has_typed = False
    while select.select([terminal], [], [], PATIENCE_S)[0]:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # the other end is closed: that is how a terminal ends
            break
        if not read:
            break
        shown += read
        if not has_typed and awaited in shown:
            has_typed = True
            os.write(terminal, typed.encode())
    sys.stdout.write(shown.decode(errors="replace"))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(main())
