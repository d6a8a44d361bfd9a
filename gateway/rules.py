"""The law of one connection: policy, what is known of its tools, and what belongs to whom. Without I/O."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from gateway.belonging import Seals
from gateway.counters import SessionCounters
from gateway.effects import Request
from gateway.exact import held_call
from gateway.frames.sse import event as sse_event
from gateway.law import Case, Opened, Passage, Ruling
from gateway.openapi import Operation, Operations
from gateway.policy import ALLOWED, Around, Call, Policy, UnreadableError, Verdict, calls_of
from gateway.policy.facts import ConnectionFacts, HttpFacts, McpFacts, PrincipalFacts, SessionFacts, ToolFacts
from gateway.policy.rules import HELD
from gateway.policy.verdict import Asked, Hold
from gateway.policy.visible import could_pass
from gateway.refusals import Refused
from gateway.sessions import Principal
from gateway.settings import ToolSettings
from gateway.tools import ListedTool, ToolBook, denied, has_tools, tools_in, verdict_for, without
from gateway.tools.asked import Asked as Question
from gateway.tools.asked import asked_by_server, refusal, without_asked

PolicyNow = Callable[[], Policy | None]
Demanded = Callable[[str, Principal], str]
"""Why every act of this session needs approval; '' when it does not."""

ACTS = frozenset({"tools/call", "resources/read", "prompts/get", "sampling/createMessage"})
DEMANDED = "approval-demanded"
_SEVERITY = {"allow": 0, "hold": 1, "deny": 2}


def nothing_demanded(_session_id: str, _principal: Principal) -> str:
    """Where no response demands anything."""
    return ""


class Rules:
    """See `gateway.law.Law`. `policy` gives the one in force, None where the connection has none."""

    def __init__(
        self,
        facts: ConnectionFacts,
        policy: PolicyNow,
        *,
        book: ToolBook,
        tools: ToolSettings,
        counters: SessionCounters,
        seals: Seals | None,
        reviewers: tuple[str, ...] = (),
        demanded: Demanded = nothing_demanded,
        operations: Operations | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._facts = facts
        self._policy = policy
        self._book = book
        self._tools = tools
        self._counters = counters
        self._seals = seals
        self._reviewers = reviewers
        self._demanded = demanded
        self._operations = operations
        self._clock = clock

    def judge(self, case: Case) -> Ruling | Refused:
        """See `Law`."""
        policy, operation = self._policy(), self._operation(case)
        verdict, named = ALLOWED, _named(operation)
        if policy is None:
            verdict = self._pinned([member.tool for member in case.look.members or (case.look,)])
            if verdict.action == "allow" and not self._demanded(case.session_id, case.principal):
                return Ruling(verdict, attributes=named)
        try:
            calls = self._calls(case, operation)
        except UnreadableError as exc:
            return Refused("unreadable_request", str(exc))
        if policy is not None:
            verdicts = [self._verdict(policy, call) for call in calls]
            verdict = verdicts[0] if len(verdicts) == 1 else worst(verdicts)
        verdict = self._as_demanded(case, calls, verdict)
        self._counters.count(case.session_id, refused=verdict.action != "allow")
        version = "" if policy is None else policy.version
        return self._held(case, calls, Ruling(verdict, version, self._noted(calls, verdict) | named))

    def _calls(self, case: Case, operation: Operation | None) -> list[Call]:
        """What is asked, as rules see it. Raises UnreadableError."""
        body = case.request.body if self._facts.kind == "mcp" else b""  # any other's decides nothing
        calls = calls_of(body, self._around(case, operation), decoded=case.decoded)
        if case.kubernetes is not None:
            calls[0].kubernetes = case.kubernetes.facts
        return calls

    def _as_demanded(self, case: Case, calls: Sequence[Call], verdict: Verdict) -> Verdict:
        """What would be allowed is held where a response demands it for the rest of the session."""
        acts = self._facts.kind == "http" or any(_acts(call) for call in calls)
        if verdict.action != "allow" or not acts:
            return verdict
        why = self._demanded(case.session_id, case.principal)
        return self._reviewed(Verdict("hold", DEMANDED, why, HELD, self._reviewers)) if why else verdict

    def _held(self, case: Case, calls: Sequence[Call], ruling: Ruling) -> Ruling:
        """With the call for those who may approve it. Members of a batch cannot wait: each has to come by itself."""
        if ruling.verdict.action == "hold" and len(calls) == 1:
            try:
                ruling.held = held_call(case, calls[0], ruling.verdict, ruling.version)
            except ValueError:  # it has no digest, so nobody can be bound to it
                ruling.held = None
        return ruling

    def _reviewed(self, verdict: Verdict) -> Verdict:
        """A hold that no rule gives terms for: the connection's reviewers may approve it."""
        if verdict.action != "hold" or verdict.hold is not None or not self._reviewers:
            return verdict
        return replace(
            verdict,
            reviewers=self._reviewers,
            hold=Hold((Asked(self._reviewers),)),
        )

    def opened(self, request: Request, principal: Principal) -> Opened | Refused:
        """See `Law`."""
        if self._seals is None:
            return Opened(request.body, request.headers)
        return self._seals.opened(request, principal)

    def bind(self, mcp_session_id: str, principal: Principal) -> str:
        """See `Law`."""
        return mcp_session_id if self._seals is None else self._seals.bind(mcp_session_id, principal)

    def unbind(self, mcp_session_id: str, principal: Principal) -> str | None:
        """See `Law`."""
        return mcp_session_id if self._seals is None else self._seals.unbind(mcp_session_id, principal)

    def passage(self, case: Case, raw: bytes, event: bool) -> Passage:
        """See `Law`."""
        if self._facts.kind != "mcp":
            return Passage(raw)
        policy = self._policy()
        passage = Passage(raw)
        if policy is not None:
            passage = self._asked(case, policy, raw, event)
        whole = passage.denied is None or passage.replies  # else the body is a refusal of ours
        if whole and has_tools(passage.body):
            listing = self._listing(case, policy, passage.body, event)
            passage = replace(listing, denied=passage.denied, replies=passage.replies)
        if self._seals is None:
            return passage
        sealed = self._seals.sealed(passage.body, case.principal, event)
        return passage if sealed is passage.body else replace(passage, body=sealed)

    # -- what upstream asks

    def _asked(self, case: Case, policy: Policy, raw: bytes, event: bool) -> Passage:
        """Each thing that upstream asks of the client is judged. On a stream it is cut out and upstream is told; in
        an answer it cannot be cut out, so the client's own request is denied."""
        asked = asked_by_server(raw, event=event)
        judged = [(each, policy.judge(self._call_of_server(case, each))) for each in asked]
        refused = [(each, verdict) for each, verdict in judged if verdict.action != "allow"]
        if not refused:
            return Passage(raw)
        verdict = worst([verdict for _, verdict in refused])
        if any(not each.id for each, _ in refused):
            _, _, body = denied(
                case.look,
                verdict,
                case.exchange_id,
                body=case.request.body,
                version=case.protocol_version,
            )
            return Passage(sse_event(body) if event else body, verdict)
        replies = tuple(refusal(each, verdict, case.exchange_id) for each, verdict in refused)
        kept = without_asked(raw, {each.id for each, _ in refused}, event=event)
        return Passage(kept, verdict, replies)

    def _call_of_server(self, case: Case, asked: Question) -> Call:
        around = self._around(case)
        return Call(
            principal=around.principal,
            connection=around.connection,
            mcp=McpFacts(
                asked.method, "server", case.protocol_version, case.mcp_session_id, notification=False
            ),
            http=around.http,
            session=around.session,
            now=around.now,
        )

    # -- what upstream lists

    def _listing(self, case: Case, policy: Policy | None, raw: bytes, event: bool) -> Passage:
        """A list of tools, without those that the rules deny whatever the arguments."""
        tools = tools_in(raw, event=event)
        if not tools:
            return Passage(raw)
        if policy is None or not self._tools.filter_list:
            return Passage(raw, listed=True)
        around = self._around(case)
        hidden = [tool.name for tool in tools if not could_pass(policy, self._call_of_listed(around, tool))]
        shown = without(raw, set(hidden), event=event)
        return Passage(shown, listed=True, attributes={"tools.hidden": ",".join(hidden)} if hidden else {})

    def _call_of_listed(self, around: Around, tool: ListedTool) -> Call:
        """A call of a tool as it is known once this listing is taken."""
        annotations, state = self._book.expected(tool)
        return Call(
            principal=around.principal,
            connection=around.connection,
            mcp=McpFacts("tools/call", "client", around.protocol_version, around.mcp_session_id),
            tool=ToolFacts(tool.name, {}, annotations, state),
            http=around.http,
            session=around.session,
            now=around.now,
        )

    def _verdict(self, policy: Policy, call: Call) -> Verdict:
        """What the rules deny stays denied; else a tool that has changed is what its connection says."""
        said = policy.judge(call)
        if said.action == "deny" or call.tool.state != "changed":
            return said
        return worst([said, self._reviewed(verdict_for(call.tool.state, self._tools) or ALLOWED)])

    def _pinned(self, tools: Sequence[str]) -> Verdict:
        """What holds of tools where there is no policy."""
        found = [self._book.verdict(tool, self._tools) for tool in tools if tool]
        return worst([self._reviewed(verdict) for verdict in found if verdict is not None])

    def _noted(self, calls: Sequence[Call], verdict: Verdict) -> dict[str, str]:
        """What the record keeps beside the verdict."""
        if not verdict.reviewers and all(call.tool.state == "pinned" for call in calls):
            return {}
        states = {call.tool.state for call in calls if call.tool.name}
        facts = {
            "policy.reviewers": ",".join(verdict.reviewers),
            "tool.state": ",".join(sorted(states - {"pinned"})),
        }
        return {name: value for name, value in facts.items() if value}

    def _operation(self, case: Case) -> Operation | None:
        """What the request is called in the document of its API."""
        operations, request = self._operations, case.request
        return None if operations is None else operations.of(request.method, request.target)

    def _around(self, case: Case, operation: Operation | None = None) -> Around:
        """What rules know beside the call; an MCP server has no operations."""
        request = case.request
        calls, refused = self._counters.of(case.session_id)
        return Around(
            principal=principal_facts(case.principal),
            connection=self._facts,
            http=HttpFacts(
                request.method,
                request.target or request.path.partition("?")[0],
                request.query,
                request.peer,
                request.user_agent,
                operation.name if operation else "",
            ),
            session=SessionFacts(case.session_id, calls, refused, case.secrets),
            protocol_version=case.protocol_version,
            mcp_session_id=case.mcp_session_id,
            now=self._clock(),
            tools=self._book.lookup,
        )


def _named(operation: Operation | None) -> dict[str, str]:
    """An operation on the record."""
    return {"http.operation": operation.name, "http.route": operation.route} if operation else {}


def _acts(call: Call) -> bool:
    """Whether it does something, rather than learn what there is to do."""
    return call.mcp.method in ACTS or bool(call.kubernetes.get("resourceRequest"))


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """The first of the most severe; allowed where there is none."""
    return max(verdicts, key=lambda verdict: _SEVERITY[verdict.action], default=ALLOWED)


@lru_cache(maxsize=4096)
def principal_facts(principal: Principal) -> PrincipalFacts:
    """What rules may know of a principal."""
    return PrincipalFacts(
        principal.issuer,
        principal.subject,
        principal.groups,
        principal.client_id,
        principal.email,
        principal.purpose,
    )
