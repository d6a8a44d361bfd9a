"""`topics.yaml` says of every topic what is true of the code."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from schemas.codec import load_schema
from schemas.topics import topics

ROOT = Path(__file__).parents[2]
APPROVALS = {
    "approvals.requested": "REQUESTED",
    "approvals.decided": "DECIDED",
    "approvals.settled": "SETTLED",
}
"""Their names in `schemas.approvals`."""

READ_BY = {"approvals.requested": "console.standing import", "approvals.settled": "console.standing import"}
"""What reads a topic for a part that imports it."""


def sources(part: str) -> str:
    """All Python text of a part."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / part).rglob("*.py")))


def names(topic: str, text: str) -> bool:
    """Whether a part's text names a topic: as a word of its own, by a constant of the topic's module, or by what
    reads it."""
    signs = [
        f'"{topic}"',
        f"schemas.{topic} import TOPIC",
        f"{topic}.TOPIC",
        READ_BY.get(topic, f'"{topic}"'),
    ]
    constant = APPROVALS.get(topic)
    imported = re.compile(rf"from schemas\.approvals import (?:\([^)]*|[^\n(]*)\b{constant}\b")
    return any(sign in text for sign in signs) or bool(constant and imported.search(text))


def test_every_topic_has_a_schema_and_every_schema_a_topic() -> None:
    schemas = {entry.name.partition(".")[0] for entry in files("schemas").joinpath("avro").iterdir()}
    assert {topic.schema for topic in topics().values()} == schemas


@pytest.mark.parametrize("name", topics())
def test_a_topic_is_keyed_by_a_field_or_a_place_has_users_and_lasts(name: str) -> None:
    topic = topics()[name]
    fields = {field["name"] for field in load_schema(topic.schema)["fields"]}
    assert all(part in fields for part in topic.key.split("-"))
    assert topic.producers
    assert topic.consumers
    assert topic.partitions > 0
    assert topic.retention_ms == -1 or topic.retention_ms >= 24 * 3_600_000


def test_every_producer_and_consumer_is_a_part_of_the_tree() -> None:
    named = {who for topic in topics().values() for who in (*topic.producers, *topic.consumers)}
    known = {
        "gateway",
        "sinks",
        "cli",
        "console",
        "processors.masking",
        "processors.completeness",
        "processors.alerts",
        "processors.approvals",
        "processors.anomaly",
        "processors.checkpoints",
    }
    assert named <= known
    for who in named - {"cli"}:
        part, _, module = who.partition(".")
        assert (ROOT / part).is_dir()
        assert not module or any((ROOT / part).glob(f"{module}*"))


@pytest.mark.parametrize("name", topics())
def test_every_part_that_is_listed_for_a_topic_uses_it(name: str) -> None:
    topic = topics()[name]
    users = {
        who.partition(".")[0].replace("cli", "sluicegate") for who in (*topic.producers, *topic.consumers)
    }
    idle = {part for part in users if not names(name, sources(part))}
    assert idle == set()


def test_a_frame_keeps_its_partition_on_the_way_to_audit() -> None:
    frames, audit = topics()["frames"], topics()["audit"]
    assert (frames.partitions, frames.key) == (audit.partitions, audit.key)
    assert audit.retention_ms >= frames.retention_ms


def test_topics_that_hold_what_is_not_masked_deeply_are_restricted() -> None:
    assert {name for name, topic in topics().items() if topic.restricted} == {
        "frames",
        "sealed",
        "dead-letters",
    }


def test_both_topics_of_an_approval_and_what_comes_of_them_have_the_same_places() -> None:
    names = ("approvals.requested", "approvals.decided", "approvals.settled")
    assert {(topics()[name].partitions, topics()[name].key) for name in names} == {(4, "approval_id")}
