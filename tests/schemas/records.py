"""The committed examples as records, and frames made from them."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, cast

from schemas.codec import load_schema
from schemas.digests import GENESIS
from schemas.frames import SALT_BYTES, FrameHeader, seal_frame

NAMES = (
    "frame",
    "audit",
    "finding",
    "control",
    "admin",
    "sealed",
    "dead_letter",
    "approval_requested",
    "approval_decided",
    "approval_settled",
    "approval_delivery",
    "approval_delegated",
    "alert_attempt",
    "observation",
    "checkpoint",
    "tombstone",
    "retention_act",
)
SALT = bytes(range(SALT_BYTES))


def example(name: str) -> dict[str, Any]:
    """`schemas/examples/NAME.json` as a record: bytes stand in JSON as Avro puts them, one character a byte."""
    text = files("schemas").joinpath("examples", f"{name}.json").read_text(encoding="utf-8")
    record: dict[str, Any] = json.loads(text)
    for field in load_schema(name)["fields"]:
        fixed = field["type"] != "string" and field["name"].endswith(("digest", "commitment"))
        if field["type"] == "bytes" or fixed:
            record[field["name"]] = record[field["name"]].encode("latin-1")
    return record


def header(**facts: object) -> FrameHeader:
    """The chained fields of the example frame, with other `facts`."""
    record = {**example("frame"), **facts}
    return cast("FrameHeader", {name: record[name] for name in FrameHeader.__annotations__})


def chain(bodies: list[bytes]) -> list[bytes]:
    """Values for topic `frames`: one lane, from its first frame."""
    previous, values = GENESIS, []
    for number, body in enumerate(bodies, 1):
        value, previous = seal_frame(header(lane_seq=number, prev_digest=previous), body, SALT)
        values.append(value)
    return values
