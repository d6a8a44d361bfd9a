"""Requests out of the trail, as policy judges them: read by pages, in the order of recording."""

from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.policy.facts import PrincipalFacts
from gateway.policy.recorded import Annotations, Recorded
from gateway.tools import tools_in
from sinks.literals import text_literal
from sinks.readers import Reader

PAGE_ROWS = 500
LISTINGS_MAX = 200
_COLUMNS = (
    "frame_id, exchange_id, session_id,"
    " toUnixTimestamp64Micro(recorded_at) AS micros, connection, principal, principal_issuer,"
    " principal_groups, client_id, attributes['principal.email'] AS email, purpose,"
    " protocol, peer, user_agent, http_method, http_path, mcp_protocol_version, mcp_session_id,"
    " attributes['tool.state'] AS tool_state, attributes['http.operation'] AS operation,"
    " attributes['k8s.cluster.name'] AS cluster, attributes['k8s.verb'] AS k8s_verb,"
    " arrayStringConcat(arrayFilter(part -> part != '', [attributes['k8s.objectRef.apiGroup'],"
    " attributes['k8s.objectRef.resource'], attributes['k8s.objectRef.subresource']]), '/') AS k8s_resource,"
    " arrayStringConcat(arrayFilter(part -> part != '', [attributes['k8s.objectRef.namespace'],"
    " attributes['k8s.objectRef.name']]), '/') AS k8s_object, http_headers, body_bytes,"
    " length(redactions) AS secrets, verdict, rule, reason_code,"
    " policy_version, method, tool, parts, parts_stored, base64Encode(body) AS body64"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A recorded request, and what was said of it then. `whole` is False where a part of its body is not stored."""

    frame_id: str
    exchange_id: str
    connection: str
    micros: int
    verdict: str
    rule: str
    reason_code: str
    policy_version: str
    subject: str
    asked: str
    whole: bool
    request: Recorded


async def judged_requests(reader: Reader, since: datetime, connection: str = "") -> AsyncIterator[Judged]:
    """Requests on which policy had its say, from `since` on; all or those over one connection. A page at a time."""
    micros, frame = int(since.timestamp() * 1_000_000), "00000000-0000-0000-0000-000000000000"
    while True:
        page = await reader.query(_page(micros, frame, connection))
        for row in page.rows:
            found = _judged(dict(zip(page.columns, row, strict=True)))
            micros, frame = found.micros, found.frame_id
            yield found
        if len(page.rows) < PAGE_ROWS:
            return


async def request_of(reader: Reader, exchange_id: str) -> Judged | None:
    """The request of one exchange; None when the trail has none."""
    table = await reader.query(
        f"SELECT {_COLUMNS} FROM v_frames WHERE exchange_id = toUUID({text_literal(exchange_id)})"
        " AND direction = 'request' ORDER BY recorded_at LIMIT 1"
    )
    return _judged(dict(zip(table.columns, table.rows[0], strict=True))) if table.rows else None


async def annotations_of(reader: Reader, connection: str) -> Annotations:
    """What upstream last said of each tool, out of the recorded listings of a connection."""
    table = await reader.query(
        "SELECT base64Encode(body) AS body64, content_type FROM v_frames"
        f" WHERE connection = {text_literal(connection)} AND direction = 'response' AND method = 'tools/list'"
        f" ORDER BY recorded_at DESC LIMIT {LISTINGS_MAX}"
    )
    known: dict[str, Mapping[str, Any]] = {}
    for body64, content_type in reversed(table.rows):
        event = str(content_type).startswith("text/event-stream")
        for tool in tools_in(_decoded(body64), event=event):
            known[tool.name] = tool.annotations
    return known


def _page(micros: int, frame: str, connection: str) -> str:
    only = f" AND connection = {text_literal(connection)}" if connection else ""
    start = f"fromUnixTimestamp64Micro({micros}, 'UTC')"
    return (
        f"SELECT {_COLUMNS} FROM v_frames WHERE direction = 'request' AND verdict IN ('allow', 'deny', 'hold')"
        f" AND recorded_at >= {start} AND (recorded_at, frame_id) > ({start}, toUUID('{frame}')){only}"
        f" ORDER BY recorded_at, frame_id LIMIT {PAGE_ROWS}"
    )


def _judged(row: Mapping[str, Any]) -> Judged:
    micros = int(row["micros"])
    groups = tuple(str(group) for group in row["principal_groups"])
    request = Recorded(
        body=_decoded(row["body64"]),
        body_bytes=int(row["body_bytes"]),
        headers=row["http_headers"],
        kind=row["protocol"],
        cluster=row["cluster"],
        method=row["http_method"],
        path=row["http_path"],
        peer=row["peer"],
        user_agent=row["user_agent"],
        principal=PrincipalFacts(
            row["principal_issuer"], row["principal"], groups, row["client_id"], row["email"], row["purpose"]
        ),
        session_id=row["session_id"],
        secrets=int(row["secrets"]),
        protocol_version=row["mcp_protocol_version"],
        mcp_session_id=row["mcp_session_id"],
        tool_states=row["tool_state"],
        operation=row["operation"],
        recorded_at=micros / 1_000_000,
    )
    return Judged(
        frame_id=row["frame_id"],
        exchange_id=row["exchange_id"],
        connection=row["connection"],
        micros=micros,
        verdict=row["verdict"],
        rule=row["rule"],
        reason_code=row["reason_code"],
        policy_version=row["policy_version"],
        subject=row["principal"],
        asked=_asked(row),
        whole=int(row["parts"]) == int(row["parts_stored"]),
        request=request,
    )


def _asked(row: Mapping[str, Any]) -> str:
    """What was asked, in words: `tools/call pods_list`, `delete pods prod/web-0`, `GET /v1/items`."""
    words = (
        (row["method"], row["tool"])
        if row["method"]
        else (row["k8s_verb"], row["k8s_resource"], row["k8s_object"])
    )
    return " ".join(filter(None, words)) or f"{row['http_method']} {row['http_path'].partition('?')[0]}"


def _decoded(body64: str) -> bytes:
    return b64decode(body64)


def moment_of(micros: int) -> str:
    """A time of the trail as ISO, to the second."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")
