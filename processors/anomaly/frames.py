"""Records of topic `audit` with plain values: times as microseconds, ids as text.

The schema without its logical types has the same fingerprint (the canonical form leaves them out), so one codec reads
what the other wrote; turning each id and each time into an object costs a third of the decoding.
"""

from functools import cache
from typing import Any, cast

from schemas.codec import Codec, schema_versions
from schemas.frames import FrameAudited

AUDIT = "audit"


def open_audited(value: bytes) -> FrameAudited:
    """The record in a value of topic `audit`. Raises CodecError for anything else."""
    return cast("FrameAudited", _plain().decode(value))


@cache
def _plain() -> Codec:
    now, *earlier = (_bare(version) for version in schema_versions(AUDIT))
    return Codec(now, tuple(earlier))


def _bare(schema: Any) -> Any:
    """A schema without logical types, at any depth."""
    if isinstance(schema, dict):
        return {name: _bare(each) for name, each in schema.items() if name != "logicalType"}
    return [_bare(each) for each in schema] if isinstance(schema, list) else schema
