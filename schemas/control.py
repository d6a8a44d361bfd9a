"""What holds on every replica: blocked principals, killed sessions, revoked tokens, pinned tools, policies in force,
approvals demanded, limits lowered and alerts silenced.

Topic `control` is compacted: the latest record of a key is the state, a tombstone takes it back. The key is the
record's `target`; a record that lies under another key is not believed. What answers a finding has its id (`cause`)
in the key: it is written once, replaces nothing that a person decided, and ends alone.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple, TypedDict, cast

from schemas.codec import CodecError, codec
from schemas.stamps import Stamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ControlKind = Literal[
    "principal_blocked",
    "session_killed",
    "token_revoked",
    "tool_pinned",
    "policy_in_force",
    "approval_demanded",
    "limits_lowered",
    "alerts_silenced",
]
PinState = Literal["pinned", "changed"]


class ControlRecord(TypedDict):
    """A record of topic `control`; fields as in `control.avsc`. Times are UTC in microseconds."""

    control_id: str
    at: int
    kind: ControlKind
    target: str
    issuer: str
    subject: str
    session_id: str
    token_id: str
    connection: str
    tool: str
    digest: str
    by: str
    reason: str
    expires_at: int | None
    detail: str
    cause: str


class Lowered(NamedTuple):
    """A token bucket that a principal's own may not exceed."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class ToolPin:
    """What is known of a tool. `digest`: as it was accepted (or first seen); a call is judged against that one.

    `state` is `changed` while the server lists it with another digest, `seen_digest`, that nobody has accepted yet;
    `seen_flags` and `seen_annotations` belong to that. `flags` are what was odd in the accepted description.
    `accepted_by` is empty for a tool that was pinned when first seen. Definitions are canonical JSON, masked and
    bounded: they are shown to people, never compared. `changed` are the parts that differ, `changes` counts how often
    it was seen to be another one since it was pinned or accepted; `first_seen_at` is UTC in microseconds.
    """

    digest: str
    annotations: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    accepted_by: str = ""
    state: PinState = "pinned"
    seen_digest: str = ""
    seen_annotations: Mapping[str, Any] = field(default_factory=dict)
    seen_flags: tuple[str, ...] = ()
    definition: str = ""
    seen_definition: str = ""
    changed: tuple[str, ...] = ()
    changes: int = 0
    first_seen_at: int = 0


def principal_blocked(
    stamp: Stamp,
    issuer: str,
    subject: str,
    *,
    by: str,
    reason: str,
    expires_at: int | None = None,
    cause: str = "",
) -> ControlRecord:
    """Nobody who is `subject` at `issuer` ('': at any) gets anything. Raises ValueError for an issuer with a `|`."""
    key = block_key(issuer, subject, cause)
    record = _record(stamp, "principal_blocked", key, by, reason)
    return {**record, "issuer": issuer, "subject": subject, "expires_at": expires_at, "cause": cause}


def session_killed(stamp: Stamp, session_id: str, *, by: str, reason: str) -> ControlRecord:
    """The session is over: its streams end, and no further request of it passes."""
    return {
        **_record(stamp, "session_killed", f"kill:{session_id}", by, reason),
        "session_id": session_id,
    }


def token_revoked(
    stamp: Stamp, token_id: str, *, by: str, reason: str, expires_at: int | None = None
) -> ControlRecord:
    """The token whose jti is `token_id` is good for nothing; after `expires_at` it is not anyway."""
    record = _record(stamp, "token_revoked", f"revoke:{token_id}", by, reason)
    return {**record, "token_id": token_id, "expires_at": expires_at}


def tool_pinned(
    stamp: Stamp, connection: str, tool: str, pin: ToolPin, *, by: str, reason: str = ""
) -> ControlRecord:
    """`tool` of `connection` is known as `pin` says."""
    detail = {
        "annotations": dict(pin.annotations),
        "flags": pin.flags,
        "accepted_by": pin.accepted_by,
        "state": pin.state,
        "seen_digest": pin.seen_digest,
        "seen_annotations": dict(pin.seen_annotations),
        "seen_flags": pin.seen_flags,
        "definition": pin.definition,
        "seen_definition": pin.seen_definition,
        "changed": pin.changed,
        "changes": pin.changes,
        "first_seen_at": pin.first_seen_at,
    }
    record = _record(stamp, "tool_pinned", pin_key(connection, tool), by, reason)
    named = {"connection": connection, "tool": tool, "digest": pin.digest}
    return cast("ControlRecord", {**record, **named, "detail": _text(detail)})


