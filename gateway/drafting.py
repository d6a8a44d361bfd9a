"""What the frames of one exchange say: the facts they share, and those of the request, of answers and of ends."""

from collections.abc import Callable, Mapping

from gateway.effects import Draft, Head, Request
from gateway.facts import BLANK
from gateway.frames import headers as header_rules
from gateway.frames.headers import first
from gateway.frames.jsonrpc import NOTHING, Look, TooDeepError, look
from gateway.frames.user_agent import caused_by
from gateway.law import Ruling
from gateway.policy.verdict import Verdict
from gateway.refusals import REFUSALS, Refused, with_detail
from gateway.sessions import Principal, session_id
from schemas.frames import Redaction

BESIDE_BODY = frozenset({"http_headers", "http_path", "user_agent"})  # masked fields other than the body
CLIENT_GONE = "the client closed its connection"
MaskText = Callable[[str], tuple[str, list[Redaction]]]


class MaskingFailedError(Exception):
    """The masking could not do its work on a body. Raised by a `Mask`; the exchange fails closed."""


class Drafting:
    """Facts for the frames of one exchange. `base` holds those that all of them share."""

    def __init__(
        self, exchange_id: str, request: Request, principal: Principal, connection: str, mask_text: MaskText
    ) -> None:
        self._id = exchange_id
        self._request = request
        self._principal = principal
        self._connection = connection
        self._mask_text = mask_text
        self.outcome = "pending"
        self.refused_for = ""
        self.base: dict[str, object] = {
            **BLANK,
            "exchange_id": exchange_id,
            "connection": connection,
            "principal_issuer": principal.issuer,
            "principal_subject": principal.subject,
            "principal_groups": list(principal.groups),
            "client_id": principal.client_id,
            "peer": request.peer,
            "user_agent": request.user_agent,
            "http_method": request.method,
            "http_path": request.path,
            "mcp_protocol_version": first(request.headers, b"mcp-protocol-version").decode("latin-1"),
            "attributes": _attributes(request, principal),
        }

    def in_session(self, mcp_session_id: str) -> None:
        """From here on the frames belong to the session that the protocol calls so."""
        self.base["mcp_session_id"] = mcp_session_id
        self.base["session_id"] = session_id(self._connection, self._principal, mcp_session_id)

    def asked(self, frame: Draft, said: Look) -> None:
        """Facts of the request frame; method, tool and resource stay on all frames of the exchange."""
        asked = quiet_look(frame.body) if said is not NOTHING and frame.redactions else said
        self.base |= {"method": asked.method, "tool": asked.tool, "resource": asked.resource}
        if asked.meta_version and not self.base["mcp_protocol_version"]:
            self.base["mcp_protocol_version"] = asked.meta_version
        frame.facts |= {
            "content_type": first(self._request.headers, b"content-type").decode("latin-1"),
            "jsonrpc_type": asked.kind,
            "jsonrpc_id": asked.id,
        }
        own = str(self.base["mcp_session_id"]).encode("latin-1")  # without its seal, which is a credential
        headers = [(n, own) if n == b"mcp-session-id" and own else (n, v) for n, v in self._request.headers]
        self._add_masked(frame, "http_headers", header_rules.written_down(headers))
        self._add_masked(frame, "user_agent", self._request.user_agent)
        self.base["user_agent"] = frame.facts["user_agent"]
        if asked.method == "initialize" and not self.base["mcp_session_id"]:
            # the session that it opens has no id yet, and it is no part of the one without id (decision 0002)
            frame.facts["session_id"] = session_id(self._connection, self._principal, f"opens {self._id}")
        if self._request.query:
            self._add_masked(frame, "http_path", self._request.path)
            self.base["http_path"] = frame.facts["http_path"]

    def judged(self, ruling: Ruling) -> None:
        """From here on the frames carry the verdict."""
        self.base["verdict"] = ruling.verdict.action
        self.base["rule"] = ruling.verdict.rule
        self.base["policy_version"] = ruling.version
        if ruling.attributes:
            self.add(ruling.attributes)

    def add(self, attributes: dict[str, str]) -> None:
        """Further facts, on all frames from here on."""
        known = self.base["attributes"]
        self.base["attributes"] = dict(sorted({**known, **attributes}.items()))  # type: ignore[dict-item]

    def add_written(self, attributes: Mapping[str, str]) -> None:
        """Further facts in the client's own words, which may hold a secret: masked. One look at all of them is
        enough where there is none."""
        try:
            if self._mask_text("\n".join(attributes.values()))[1]:
                attributes = {name: self._masked(text) for name, text in attributes.items()}
        except MaskingFailedError:
            attributes = dict.fromkeys(attributes, "[not masked, so not kept]")
        self.add(dict(attributes))

    def _masked(self, text: str) -> str:
        masked, found = self._mask_text(text)
        return masked if found else text

    def refused(self, frame: Draft, refused: Refused) -> None:
        """The request frame says that, and why, nothing follows."""
        refusal = REFUSALS[refused.reason_code]
        frame.facts |= {
            "http_status": refusal.status,
            "reason_code": refused.reason_code,
            "reason": refusal.told(refused.detail),
        }
        self.finish(frame, "refused")

    def head(self, frame: Draft, head: Head) -> None:
        """The frame carries the head of upstream's answer."""
        self._add_masked(frame, "http_headers", header_rules.written_down(head.headers))

    def answered(self, head: Head) -> None:
        """From here on the frames carry the answer's status."""
        self.base["http_status"] = head.status
        self.base["content_type"] = first(head.headers, b"content-type").decode("latin-1")

    def finish(self, draft: Draft, outcome: str) -> Draft:
        """The exchange has ended so, as far as is known with this frame."""
        self.outcome = outcome
        draft.facts["outcome"] = outcome
        if outcome in ("refused", "withheld"):
            self.refused_for = str(draft.facts.get("reason_code", ""))
        return draft

    def end(
        self, outcome: str, reason_code: str, status: int, detail: str = "", *, late: bool = False
    ) -> Draft:
        """A frame that says only how the exchange ended. `late`: upstream has got the request before."""
        refusal = REFUSALS.get(reason_code)
        end = Draft("end")
        end.facts |= {
            "http_status": status or self.base["http_status"],
            "reason_code": reason_code,
            "reason": refusal.told(detail, late) if refusal else with_detail(CLIENT_GONE, detail),
        }
        return self.finish(end, outcome)

    def _add_masked(self, frame: Draft, name: str, text: str) -> None:
        """A field other than the body, masked; its redactions stand on the frame with the field as their path."""
        try:
            frame.facts[name], found = self._mask_text(text)
        except MaskingFailedError:
            frame.facts[name], found = "[not masked, so not kept]", []
        if found:
            hidden: list[Redaction] = [{**each, "path": name, "start": -1, "end": -1} for each in found]
            frame.redactions = [*frame.redactions, *hidden]


