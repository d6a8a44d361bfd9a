"""The life of one exchange, as a pure state machine: it is sent facts and yields effects.

    look ─▶ refuse?  ─▶ Record, Answer
     └▶ judge ─▶ deny ─▶ Record, Answer
         ├▶ hold ─▶ see `gateway.awaiting`
         └▶ Record(request) ─▶ Forward ─▶ Head ─┬▶ ReadBody ─▶ mask ─▶ Record ─▶ Answer
                                                └▶ OpenStream, then for each chunk: cut at events, mask, Record, Send

Every path ends in one frame whose outcome is not `pending`; when what follows shows it to be wrong (the answer
was recorded but could not be released), a later `end` frame says so, and the last one counts.
"""

from collections.abc import Generator
from dataclasses import replace

from gateway import kubernetes, waiting
from gateway.awaiting import Awaiting
from gateway.drafting import BESIDE_BODY, MaskingFailedError
from gateway.effects import Abandon, Answer, Claim, Draft, Effect, Fact, Record, Request
from gateway.endings import Life
from gateway.exact import shown, shown_of_http
from gateway.frames import headers as header_rules
from gateway.frames import modern, strict_json
from gateway.frames.headers import first
from gateway.frames.jsonrpc import TooDeepError, look
from gateway.kubernetes.masked import WRITES, holds_pseudonym, takes_secret_out
from gateway.kubernetes.secret_bodies import readable
from gateway.law import Case
from gateway.policy.verdict import Verdict
from gateway.refusals import REFUSALS, Refused, too_often
from gateway.settings import ConnectionKind
from gateway.tools.denials import denied
from gateway.tools.tasks import task_of
from schemas.frames import Redaction

CANCELLED = "notifications/cancelled"


