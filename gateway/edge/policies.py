"""The policy in force on each connection: read at start, read again when its file changes, the last good one kept.

poll or on demand ─▶ has the file changed? ─▶ compile, off the event loop ─┬▶ good: in force from the next call on
                                                                          └▶ bad: the one before stays, told once
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from gateway.policy import Policy, PolicyError, load_policy
from gateway.settings import Connection

POLL_SECONDS: Final = 0.5

OnChange: TypeAlias = Callable[[str, str, tuple[str, ...]], None]
"""Connection, version in force, and what is wrong with the file now (nothing when the version is the file's)."""

_Stamp: TypeAlias = tuple[int, int, int] | None


@dataclass(slots=True)
class _Source:
    """One policy file and the connections that it rules."""

    file: Path
    connections: tuple[str, ...]
    stamp: _Stamp
    policy: Policy
    problems: tuple[str, ...] = ()


def no_notice(_connection: str, _version: str, _problems: tuple[str, ...]) -> None:
    """For who needs no notice of changes."""


class Policies:
    """Policies by connection. Raises PolicyError when made, for a file that is not good: a gateway does not start so.

    `on_change` is called on the event loop: for every connection once at `start`, and after every change.
    `profiles` are the masking profiles that rules may name; None: they are not checked.
    """

    def __init__(
        self,
        connections: Iterable[Connection],
        on_change: OnChange = no_notice,
        profiles: Collection[str] | None = None,
    ) -> None:
        self._on_change = on_change
        self._profiles = profiles
        by_file: dict[Path, list[str]] = {}
        for connection in connections:
            if connection.policy_file:
                by_file.setdefault(connection.policy_file, []).append(connection.name)
        self._sources = [self._first(file, tuple(names)) for file, names in by_file.items()]
        self._by_connection = {name: source for source in self._sources for name in source.connections}
        self._reading = asyncio.Lock()
        self._polling: asyncio.Task[None] | None = None

    def of(self, connection: str) -> Policy | None:
        """The policy in force; None where the connection has none, and all is allowed."""
        source = self._by_connection.get(connection)
        return source.policy if source else None

    def version(self, connection: str) -> str:
        """The version in force, '' without a policy."""
        policy = self.of(connection)
        return policy.version if policy else ""

    def problems(self, connection: str) -> tuple[str, ...]:
        """What keeps the file as it is now from being in force; nothing when it is."""
        source = self._by_connection.get(connection)
        return source.problems if source else ()

    def start(self) -> None:
        """Tells what is in force, and watches the files from now on."""
        for source in self._sources:
            self._tell(source)
        if self._sources:
            self._polling = asyncio.create_task(self._poll(), name="policies")

    async def stop(self) -> None:
        """Watches no longer."""
        if self._polling:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling
            self._polling = None

    async def reload(self, *, changed_only: bool = False) -> None:
        """Reads the files now (SIGHUP); with `changed_only` those whose time, size or inode is another."""
        async with self._reading:
            for source in self._sources:
                stamp = await asyncio.to_thread(_stamp, source.file)
                if stamp != source.stamp or not changed_only:
                    source.stamp = stamp
                    await self._read(source)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.reload(changed_only=True)

    async def _read(self, source: _Source) -> None:
        before = (source.policy.version, source.problems)
        try:
            policy = await asyncio.to_thread(load_policy, source.file, self._profiles)
        except PolicyError as error:
            source.problems = tuple(problem.told(source.file) for problem in error.problems)
        else:
            source.problems = ()
            if policy.version != source.policy.version:
                source.policy = policy
        if (source.policy.version, source.problems) != before:
            self._tell(source)

    def _tell(self, source: _Source) -> None:
        for name in source.connections:
            self._on_change(name, source.policy.version, source.problems)

    def _first(self, file: Path, connections: tuple[str, ...]) -> _Source:
        stamp = _stamp(file)  # before the text is read, so that a change in between is seen
        return _Source(file, connections, stamp, load_policy(file, self._profiles))


def _stamp(file: Path) -> _Stamp:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