def answer_facts(said: Look) -> dict[str, object]:
    """What a body of upstream says of itself."""
    facts: dict[str, object] = {"jsonrpc_type": said.kind, "jsonrpc_id": said.id}
    if said.kind in ("request", "notification"):  # upstream asks or tells the client
        facts |= {"method": said.method, "tool": said.tool, "resource": said.resource}
    else:
        facts |= {"jsonrpc_error": said.error_code, "tool_is_error": said.is_error}
    return facts


def verdict_facts(verdict: Verdict) -> dict[str, object]:
    """The verdict on this frame alone."""
    return {
        "verdict": verdict.action,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "reason_code": verdict.reason_code,
    }


def quiet_look(body: bytes) -> Look:
    """Facts of an answer; one that cannot be looked into has none, and passes as it is."""
    try:
        return look(body) if body else NOTHING
    except TooDeepError:
        return NOTHING


def _attributes(request: Request, principal: Principal) -> dict[str, str]:
    """Names in order, as the record keeps them."""
    facts = {
        "credential.id": principal.credential if principal.issuer else "",
        "forwarded": request.claimed_origin,
        "parent.exchange_id": caused_by(first(request.headers, b"user-agent")),
        "principal.email": principal.email,
        "purpose": principal.purpose,
        "trace.id": request.trace_id,
    }
    return {name: value for name, value in facts.items() if value}
