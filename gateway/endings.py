"""What one exchange is made of, and the ways in which it ends without an answer of upstream."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

from gateway.answers import own_answer, own_event, problem, status, watch_error
from gateway.drafting import Drafting, MaskingFailedError, MaskText
from gateway.effects import (
    Alert,
    Answer,
    Broken,
    CloseStream,
    Conceal,
    Concealed,
    CutStream,
    Draft,
    Effect,
    Fact,
    Gone,
    Head,
    Note,
    Record,
    Request,
    Send,
)
from gateway.frames import headers as header_rules
from gateway.frames.headers import first
from gateway.frames.jsonrpc import NOTHING
from gateway.frames.sse import event
from gateway.kubernetes import KubernetesCall
from gateway.law import OPEN, Case, Law, Opened, Ruling
from gateway.refusals import AUDIT_UNAVAILABLE, REFUSALS, RESULT_WITHHELD, Refused
from gateway.sessions import Principal
from gateway.settings import ConnectionKind, Holding, Limits
from gateway.waiting import HeldTasks, StateSeal, TaskSeal
from schemas.frames import Redaction

Life = Generator[Effect, Fact, None]
Mask = Callable[[bytes], tuple[bytes, list[Redaction]]]
Known = Callable[[], Mapping[str, str]]
SESSION = b"mcp-session-id"
OF_OTHERS = frozenset({"session_not_yours", "request_state_invalid", "task_not_yours"})
ASIDE_BYTES = 256 * 1024  # a larger body takes so long to mask that others would notice


def nothing_known() -> Mapping[str, str]:
    """Where the gateway shows upstream nothing that tells who it is."""
    return {}


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every exchange of a connection. `masks` gives the mask of another profile, by its name.

    `status_url`: where an approval is seen, with `{id}` in it. `known`: attributes that tell whom upstream takes
    the gateway for, as far as that is known by now.
    """

    connection: str
    mask: Mask
    mask_text: MaskText
    limits: Limits
    masks: Callable[[str], Mask]
    law: Law = OPEN
    keeps_originals: bool = False
    holding: Holding = field(default_factory=Holding)
    status_url: str = ""
    state_seal: StateSeal = field(default_factory=lambda: StateSeal(token_bytes(32)))
    task_seal: TaskSeal = field(default_factory=lambda: TaskSeal(token_bytes(32)))
    held_tasks: HeldTasks = field(default_factory=HeldTasks)
    kind: ConnectionKind = ConnectionKind.MCP
    cluster: str = ""
    known: Known = nothing_known
    names_caller: bool = False  # the gateway itself says to the cluster who the caller is