def policy_in_force(stamp: Stamp, connection: str, version: str, *, by: str) -> ControlRecord:
    """Calls over `connection` are judged by the policy with this digest."""
    record = _record(stamp, "policy_in_force", f"policy:{connection}", by, "")
    return {**record, "connection": connection, "digest": version}


def approval_demanded(
    stamp: Stamp,
    *,
    session_id: str = "",
    issuer: str = "",
    subject: str = "",
    by: str,
    reason: str,
    expires_at: int | None = None,
    cause: str = "",
) -> ControlRecord:
    """Each call of the session, or of `subject` at `issuer` ('': at any) when none is named, needs an approval.

    Raises ValueError when neither a session nor a subject is named, and for an issuer with a `|`.
    """
    if not session_id and not subject:
        raise ValueError("an approval is demanded of a session or of a principal")
    key = demand_key(session_id, issuer, subject, cause)
    record = _record(stamp, "approval_demanded", key, by, reason)
    whose = {"session_id": session_id} if session_id else {"issuer": issuer, "subject": subject}
    return cast("ControlRecord", {**record, **whose, "expires_at": expires_at, "cause": cause})


def limits_lowered(
    stamp: Stamp,
    issuer: str,
    subject: str,
    rate: Lowered,
    *,
    by: str,
    reason: str,
    expires_at: int | None = None,
    cause: str = "",
) -> ControlRecord:
    """`subject` at `issuer` ('': at any) may call no faster than `rate`.

    Raises ValueError for a rate that is none, and for an issuer with a `|`.
    """
    _checked(rate)
    record = _record(stamp, "limits_lowered", limit_key(issuer, subject, cause), by, reason)
    whose = {"issuer": issuer, "subject": subject, "expires_at": expires_at, "cause": cause}
    return cast("ControlRecord", {**record, **whose, "detail": _text(rate._asdict())})


def alerts_silenced(
    stamp: Stamp, rule: str, issuer: str, subject: str, *, by: str, reason: str, expires_at: int
) -> ControlRecord:
    """Nobody is told of findings of `rule` (with `*` and `?`; '': any) about `subject` ('': anybody) for a while.

    Raises ValueError when neither is named, and for an issuer with a `|`.
    """
    if not rule and not subject:
        raise ValueError("silence a rule, a principal, or both")
    record = _record(stamp, "alerts_silenced", silence_key(rule, issuer, subject), by, reason)
    whose = {"issuer": issuer, "subject": subject, "expires_at": expires_at}
    return cast("ControlRecord", {**record, **whose, "detail": _text({"rule": rule})})


def silence_key(rule: str, issuer: str, subject: str) -> str:
    """Key of a silence. Raises ValueError for an issuer with a `|`."""
    return f"silence:{rule}|{_principal(issuer, subject)}"


def block_key(issuer: str, subject: str, cause: str = "") -> str:
    """Key of the block of a principal. Raises ValueError for an issuer with a `|`: a URL has none."""
    return f"{_head('block', cause)}:{_principal(issuer, subject)}"


def demand_key(session_id: str, issuer: str, subject: str, cause: str = "") -> str:
    """Key of a demand for approval: of the session, when there is one, else of the principal.

    Raises ValueError for an issuer with a `|`.
    """
    if session_id:
        return f"{_head('demand-session', cause)}:{session_id}"
    return f"{_head('demand', cause)}:{_principal(issuer, subject)}"


def limit_key(issuer: str, subject: str, cause: str = "") -> str:
    """Key of lowered limits of a principal. Raises ValueError for an issuer with a `|`."""
    return f"{_head('limit', cause)}:{_principal(issuer, subject)}"


def pin_key(connection: str, tool: str) -> str:
    """Key of a tool's pin; the name of a connection holds no `|`."""
    return f"pin:{connection}|{tool}"


