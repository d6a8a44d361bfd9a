"""`python -m tests.browser`: the console in a real Chromium. Exit code 1: something failed, 2: nothing was tried."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from playwright.async_api import Error

from benchmarks.processes import ChildError
from sluicegate.embedded.errors import EmbeddedError
from tests.browser import looks
from tests.browser.axe import axe_source
from tests.browser.chromium import EXECUTABLE, chromium, person
from tests.browser.paint import paint
from tests.browser.stack import demo, running
from tests.browser.tasks import TASKS, Bench


def say(line: str) -> None:
    """Tells at once."""
    print(line, flush=True)


async def run(home: Path, *, up: bool, pictures: bool, only: str) -> int:
    """Everything, or the tasks whose name has `only`, on a demo in `home` that may be `up`; gives how many failed."""
    axe = await asyncio.to_thread(axe_source)
    async with nullcontext(running(home)) if up else demo(home, say) as stack, chromium() as browser:
        async with person(browser, stack.console, "alice") as alice:
            bench = Bench(stack, browser, alice, pictures)
            failed = 0
            for task in TASKS:
                if task is TASKS[0] or only in task.__name__:
                    failed += not await _holds(task.__doc__ or "", partial(task, bench))
            state = await alice.context.storage_state()
            if only:
                return failed
            paths = await looks.every_page(alice.page, stack.console)
        wrong = 0
        async for line in looks.what_axe_says(browser, stack.console, paths, axe, state):
            wrong += 1
            say(f"WRONG  {line}")
        say(
            f"{'FAILED' if wrong else 'ok    '} axe finds nothing on {len(paths)} pages in {len(looks.LOOKS)} looks"
        )
        more = (looks.by_the_keyboard, looks.times_are_of_the_viewers_zone, looks.works_without_scripts)
        for check in more:
            failed += not await _holds(check.__doc__ or "", partial(check, browser, stack.console, state))
        return failed + bool(wrong)


async def _holds(sentence: str, does: Callable[[], Awaitable[None]]) -> bool:
    began = time.monotonic()
    try:
        await does()
    except (AssertionError, Error, TimeoutError, OSError, ValueError):
        traceback.print_exc()
        say(f"FAILED {sentence}")
        return False
    say(f"ok     {sentence} ({time.monotonic() - began:.1f} s)")
    return True


def main() -> int:
    """Runs it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser", description=__doc__)
    parser.add_argument("--pictures", action="store_true", help="renew the pictures in docs/images")
    parser.add_argument("--only", default="", help="the login, and tasks whose name has this")
    parser.add_argument("--home", type=Path, help="folder of a demo that is up, in the place of a fresh one")
    parser.add_argument(
        "--paint", type=Path, help="measure on the store in this folder; see tests.browser.paint"
    )
    given = parser.parse_args()
    if not Path(EXECUTABLE).exists():
        print(f"{EXECUTABLE} is not here: install Debian's package chromium", file=sys.stderr)
        return 2
    scratch = tempfile.TemporaryDirectory(prefix="sluicegate-browser-", ignore_cleanup_errors=True)
    try:
        with scratch as folder:
            if given.paint:
                return min(asyncio.run(paint(given.paint.absolute(), say)), 1)
            home = given.home or Path(folder)
            failed = asyncio.run(run(home, up=bool(given.home), pictures=given.pictures, only=given.only))
    except (EmbeddedError, ChildError) as error:
        print(f"the console could not be tried: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
