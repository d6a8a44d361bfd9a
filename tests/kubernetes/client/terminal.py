"""Runs a command in a terminal of its own, as a person does: types, waits for what is to come, types the last word.

`terminal.py TYPED AWAITED LAST COMMAND…`; prints what was shown up to AWAITED; the exit code is the command's.
"""

from __future__ import annotations

import os
import pty
import select
import sys
from collections.abc import Iterator

PATIENCE_S = 20.0


def main() -> int:
    """Types TYPED at the first words, LAST at AWAITED. What a shell says while it ends is not waited for."""
    typed, awaited, last = (word.encode().decode("unicode_escape").encode() for word in sys.argv[1:4])
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[4], sys.argv[4:])
    shown, to_type = b"", [(b"", typed), (awaited, last)]
    for read in _read(terminal):
        shown += read
        if to_type and to_type[0][0] in shown:
            os.write(terminal, to_type.pop(0)[1])
    sys.stdout.write(shown[: shown.find(awaited) + len(awaited)].decode(errors="replace") + "\n")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _read(terminal: int) -> Iterator[bytes]:
    """What is shown, until the command ends or says nothing for long."""
    while select.select([terminal], [], [], PATIENCE_S)[0]:
        try:
            read = os.read(terminal, 65536)
        except OSError:  # the other end is closed: that is how a terminal ends
            return
        if not read:
            return
        yield read


if __name__ == "__main__":
    sys.exit(main())
