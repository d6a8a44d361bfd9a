"""Bounds on what one record may weigh, so that no frame can be one that Kafka will never take.

A lane delivers in order: a record above the topic's limit would be tried for ever, and every session of its
partition would be refused for as long. Texts that clients and upstreams choose freely are bounded here, and say
so where they are (the body holds them whole); bodies and lists of redactions go into parts.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.frames import Redaction

HEADER_ROOM_BYTES = 512 * 1024  # what a record may need beside its body; the bounds below stay within it
TEXT_CHARS_MAX = 4 * 1024
HEADERS_CHARS_MAX = 48 * 1024
PATH_CHARS_MAX = 1024
REDACTION_CHARS_MAX = 48 * 1024  # of all redactions of one part
_REDACTION_CHARS = 32  # of its numbers and lengths

_OPEN_TEXTS = (
    "user_agent",
    "http_path",
    "content_type",
    "mcp_protocol_version",
    "mcp_session_id",
    "jsonrpc_id",
    "method",
    "tool",
    "resource",
    "sse_event_id",
    "reason",
)


def bounded(fields: dict[str, object]) -> dict[str, object]:
    """`fields` of a frame with every text that is longer than its bound cut there, in place."""
    for name in _OPEN_TEXTS:
        text = fields[name]
        if isinstance(text, str) and len(text) > TEXT_CHARS_MAX:
            fields[name] = cut(text, TEXT_CHARS_MAX)
    headers = fields["http_headers"]
    if isinstance(headers, str) and len(headers) > HEADERS_CHARS_MAX:
        fields["http_headers"] = cut(headers, HEADERS_CHARS_MAX)
    attributes = fields["attributes"]
    if isinstance(attributes, Mapping) and any(len(each) > TEXT_CHARS_MAX for each in attributes.values()):
        fields["attributes"] = {name: cut(each, TEXT_CHARS_MAX) for name, each in attributes.items()}
    return fields


def writable(value: Any) -> Any:
    """`value`, with what is half a surrogate pair written out as an escape in every text within it."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {writable(name): writable(each) for name, each in value.items()}
    return [writable(each) for each in value] if isinstance(value, list | tuple) else value


def cut(text: str, chars_max: int) -> str:
    """`text`, or its beginning and how many characters are missing after it."""
    return text if len(text) <= chars_max else f"{text[:chars_max]}…[{len(text) - chars_max} more]"


def parts(
    body: bytes, redactions: list[Redaction], body_bytes_max: int
) -> list[tuple[bytes, list[Redaction]]]:
    """Body and redactions of a frame, spread over as many records as they need; nearly always one."""
    if len(body) <= body_bytes_max and not redactions:
        return [(body, redactions)]
    groups = list(_groups(redactions))
    count = max(1, len(groups), -(-len(body) // body_bytes_max))
    return [
        (
            body[part * body_bytes_max : (part + 1) * body_bytes_max],
            groups[part] if part < len(groups) else [],
        )
        for part in range(count)
    ]


def _groups(redactions: list[Redaction]) -> Iterator[list[Redaction]]:
    group: list[Redaction] = []
    chars = 0
    for redaction in redactions:
        if len(redaction["path"]) > PATH_CHARS_MAX:
            redaction = {**redaction, "path": cut(redaction["path"], PATH_CHARS_MAX)}  # noqa: PLW2901
        size = (
            len(redaction["path"]) + len(redaction["rule"]) + len(redaction["pseudonym"]) + _REDACTION_CHARS
        )
        if group and chars + size > REDACTION_CHARS_MAX:
            yield group
            group, chars = [], 0
        group.append(redaction)
        chars += size
    if group:
        yield group
