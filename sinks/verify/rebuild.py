"""From the columns of a stored row back to the bytes on the topic, and to their digests.

The store keeps a record's fields as columns. Avro writes fields one after the other, so the same fields in the order
of the writer's schema give the same bytes. Text is taken as bytes and maps as lists of pairs: what the store holds
goes into the digest as it is, even where it is no UTF-8, or where a map has a name twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any

from schemas.codec import Codec, CodecError, load_schema, schema_versions
from schemas.digests import audit_digest_of, body_commitment, frame_digest
from schemas.merkle import leaf_hash

Row = dict[str, Any]
"""A stored row: the columns of `select.COLUMNS`, text as bytes."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a row's columns give: its leaf in the tree, and what in the row does not fit together ('' when all does).

    `body_gone`: the body is not the recorded one; its kept hash stood in for it.
    """

    leaf: bytes
    digest: bytes
    fault: str
    body_gone: bool = False


def rebuild(row: Row) -> Rebuilt:
    """The digests of `row`, computed from its other columns."""
    version = versions().get(row["schema_fingerprint"])
    if version is None:
        return Rebuilt(b"", b"", "schema_fingerprint names no schema of frames")
    try:
        digest = frame_digest(_encoded(_header(version), row))
        processing = _encoded(_processing(), row)
    except CodecError as error:
        return Rebuilt(b"", b"", f"the columns make no record: {error}")
    body_hash = sha256(row["body"]).digest()
    kept_hash = row.get("body_sha256", body_hash)
    closing = audit_digest_of(digest, processing, kept_hash)
    gone = kept_hash != body_hash
    return Rebuilt(leaf_hash(closing), digest, "" if gone else _fault(row, digest, closing), gone)


def _fault(row: Row, digest: bytes, closing: bytes) -> str:
    """Which of the kept digests the columns contradict."""
    if row["digest"] != digest:
        return "the fields of the header (or digest) are not those that were recorded"
    if row["audit_digest"] != closing and not row.get("repeat"):
        return "body, deep_redactions, frames_offset (or audit_digest) are not those that were recorded"
    if _was_kept(row) and row["body_commitment"] != body_commitment(row["body_salt"], row["body"]):
        return "body_salt is not the recorded one"
    return ""


def _was_kept(row: Row) -> bool:
    """Whether the body is that of the gateway: deep masking takes the salt away with it."""
    return bool(row["body_salt"]) or not row["deep_redactions"]


def _encoded(fields: "_Fields", row: Row) -> bytes:
    if not fields.enums:
        return fields.codec.encode_body(row)
    named = dict(row)
    for name, symbols in fields.enums.items():
        number = symbols.get(row[name])
        if number is None:
            raise CodecError(f"{name} is none of its values")
        named[name] = number
    return fields.codec.encode_body(named)


@dataclass(frozen=True, slots=True)
class _Fields:
    """Consecutive fields of a record: how they are encoded, and which are enums (symbol to number)."""

    codec: Codec
    enums: Mapping[str, Mapping[bytes, int]]


@cache
def versions() -> dict[bytes, int]:
    """Fingerprint, as the store shows it, of each schema of `audit`: its place in `schema_versions`."""
    return {
        Codec(schema).fingerprint[::-1].hex().encode(): place
        for place, schema in enumerate(schema_versions("audit"))
    }


@cache
def row_schema() -> dict[str, Any]:
    """The Avro schema of a `Row`, with `repeat`."""
    place = [
        {"name": name, "type": kind}
        for name, kind in (("k_partition", "int"), ("k_offset", "long"), ("schema_fingerprint", "bytes"))
    ]
    spelled: set[str] = set()
    fields = [
        {"name": field["name"], "type": _raw(_said(field["type"]), field["name"], {}, spelled)}
        for field in load_schema("audit")["fields"]
    ]
    last = [{"name": "body_sha256", "type": "Sha256"}, {"name": "repeat", "type": "boolean"}]
    return {"type": "record", "name": "Row", "fields": [*place, *fields, *last]}


def _said(kind: Any) -> Any:
    """A row has the symbol of an enum, not its number."""
    return "string" if isinstance(kind, dict) and kind["type"] == "enum" else kind


@cache
def _header(version: int) -> _Fields:
    return _fields(schema_versions("frame")[version], None, "digest")


@cache
def _processing() -> _Fields:
    return _fields(load_schema("audit"), "frames_partition", "audit_digest")


def _fields(schema: dict[str, Any], first: str | None, until: str) -> _Fields:
    names = [field["name"] for field in schema["fields"]]
    chosen = schema["fields"][names.index(first) if first else 0 : names.index(until)]
    defined = {kind["name"]: kind for field in schema["fields"] for kind in _named(field["type"])}
    spelled: set[str] = set()
    enums = {
        field["name"]: {symbol.encode(): at for at, symbol in enumerate(field["type"]["symbols"])}
        for field in chosen
        if isinstance(field["type"], dict) and field["type"]["type"] == "enum"
    }
    raw = [{"name": f["name"], "type": _raw(f["type"], f["name"], defined, spelled)} for f in chosen]
    return _Fields(Codec({"type": "record", "name": "Raw", "fields": raw}), enums)


def _named(node: Any) -> list[dict[str, Any]]:
    """Types that are defined in `node` and that later fields may name."""
    if not isinstance(node, dict):
        return []
    return [*([node] if "name" in node else []), *_named(node.get("items"))]


def _raw(node: Any, field: str, defined: dict[str, Any], spelled: set[str]) -> Any:
    """`node` with the same encoding, but of bytes for text, numbers for symbols, lists of pairs for maps."""
    if isinstance(node, list):
        return [_raw(item, field, defined, spelled) for item in node]
    if isinstance(node, str):
        if node in defined and node not in spelled:
            return _raw(defined[node], field, defined, spelled)
        return _SIMPLE.get(node, node)
    kind = node["type"]
    if kind == "map":
        return {"type": "array", "items": {"type": "record", "name": f"Entry_{field}", "fields": _PAIR}}
    if kind == "array":
        return {"type": "array", "items": _raw(node["items"], field, defined, spelled)}
    return _raw_named(node, defined, spelled) if kind in _NAMED else _SIMPLE.get(kind, kind)


def _raw_named(node: dict[str, Any], defined: dict[str, Any], spelled: set[str]) -> dict[str, Any]:
    """A record or a fixed, which later fields may name."""
    spelled.add(node["name"])
    fields = [
        {"name": f["name"], "type": _raw(f["type"], f["name"], defined, spelled)}
        for f in node.get("fields", ())
    ]
    return {key: node[key] for key in ("type", "name", "size") if key in node} | {"fields": fields}


_SIMPLE = {"string": "bytes", "enum": "int"}
_NAMED = ("record", "fixed")
_PAIR = [{"name": "key", "type": "bytes"}, {"name": "value", "type": "bytes"}]
