"""What can be asked for: the filters of the lists.

`connections` is the viewer's scope in all of them: None for everything, else rows of these connections alone, so ()
gives nothing, and a row that is of no connection is seen only with None. Times are ISO 8601; `since` is inclusive,
`until` and `before` are not. '' asks for all.
"""

from dataclasses import dataclass

Scope = tuple[str, ...] | None
"""The connections whose rows somebody may see; None for all, () for none."""


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings: in this state (`open`, `acknowledged`, `closed`), of this rule, severity, caller, connection,
    session, seen since, first raised until. `before`: the raised_at of the last one shown, for the next page."""

    state: str = ""
    rule: str = ""
    severity: str = ""
    principal: str = ""
    connection: str = ""
    since: str = ""
    until: str = ""
    session: str = ""
    connections: Scope = None
    before: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalFilter:
    """Which approvals: in this state, of this kind, caller, connection, session, asked since and until. `before`: the
    requested_at of the last one shown, for the next page."""

    state: str = ""
    kind: str = ""
    principal: str = ""
    connection: str = ""
    since: str = ""
    until: str = ""
    session: str = ""
    connections: Scope = None
    before: str = ""


@dataclass(frozen=True, slots=True)
class AdminFilter:
    """Which acts: of this actor, of this kind (`session.kill`), on this target, since and until. `connections`
    leaves those whose target is such a connection or a tool of it. `before`: the time of the last one shown."""

    actor: str = ""
    action: str = ""
    target: str = ""
    since: str = ""
    until: str = ""
    connections: Scope = None
    before: str = ""


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions: those active between `since` and `until` that have one exchange in which all else holds.

    `group` is one of the caller's; `text` wants every word of it in the first 64 KB of one body (of very common
    words the newest frames alone are looked at); `redacted` wants something masked; `finding` a session that a
    finding is about. `before`: the last_at of the last one shown, for the next page.
    """

    principal: str = ""
    connection: str = ""
    since: str = ""
    until: str = ""
    group: str = ""
    tool: str = ""
    verb: str = ""
    resource: str = ""
    namespace: str = ""
    verdict: str = ""
    outcome: str = ""
    redacted: bool = False
    finding: bool = False
    text: str = ""
    connections: Scope = None
    before: str = ""


@dataclass(frozen=True, slots=True)
class FrameFilter:
    """Which frames; `text` wants every word of it in the first 64 KB of the body. `verb` and `namespace` are those
    of a Kubernetes request; `resource` is such a one's (`pods`), or an MCP resource or prompt.

    `newest` gives the newest ones when there are more than the limit; the order of what is given is always that of
    recording. `headers` gives their header lines too.
    """

    session: str = ""
    exchange: str = ""
    since: str = ""
    until: str = ""
    connection: str = ""
    principal: str = ""
    direction: str = ""
    method: str = ""
    tool: str = ""
    verdict: str = ""
    outcome: str = ""
    verb: str = ""
    namespace: str = ""
    resource: str = ""
    text: str = ""
    newest: bool = False
    headers: bool = False
    connections: Scope = None