def pin_of(record: ControlRecord) -> ToolPin:
    """The pin in a record of kind `tool_pinned`. Raises CodecError when its detail is not what it should be."""
    try:
        detail = json.loads(record["detail"])
        state = detail["state"]
        if state not in ("pinned", "changed"):
            raise CodecError("broken control: no such state of a tool")
        return ToolPin(
            digest=record["digest"],
            annotations=dict(detail["annotations"]),
            flags=tuple(map(str, detail["flags"])),
            accepted_by=str(detail["accepted_by"]),
            state=state,
            seen_digest=str(detail["seen_digest"]),
            seen_annotations=dict(detail["seen_annotations"]),
            seen_flags=tuple(map(str, detail["seen_flags"])),
            definition=str(detail.get("definition", "")),
            seen_definition=str(detail.get("seen_definition", "")),
            changed=tuple(map(str, detail.get("changed", ()))),
            changes=int(detail.get("changes", 0)),
            first_seen_at=int(detail.get("first_seen_at", 0)),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise CodecError(f"broken control: detail of a pin: {type(exc).__name__}") from exc


def lowered_of(record: ControlRecord) -> Lowered:
    """The rate in a record of kind `limits_lowered`. Raises CodecError when its detail is not what it should be."""
    try:
        detail = json.loads(record["detail"])
        return _checked(Lowered(float(detail["per_second"]), int(detail["burst"])))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as exc:
        raise CodecError(f"broken control: detail of lowered limits: {type(exc).__name__}") from exc


def silenced_rule(record: ControlRecord) -> str:
    """The rule in a record of kind `alerts_silenced`; '' for any. Raises CodecError for a broken detail."""
    try:
        return str(json.loads(record["detail"])["rule"])
    except (ValueError, TypeError, KeyError, RecursionError) as exc:
        raise CodecError(f"broken control: detail of a silence: {type(exc).__name__}") from exc


def control_value(record: ControlRecord) -> bytes:
    """The value for topic `control`; its key is `record["target"]`. Raises CodecError when it does not fit."""
    return codec("control").encode(record)


def open_control(key: bytes | None, value: bytes) -> ControlRecord:
    """The record that lies under `key`. Raises CodecError for anything else, also when it speaks of another key."""
    found = codec("control").decode(value)
    found["control_id"] = str(found["control_id"])
    found["at"] = _microseconds(found["at"])
    if found["expires_at"] is not None:
        found["expires_at"] = _microseconds(found["expires_at"])
    record = cast("ControlRecord", found)
    named = _key_of(record)
    if named != record["target"] or (key or b"").decode("utf-8", "replace") != named:
        raise CodecError("broken control: the key, the target and the fields do not say the same")
    return record


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _key_of(record: ControlRecord) -> str:
    principal = f"{record['issuer']}|{record['subject']}"
    match record["kind"]:
        case "principal_blocked":
            kind, named = "block", principal
        case "session_killed":
            kind, named = "kill", record["session_id"]
        case "token_revoked":
            kind, named = "revoke", record["token_id"]
        case "tool_pinned":
            kind, named = "pin", f"{record['connection']}|{record['tool']}"
        case "policy_in_force":
            kind, named = "policy", record["connection"]
        case "approval_demanded" if record["session_id"]:
            kind, named = "demand-session", record["session_id"]
        case "approval_demanded":
            kind, named = "demand", principal
        case "limits_lowered":
            kind, named = "limit", principal
        case "alerts_silenced":
            kind, named = "silence", f"{silenced_rule(record)}|{principal}"
    return f"{_head(kind, record['cause'])}:{named}"


def _head(kind: str, cause: str) -> str:
    return f"{kind}@{cause}" if cause else kind


def _principal(issuer: str, subject: str) -> str:
    if "|" in issuer:
        raise ValueError("an issuer is a URL; it cannot hold a |")
    return f"{issuer}|{subject}"


def _checked(rate: Lowered) -> Lowered:
    if not (0 < rate.per_second < math.inf and rate.burst >= 1):
        raise ValueError("a rate is above 0 a second, with a burst of 1 or more")
    return rate


def _record(stamp: Stamp, kind: ControlKind, target: str, by: str, reason: str) -> ControlRecord:
    return {
        "control_id": stamp.id,
        "at": stamp.at,
        "kind": kind,
        "target": target,
        "issuer": "",
        "subject": "",
        "session_id": "",
        "token_id": "",
        "connection": "",
        "tool": "",
        "digest": "",
        "by": by,
        "reason": reason,
        "expires_at": None,
        "detail": "{}",
        "cause": "",
    }


def _text(detail: Mapping[str, Any]) -> str:
    return json.dumps(detail, separators=(",", ":"), sort_keys=True)
