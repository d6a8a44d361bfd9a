"""Threads for what blocks: what they give, how long they are waited for, and that they hold nobody up."""

import asyncio
import subprocess
import sys
import threading

import pytest

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.threads import THREADS_MAX, Threads


async def test_what_a_call_gives_comes_back() -> None:
    threads = Threads("AWS", 5.0)
    assert await asyncio.gather(*(threads.run(lambda n=n: n * n) for n in range(20))) == [
        n * n for n in range(20)
    ]


async def test_a_refusal_comes_back_as_it_is_and_anything_else_as_a_refusal() -> None:
    def refuse() -> None:
        raise CredentialError("no")

    def break_down() -> None:
        raise RuntimeError("secret")

    threads = Threads("AWS", 5.0)
    with pytest.raises(CredentialError, match=r"^no$"):
        await threads.run(refuse)
    with pytest.raises(CredentialError, match=r"^what AWS answered cannot be understood \(RuntimeError\)$"):
        await threads.run(break_down)


async def test_calls_that_are_given_up_keep_their_places_until_they_end() -> None:
    may_end = threading.Event()
    threads = Threads("AWS", 0.2)
    results = await asyncio.gather(
        *(threads.run(may_end.wait) for _ in range(THREADS_MAX)), return_exceptions=True
    )
    assert all(isinstance(result, CredentialError) for result in results)
    with pytest.raises(CredentialError, match="did not answer in time"):
        await threads.run(lambda: 1)
    may_end.set()
    async with asyncio.timeout(30):
        while True:
            try:
                assert await threads.run(lambda: 1) == 1
                break
            except CredentialError:
                continue


def test_a_call_that_never_ends_does_not_keep_the_process() -> None:
    program = (
        "import asyncio, threading\n"
        "from gateway.edge.credentials import CredentialError\n"
        "from gateway.edge.credentials.threads import Threads\n"
        "async def main():\n"
        "    try: await Threads('AWS', 0.1).run(threading.Event().wait)\n"
        "    except CredentialError as error: print(error.reason)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("AWS did not answer in time\n", "")