class Exchange(Awaiting):
    """One request and its answers, from the first look at it."""

    def unheard(self, reason_code: str, status: int, reason: str) -> Draft:
        """The only frame of a request that was refused before it was one."""
        frame = Draft("request")
        frame.facts |= {"reason_code": reason_code, "http_status": status, "reason": reason}
        return self._drafting.finish(frame, "refused")

    def life(self, refused: Refused | None = None) -> Life:
        """The whole life; `refused` when the edge has already found a fault."""
        refused = refused or self._fault()
        asked, failed = yield from self._asked()
        self._drafting.asked(asked, self.look)
        refused = refused or failed
        if refused is None:
            yield from self._judged(asked)
        else:
            yield from self._refuse(asked, refused)

    def fallen(self, sent: bool) -> tuple[Draft, Answer]:
        """The gateway itself has failed in the midst of it: what the trail says of its end (G6), and the client
        gets where it has got nothing yet. `sent`: upstream may have seen the request."""
        refused = Refused("gateway_failed", late=sent)
        outcome, status = "withheld" if sent else "refused", REFUSALS[refused.reason_code].status
        end = self._drafting.end(outcome, refused.reason_code, status, late=sent)
        return end, self._own_answer(refused)

    # -- before upstream

    def _fault(self) -> Refused | None:
        """What is wrong with the request itself."""
        request = self._request
        if self._stranger:
            return Refused("session_not_yours")
        if first(request.headers, b"content-encoding") not in (b"", b"identity"):
            return Refused("content_encoding")
        if not header_rules.in_utf8(first(request.headers, b"content-type")):
            return Refused("charset_not_utf8")
        if self._terms.kind == ConnectionKind.KUBERNETES:
            return self._fault_of_kubernetes()
        return self._fault_of_body() if request.body else None

    def _fault_of_kubernetes(self) -> Refused | None:
        try:
            self._kube = kubernetes.read(self._request, self._terms.cluster)
        except kubernetes.NotReadError as exc:
            return Refused(exc.reason_code, str(exc))
        self._drafting.add_written(self._kube.attributes)
        if self._kube.verb in WRITES and holds_pseudonym(self._request.body):
            return Refused("masked_value")
        return Refused("unmasked_copy") if takes_secret_out(self._kube) else None

    def _fault_of_body(self) -> Refused | None:
        if self._terms.kind != ConnectionKind.MCP:
            return None  # nothing in it decides: rules see the method, the path and the query
        body, limits = self._request.body, self._terms.limits
        unlike, self._decoded = strict_json.read(body, limits.json_depth_max)
        if unlike and unlike != strict_json.INVALID:  # that is for upstream or policy to refuse
            return Refused(unlike)
        try:
            self.look = look(body, limits.batch_members_max)
        except TooDeepError:
            return Refused("too_deep")
        if len(self.look.members) > limits.batch_members_max:
            return Refused("batch_too_large")
        contradiction = modern.mismatch(self._request.headers, self.look, task_of(body))
        if contradiction:
            return Refused("header_mismatch", contradiction)
        self._own_task = waiting.asked_task(body)  # upstream knows nothing of those
        return None if self._own_task is not None else self._fault_of_seals()

    def _fault_of_seals(self) -> Refused | None:
        """What is wrong with what was given to the client to hand back; else it is opened."""
        opened = self._law.opened(self._unsaid(), self.principal)
        if isinstance(opened, Refused):
            # whoever asks in a way that no longer is learns only that
            gone = self.look.method == "tasks/result" and modern.is_modern(self.look.meta_version or "")
            return Refused("unknown_method") if gone else opened
        self._opened = opened
        return None

    def _unsaid(self) -> Request:
        """The request without what it says to the gateway alone: state of ours, when its client comes back."""
        self._returned = waiting.opened_state(self._request.body)
        if self._returned is None:
            return self._request
        return replace(self._request, body=waiting.without_state(self._request.body))

    def _asked(self) -> Generator[Effect, Fact, tuple[Draft, Refused | None]]:
        """The request frame, masked; without a body, and with the reason, where that cannot be done."""
        whole = len(self._request.body)
        try:
            body, redactions = yield from self._masked(self._readable())
        except MaskingFailedError:
            return Draft("request", b"", whole), Refused("request_masking_failed")
        asked = Draft("request", body, whole, redactions)
        return self._keeping(asked, self._request.body), None

    def _readable(self) -> bytes:
        """The body as it is masked and recorded."""
        if self._terms.kind != ConnectionKind.KUBERNETES:
            return self._request.body
        return readable(self._kube, self._request)

    def _judged(self, asked: Draft) -> Life:
        """Policy has its say. What it adds for an allowed call is in force from here on."""
        self._case = self._case_of(asked)
        ruling = self._law.judge(self._case)
        self._case.decoded = self._decoded = None  # it may be large, and nobody needs it any more
        refused = ruling if isinstance(ruling, Refused) else None
        if not isinstance(ruling, Refused):
            self._ruling = ruling
            self._drafting.judged(ruling)
            refused = self._impossible(ruling.verdict) or (yield from self._masked_again(asked))
        if refused is not None:
            yield from self._refuse(asked, refused)
        elif self._ruling.held is not None and self._terms.holding.machine_public:
            held = self._ruling.held
            held.shown = self._shown(asked.body)
            held.asked_for = self._terms.mask_text(held.asked_for)[0]
            if self._terms.kind != ConnectionKind.MCP:  # a path, or names that the caller wrote
                held.object = self._terms.mask_text(held.object)[0]
            yield from self._await_approval(asked, held)
        elif self._ruling.verdict.action != "allow":
            yield from self._deny(asked)
        else:
            yield from self._allowed(asked)

    def _case_of(self, asked: Draft) -> Case:
        session_id, protocols_own, version = (
            str(self.base[name]) for name in ("session_id", "mcp_session_id", "mcp_protocol_version")
        )
        secrets = sum(1 for found in asked.redactions if found["path"] not in BESIDE_BODY)
        return Case(
            self._request,
            self.look,
            self.principal,
            session_id,
            protocols_own,
            version,
            self.id,
            secrets,
            self._decoded,
            self._kube,
        )

    def _impossible(self, verdict: Verdict) -> Refused | None:
        """What does not pass although no rule denies it."""
        if verdict.action == "deny":
            return None
        if self._kube is not None and self._kube.impersonates:
            if self._terms.names_caller:  # what the rules judged would not be who acts
                return Refused(
                    "impersonation_not_allowed", "this connection names you yourself to the cluster"
                )
            if not verdict.impersonate:
                return Refused("impersonation_not_allowed")
        if self._request.upgrade and verdict.action == "allow":
            return Refused("spdy_not_taken")
        return None

    def _masked_again(self, asked: Draft) -> Generator[Effect, Fact, Refused | None]:
        """The request frame by the mask of the rule, where that names one."""
        profile = self._ruling.verdict.mask
        if profile is None:
            return None
        self._mask = self._terms.masks(profile)
        again, failed = yield from self._asked()
        asked.body, asked.redactions = again.body, [*again.redactions, *_beside_body(asked.redactions)]
        asked.original = again.original
        return failed

    def _allowed(self, asked: Draft) -> Life:
        """It goes on, unless there are too many like it."""
        verdict = self._ruling.verdict
        if verdict.rate is not None:
            wait = yield Claim(verdict.rule, verdict.rate)
            if isinstance(wait, float) and wait > 0:
                yield from self._refuse(asked, too_often(f"rule {verdict.rule}", wait))
                return
        if self._own_task is not None:
            yield from self._asks_about(asked, self._own_task)
        elif (yield Record([asked])):
            if self.look.method == CANCELLED:
                session_id = str(self.base["session_id"])
                yield Abandon(session_id, waiting.cancelled_id(self._request.body))
            yield from self._forward()
        else:
            yield from self._fail_closed()

    def _shown(self, masked_body: bytes) -> bytes:
        """What people are shown of a held call: nothing that masking takes out."""
        if self._terms.kind == ConnectionKind.MCP:
            return shown(masked_body)
        return shown_of_http(self._terms.mask_text(self._request.query)[0], masked_body)

    def _deny(self, asked: Draft) -> Life:
        """In the form that the client can use: a tool result, a JSON-RPC error, one for each member of a batch."""
        verdict = self._ruling.verdict
        if self._terms.kind != ConnectionKind.MCP:
            yield from self._refuse(asked, Refused(verdict.reason_code, verdict.reason))
            return
        version = str(self.base["mcp_protocol_version"])
        status, headers, body = denied(self.look, verdict, self.id, body=self._request.body, version=version)
        asked.facts |= {"http_status": status, "reason_code": verdict.reason_code, "reason": verdict.reason}
        self._drafting.finish(asked, "refused")
        yield from self._recorded(asked, Answer(status, headers, body))


def _beside_body(redactions: list[Redaction]) -> list[Redaction]:
    """Those of header lines and the path, which another mask of the body leaves as they are."""
    return [each for each in redactions if each["path"] in BESIDE_BODY]
