"""Lists as large as a cluster has them: what they cost grows with their size and no faster."""

from __future__ import annotations

import base64
import gc
import json
import random
import time

import pytest

from masking import Masker
from masking.literals import LITERAL, escaped_literals

MASKER = Masker(b"0123456789abcdef", "secrets")


def secret_list(count: int, value: str = "") -> bytes:
    """A SecretList, each Secret with a value of its own or all with the same."""
    items = [
        {
            "metadata": {"name": f"s{number}"},
            "data": {"v": base64.b64encode((value or f"value {number}").encode()).decode()},
        }
        for number in range(count)
    ]
    return json.dumps({"kind": "SecretList", "apiVersion": "v1", "items": items}).encode()


def seconds(body: bytes) -> float:
    """Processor time that masking it takes: the best of three, without the collector, which looks through all that
    other tests have left."""
    took = []
    gc.disable()
    try:
        for _ in range(3):
            start = time.thread_time()
            MASKER.mask(body)
            took.append(time.thread_time() - start)
    finally:
        gc.enable()
    return min(took)


def test_four_times_as_many_secrets_cost_about_four_times_as_much() -> None:
    MASKER.mask(secret_list(10))
    assert seconds(secret_list(12_000)) < 9 * seconds(secret_list(3_000))


@pytest.mark.parametrize(
    ("head", "word"),
    [("%41 ", "QUJD"), ("&amp;<", "word "), ("%41 &amp;<", "QUJD"), ("<a>%41&amp;", "x&y%z ")],
)
def test_a_long_run_behind_an_escape_is_read_once(head: str, word: str) -> None:
    MASKER.mask(head.encode())
    assert seconds((head + word * 40_000).encode()) < 9 * seconds((head + word * 10_000).encode()) + 0.05


def test_every_secret_of_a_list_is_masked_also_those_with_the_same_value() -> None:
    assert len(MASKER.mask(secret_list(300)).redactions) == 300
    same = MASKER.mask(secret_list(300, "the same in all"))
    assert len(same.redactions) == 300
    assert len({redaction.pseudonym for redaction in same.redactions}) == 1


def test_a_secrets_value_that_stands_elsewhere_too_is_masked_in_its_place() -> None:
    body = b'{"kind":"Secret","metadata":{"name":"cHJvZA=="},"data":{"where":"cHJvZA=="}}'
    masked = MASKER.mask(body)
    assert b'"where":"[masked:' in masked.text


def test_literals_with_escapes_are_found_as_by_a_look_at_each_literal() -> None:
    chance = random.Random(5)
    for _ in range(5_000):
        view = "".join(chance.choice('"\\\na b"') for _ in range(chance.randrange(30)))
        found = [match.span() for match in LITERAL.finditer(view) if "\\" in match.group()]
        assert [start - 1 for start, _ in escaped_literals(view)] == [start for start, _ in found]
