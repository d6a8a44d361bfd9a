"""The sandboxed process: `python -I -m sinks.sql.child SNAPSHOT DATABASE`, questions on standard input.

It is started with an empty environment and nothing open but its pipes, and ends when its input does.
"""

import os
import re
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from sinks.literals import text_literal
from sinks.sql import wire
from sinks.sql.configuration import RESULT_BYTES_MAX, write_configuration
from sinks.sql.fence import Known, RefusedError, check, checked_format
from sinks.sql.snapshot_paths import Snapshot
from sinks.sql.syntax import UnreadableError, nodes_of
from sinks.sql.walls import WallsError, confine_calls, confine_files, limit_resources

_CPU_S = 600
_SPILL_BYTES = 1 << 30
_CODE = re.compile(r"Code: (\d+)\. ")
ACCESS_DENIED, BAD_ARGUMENTS, TOO_LARGE = 497, 36, 396

# What the engine and Python load, and what they ask the kernel about this process and the machine.
_READABLE = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/etc/ld.so.cache",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/fs/cgroup", "/sys/devices/system/cpu", "/dev/null",
    "/dev/urandom",
)  # fmt: skip


class Engine:
    """The engine behind the walls; `snapshot` is what it looks at."""

    def __init__(self, snapshot: Snapshot, database: str) -> None:
        import chdb  # noqa: PLC0415  # after the walls: it starts threads, and they hold for those made later

        self._path = f"file:{snapshot.engine}?config-file={write_configuration(snapshot.engine, database)}"
        self._connect = chdb.connect
        self._database = database
        self._own = self._connection()
        self._known = Known(
            database,
            frozenset(self._column("SELECT name FROM system.databases"))
            | {"system", "information_schema", "default"},
            frozenset(name.lower() for name in self._column("SELECT name FROM system.functions")),
        )

    def answer(self, question: dict[str, Any]) -> wire.Message:
        """What the question gives, or why it does not."""
        began = time.monotonic()
        try:
            form, body, rows = self._run(question)
        except RefusedError as exc:
            return {"code": ACCESS_DENIED, "error": str(exc)}, b""
        except RuntimeError as exc:  # all that the engine says
            match = _CODE.search(str(exc))
            return {"code": int(match[1]) if match else BAD_ARGUMENTS, "error": str(exc)[:4_000]}, b""
        return {"code": 0, "format": form, "rows": rows, "seconds": time.monotonic() - began}, body

    def _run(self, question: dict[str, Any]) -> tuple[str, bytes, int]:
        sql, given = question["sql"], question.get("params") or {}
        connection = self._connection()
        try:
            for name, value in (question.get("settings") or {}).items():
                connection.query(f"SET {name} = {text_literal(value)}", "Null")
            form = self.checked(connection, sql, given) or checked_format(question["format"])
            result = connection.query(sql, form, params=given)
            body, rows = result.bytes(), int(result.rows_read())
        finally:
            connection.close()
        if len(body) > RESULT_BYTES_MAX:
            raise RefusedError(
                f"the answer is larger than {RESULT_BYTES_MAX >> 20} MB; ask for less, or with a LIMIT"
            )
        return form, bytes(body), rows

    def checked(self, connection: Any, sql: str, given: dict[str, str]) -> str:
        """The format that the statement asks for, '' for none. Raises RefusedError, RuntimeError of the engine."""
        report = self._own._conn.classify_query(sql, self._database)
        if report["statement_count"] != 1:
            raise RefusedError("one statement at a time")
        if report["query_class"].name != "READ_ONLY":
            raise RefusedError("only reading is possible here")
        tree = (
            connection.query(f"EXPLAIN AST {sql}", "TSVRaw", params=given).bytes().decode("utf-8", "replace")
        )
        try:
            return check(nodes_of(tree.split("\n")), self._known)
        except UnreadableError as exc:
            raise RefusedError(f"this part of the statement is not understood here: {exc}") from None

    def _connection(self) -> Any:
        made = self._connect(self._path)
        made.query(
            f"USE `{self._database}`", "Null"
        )  # not the engine's own database: names resolve to files there
        return made

    def _column(self, sql: str) -> list[str]:
        return str(self._own.query(sql, "TSVRaw")).split("\n")


def main() -> None:
    """Puts up the walls, opens the engine, and answers until there is no more to ask."""
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever prints: the pipe is for answers alone
    snapshot, database = Snapshot(Path(sys.argv[1])), sys.argv[2]
    try:
        wall_in(snapshot)
        engine = Engine(snapshot, database)
    except (WallsError, OSError, RuntimeError) as exc:
        _send(answers, {"code": -1, "error": str(exc)})
        return
    _send(answers, {"code": 0})
    while (asked := wire.read(questions)) is not None:
        _send(answers, *engine.answer(asked[0]))


def wall_in(snapshot: Snapshot) -> None:
    """All walls of this process, for good. Raises WallsError."""
    os.environ["TMPDIR"] = str(snapshot.engine / "tmp")
    limit_resources(cpu_s=_CPU_S, file_bytes=_SPILL_BYTES)
    code = [Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parents[1]]
    confine_files([snapshot.parts, *code, *map(Path, _READABLE)], [snapshot.engine])
    confine_calls()


def _send(stream: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    stream.write(wire.packed(head, body))
    stream.flush()


if __name__ == "__main__":
    main()
