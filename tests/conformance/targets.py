"""What the suite is aimed at: the server itself, or the server behind something."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import alone, stack
from benchmarks.guard import Guard
from benchmarks.processes import Child
from tests.conformance import fixture, passthrough

WORDS = (
    "gateway (the whole stack), guarded (with tokens, 50 rules and quotas), alone (only it and its broker), "
    "direct, naive, or broken:WHAT with WHAT of " + ", ".join(passthrough.BREAKINGS)
)
_CONNECTION = "everything"


class UnknownTargetError(ValueError):
    """The command line named something that cannot stand between; the text lists what can."""


@contextmanager
def target(through: str, folder: Path) -> Iterator[str]:
    """Yield the URL to aim the suite at, with `through` (see WORDS) before a fresh server until the block is left.

    Each leg has a server of its own, so that no state is carried from one to the other.
    """
    with contextlib.ExitStack() as until_done:
        server = until_done.enter_context(fixture.child(folder / "server.log"))
        upstream = _url(server)
        if through == "direct":
            yield upstream
        elif through == "gateway":
            gateway = until_done.enter_context(stack.running({_CONNECTION: upstream}, folder / "gateway"))
            yield gateway.url(_CONNECTION)
        elif through == "guarded":
            guard = Guard(folder / "guard")
            stacked = stack.running({_CONNECTION: upstream}, folder / "gateway", guarded=guard)
            url = until_done.enter_context(stacked).url(_CONNECTION)
            until_done.enter_context(_environment("SUITE_TOKEN", guard.token(url)))
            yield url
        elif through == "alone":
            _, bootstrap = until_done.enter_context(alone.broker(folder, sync=False))
            _, url = until_done.enter_context(alone.gateway(bootstrap, upstream, folder))
            yield url
        else:
            between = passthrough.child(upstream, _breaking(through), folder / "passthrough.log")
            yield _url(until_done.enter_context(between))


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """The suite's process finds `value` there until the block is left."""
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]


def _breaking(through: str) -> str | None:
    if through == "naive":
        return None
    kind, _, what = through.partition(":")
    if kind != "broken" or what not in passthrough.BREAKINGS:
        raise UnknownTargetError(f"--through {through}: must be {WORDS}")
    return what


def _url(child: Child) -> str:
    port = child.wait_for(fixture.LISTENING, fixture.START_TIMEOUT_S)["port"]
    return f"http://127.0.0.1:{port}/mcp"