class Ending:
    """One request and its answers, as far as every part of its life needs them."""

    def __init__(self, exchange_id: str, request: Request, principal: Principal, terms: Terms) -> None:
        self.id = exchange_id
        self.look = NOTHING
        self.principal = principal
        self._request = request
        self._terms = terms
        self._law = terms.law
        self._mask = terms.mask
        self._ruling = Ruling()
        self._opened = Opened(request.body, request.headers)
        self._case: Case | None = None
        self._kube: KubernetesCall | None = None  # on a connection of kind kubernetes
        self._decoded: Any = None
        self._own_task: str | None = None  # the id of a task of ours that the request is about
        self._returned: str | None = None  # state of ours, which its client comes back with
        self._opened_early = False  # the client got the head of a stream while its call was held
        self._drafting = Drafting(exchange_id, request, principal, terms.connection, terms.mask_text)
        self._drafting.base["protocol"] = terms.kind.value
        known = terms.known()
        if known:
            self._drafting.add(dict(known))
        claimed = first(request.headers, SESSION).decode("latin-1")
        own = self._law.unbind(claimed, principal) if claimed else ""
        self._stranger = own is None
        self._drafting.in_session(claimed if own is None else own)

    @property
    def base(self) -> dict[str, object]:
        """The fields that all its frames share."""
        return self._drafting.base

    @property
    def outcome(self) -> str:
        """How it ended, `pending` until then."""
        return self._drafting.outcome

    @property
    def refused_for(self) -> str:
        """Reason code, where the gateway refused the request or withheld the answer."""
        return self._drafting.refused_for

    def _masked(self, body: bytes) -> Generator[Effect, Fact, tuple[bytes, list[Redaction]]]:
        """The body masked; a large one is masked aside. Raises MaskingFailedError."""
        if len(body) <= ASIDE_BYTES:
            return self._mask(body)
        concealed = yield Conceal(self._mask, body)
        if not isinstance(concealed, Concealed):
            raise MaskingFailedError("it could not be masked aside")
        return concealed.body, concealed.redactions

    def _keeping(self, draft: Draft, original: bytes) -> Draft:
        """The frame with its body as it was before masking, where the connection keeps those sealed."""
        if self._terms.keeps_originals and draft.redactions:
            draft.original = original
        return draft

    @property
    def _version(self) -> str:
        """The protocol version that the request says, in its body or its header."""
        return self.look.meta_version or str(self.base["mcp_protocol_version"])

    def _headers_up(self) -> header_rules.Headers:
        """The request's headers for upstream, with the session id that is upstream's own."""
        own = str(self.base["mcp_session_id"]).encode("latin-1")
        as_somebody = self._terms.kind == ConnectionKind.KUBERNETES and self._ruling.verdict.impersonate
        headers = header_rules.towards_upstream(self._opened.headers, impersonating=as_somebody)
        return [(name, own) if name == SESSION else (name, value) for name, value in headers]

    def _fail_closed(self) -> Life:
        """The trail cannot be written (G3): the client is told so, and the trail will say that it was."""
        yield Note([self._drafting.end("refused", AUDIT_UNAVAILABLE, 503)])
        yield from self._say(Refused(AUDIT_UNAVAILABLE))

    def _refuse(self, asked: Draft, refused: Refused) -> Life:
        self._drafting.refused(asked, refused)
        if refused.reason_code in OF_OTHERS:
            yield self._alert(refused)
        yield from self._recorded(asked, self._own_answer(refused))

    def _turn_down(self, refused: Refused) -> Life:
        """Refused after its request was recorded, and before upstream saw it."""
        yield from self._unanswered(Broken("withheld", refused.reason_code, refused.detail, sent=False))

    def _recorded(self, frame: Draft, answer: Answer) -> Life:
        """An answer of the gateway's own, once the frame that tells of it is on the trail."""
        if (yield Record([frame])):
            yield from self._tell(answer)
        else:
            yield from self._fail_closed()

    def _say(self, refused: Refused) -> Life:
        """A refusal, in the gateway's own words."""
        yield from self._tell(self._own_answer(refused))

    def _own_answer(self, refused: Refused) -> Answer:
        """The whole answer of a refusal, as what speaks behind the connection would say it."""
        if self._terms.kind == ConnectionKind.KUBERNETES:
            return status(self.id, refused)
        if self._terms.kind == ConnectionKind.HTTP:
            return problem(self.id, refused)
        return own_answer(self.id, self.look, refused)

    def _own_event(self, refused: Refused) -> bytes:
        """A refusal within a stream that has begun, where its form has a place for one."""
        if self._terms.kind == ConnectionKind.MCP:
            return own_event(self.id, self.look, refused)
        watching = self._kube is not None and self._kube.verb == "watch"
        return watch_error(self.id, refused) if watching else b""

    def _tell(self, answer: Answer) -> Life:
        """A whole answer; on a stream that is open already it is the last event."""
        if not self._opened_early:
            yield answer
            return
        yield Send(event(answer.body))
        yield CloseStream()

    def _alert(self, refused: Refused) -> Alert:
        """Somebody shows what was given to somebody else."""
        who = f"{self.principal.issuer}|{self.principal.subject}"
        evidence = (f"exchange {self.id}", f"connection {self._terms.connection}", f"principal {who}")
        return Alert(
            refused.reason_code.replace("_", "-"), f"{who} used what was given to another principal", evidence
        )

    # -- ends

    def _unanswered(self, fact: Fact) -> Life:
        """No answer, or none that can be passed on, and the client has seen nothing yet."""
        if not isinstance(fact, Broken):
            yield Note([self._drafting.end("client_gone", "client_gone", 0)])
            return
        status = REFUSALS[fact.reason_code].status
        outcome = "refused" if fact.outcome == "withheld" and not fact.sent else fact.outcome
        end = self._drafting.end(outcome, fact.reason_code, status, fact.reason, late=fact.sent)
        if (yield Record([end])) or not fact.sent:
            yield from self._say(Refused(fact.reason_code, fact.reason, late=fact.sent))
        else:
            yield from self._withhold(RESULT_WITHHELD)

    def _withhold(self, reason_code: str, detail: str = "") -> Life:
        status = REFUSALS[reason_code].status
        yield Note([self._drafting.end("withheld", reason_code, status, detail, late=True)])
        yield from self._say(Refused(reason_code, detail, late=True))

    def _break_off(self, fact: Broken | Gone, opened: bool) -> Life:
        """A stream ends before its end."""
        if isinstance(fact, Gone):
            yield Note([self._drafting.end("client_gone", "client_gone", 0)])
        elif not opened and fact.outcome == "withheld":
            yield from self._withhold(fact.reason_code, fact.reason)
        elif not opened:
            yield from self._unanswered(fact)
        else:
            yield Note([self._drafting.end(fact.outcome, fact.reason_code, 0, fact.reason, late=True)])
            said = self._own_event(Refused(fact.reason_code, fact.reason, late=True))
            if fact.outcome == "withheld" and said:
                yield Send(said)
            yield CutStream()

    # -- the session

    def _rehome(self, head: Head) -> None:
        """From here on the frames carry the answer's status, and the session that an initialize has opened."""
        self._drafting.answered(head)
        opened = first(head.headers, SESSION).decode("latin-1")
        if opened and opened != self.base["mcp_session_id"]:
            self._drafting.in_session(opened)

    def _headers_down(self, head: Head) -> header_rules.Headers:
        """The headers of an answer as the client gets them; its length is another once it was masked."""
        return [
            (name, self._law.bind(value.decode("latin-1"), self.principal).encode("latin-1"))
            if name == SESSION
            else (name, value)
            for name, value in header_rules.towards_client(head.headers)
        ]
