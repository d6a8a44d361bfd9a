"""G7: known secrets of every kind go through the whole stack, and then stand in no store, log or metric of it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluicegate.embedded.datadir import read_state
from tests.flow.searching import Needles, files, metrics, records, spellings, tables
from tests.flow.stack import Running, echo, stack
from tests.masking.kinds import KINDS, b64, made

pytestmark = pytest.mark.timeout(400)  # the whole stack starts here, perhaps on a busy machine

TOOLS = ("result", "event", "error", "failure")
VISIBLE = "canary-in-plain-sight"
HARD = {
    "SecretList": 'p"ss\\w0rd/%+é&7x',
    "dotenv": "Pssw0rd/%+&7x",
    "URL credentials": "Zq%2Fv8%2BK2mN4%3D7x",
}
"""Secrets whose spellings differ: quotes, backslashes, percent signs, letters beyond ASCII."""

HEADERS = {
    "Authorization": "Bearer {}",
    "Proxy-Authorization": "Bearer {}",
    "Cookie": "session={}; theme=dark",
    "X-Api-Key": "{}",
    "X-Auth-Token": "{}",
    "X-Goog-Api-Key": "{}",
}
QUERIES = ("?token={}", "?api_key={}", "?X-Amz-Signature={}", "?page=2&password={}")


def secrets() -> dict[str, str]:
    """Each way in and its own secret."""
    found = {f"{tool} {kind}": made(f"{tool} {kind}") for tool in TOOLS for kind in KINDS}
    found |= {
        f"{tool} hard {kind}": secret.replace("7x", f"{number}7x")
        for number, tool in enumerate(TOOLS)
        for kind, secret in HARD.items()
    }
    return found | {name: made(name) for name in (*HEADERS, *QUERIES, "basic", "Set-Cookie")}


SECRETS = secrets()


@pytest.fixture(scope="module")
def answers() -> list[tuple[str, bytes]]:
    """What the client was given, by way in."""
    return []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, answers: list[tuple[str, bytes]]) -> Iterator[Running]:
    """A stack that all secrets have passed, and that has stored and verified every frame."""
    with echo() as upstream, stack(tmp_path_factory.mktemp("canary"), upstream) as up:
        calls = 0
        for name, head, body in _sent(up):
            answers.append((name, head + body))
            calls += 1
        up.settled(calls)
        yield up


def _sent(up: Running) -> Iterator[tuple[str, bytes, bytes]]:
    def call(name: str, tool: str, text: str, **more: object) -> tuple[str, bytes, bytes]:
        _, head, body = up.call(tool, f"{VISIBLE}\n{text}", **more)  # type: ignore[arg-type]
        return name, head.encode(), body

    for tool in TOOLS:
        for kind, text_with in KINDS.items():
            yield call(f"{tool} {kind}", tool, text_with(SECRETS[f"{tool} {kind}"]))
        for kind in HARD:
            name = f"{tool} hard {kind}"
            yield call(name, tool, KINDS[kind](SECRETS[name]))
    for name, form in HEADERS.items():
        yield call(name, "result", "a header", headers={name: form.format(SECRETS[name])})
    yield call(
        "basic", "result", "a header", headers={"Authorization": f"Basic {b64('app:' + SECRETS['basic'])}"}
    )
    for form in QUERIES:
        yield call(form, "result", "a query", query=form.format(SECRETS[form]))
    name, _, body = call("Set-Cookie", "header", KINDS["cookie"](SECRETS["Set-Cookie"]))
    yield name, b"", body  # the cookie in the head belongs to the client


def test_the_search_would_find_what_is_there(running: Running) -> None:
    """What is no secret is found in every place: so an empty result below means something."""
    needles = Needles([VISIBLE])
    topics = asyncio.run(records(read_state(running.data).bootstrap))
    assert all(any(needles.within(text) for text in topics[topic]) for topic in ("frames", "audit"))
    assert needles.within(tables(running)["frames_stored"])
    assert {path.suffix for path, text in files(running.data) if needles.within(text)} >= {".log"}
    for text in (
        b64encode(b"x" + VISIBLE.encode() + b"y"),
        b64encode(b"xy" + VISIBLE.encode()),
        VISIBLE.encode().hex().encode(),
    ):
        assert needles.within(text)
    assert len(spellings(VISIBLE)) >= 8


def test_g7_no_secret_stands_in_any_topic(running: Running) -> None:
    needles = Needles(SECRETS.values())
    topics = asyncio.run(records(read_state(running.data).bootstrap))
    assert {"frames", "audit", "findings", "dead-letters"} <= topics.keys()
    assert any(topic.endswith("-changelog") for topic in topics)
    assert not topics["dead-letters"]
    hits = {topic: _names(set().union(*map(needles.within, texts))) for topic, texts in topics.items()}
    assert {topic: names for topic, names in hits.items() if names} == {}


def test_g7_no_secret_stands_in_any_table(running: Running) -> None:
    needles = Needles(SECRETS.values())
    hits = {table: _names(needles.within(text)) for table, text in tables(running).items()}
    assert "frames_stored" in hits
    assert {table: names for table, names in hits.items() if names} == {}


def test_g7_no_secret_stands_in_any_file_log_or_metric(running: Running) -> None:
    needles = Needles(SECRETS.values())
    texts = {str(path.relative_to(running.data)): text for path, text in files(running.data)}
    assert any(name.startswith("kafka/data/__consumer_offsets-") for name in texts)
    assert any(name.endswith("00000000000000000000.log") for name in texts)
    assert any(name.startswith("logs/") for name in texts), sorted(texts)[:40]
    texts |= metrics(running) | {"what the command said": "".join(running.said).encode()}
    hits = {place: _names(needles.within(text)) for place, text in texts.items()}
    assert {place: names for place, names in hits.items() if names} == {}


def test_g7_no_secret_of_a_result_reached_the_client(
    running: Running, answers: list[tuple[str, bytes]]
) -> None:
    needles = Needles(SECRETS.values())
    assert {name: needles.within(text) for name, text in answers if needles.within(text)} == {}
    assert sum(b"[masked:" in text for _, text in answers) >= len(TOOLS) * len(KINDS)


def test_every_secret_left_its_pseudonym(running: Running) -> None:
    (row,) = running.rows("SELECT sum(length(redactions) + length(deep_redactions)) AS n FROM frames_stored")
    assert int(str(row["n"])) >= 2 * len(TOOLS) * len(KINDS)


def _names(found: set[str]) -> list[str]:
    """The ways in, not the secrets: a failing test is a log too."""
    return sorted(name for name, secret in SECRETS.items() if secret in found)


def test_the_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(bytes(10_000) + b"found")
    assert [text.strip(b"\0") for _, text in files(tmp_path)] == [b"found"]
