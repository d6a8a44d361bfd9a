"""From what the store's client gives to plain JSON values."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any, cast

from sinks.readers import Frame


def plain(value: Any) -> Any:
    """`value` as JSON has it: ids as text, times in ISO form (UTC), bytes as text or Base64, no NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():  # beyond 64 bits JSON readers round
            return value if abs(value) < 1 << 64 else str(value)
        case float():
            return value if isfinite(value) else str(value)
        case bytes():
            return text_of(value)[0]
        case datetime():
            return iso(value)
        case _:  # UUID, date, Decimal, addresses
            return str(value)


def iso(moment: datetime) -> str:
    """`moment` in ISO 8601, UTC, microseconds."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat(timespec="microseconds").replace("+00:00", "Z")


def text_of(raw: bytes) -> tuple[str, bool]:
    """(text, whether it is Base64): UTF-8 as it is, anything else in Base64."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return b64encode(raw).decode(), True


def frames_of(firsts: Sequence[Mapping[str, Any]], further: Iterable[Mapping[str, Any]]) -> list[Frame]:
    """Frames in the order of `firsts`, rows of frames_stored; the `further` parts are joined to theirs."""
    others: dict[Any, list[Mapping[str, Any]]] = {}
    for row in further:
        others.setdefault(row["frame_id"], []).append(row)
    return [_frame([row, *others.get(row["frame_id"], ())]) for row in firsts]


def _frame(parts: Sequence[Mapping[str, Any]]) -> Frame:
    first = {key: _shown(key, item) for key, item in parts[0].items() if key not in _TAKEN_APART}
    body, is_base64 = text_of(b"".join(row["body"] for row in parts))
    found = [item for row in parts for item in row["redactions"]]
    found += [item for row in parts for item in row["deep_redactions"]]
    joined = {
        **first,
        "status": first["http_status"],
        "redactions": plain(found),
        "parts_stored": len(parts),
        "body": body,
        "body_base64": is_base64,
    }
    return cast("Frame", joined)  # the query names the columns of Frame


def _shown(key: str, value: Any) -> Any:
    """Digests in hex, all else as JSON has it."""
    is_digest = isinstance(value, bytes) and key.endswith(_DIGEST_ENDS)
    return value.hex() if is_digest else plain(value)


_DIGEST_ENDS = ("digest", "commitment")
_TAKEN_APART = ("body", "part", "redactions", "deep_redactions")
