"""Records of topic `audit` to observations: one for each call of an exchange, when it is answered or refused.

The request says what is asked for, the answer what came of it; `begun` makes drafts of the one, `ended` finishes them
with the other. An exchange whose request is not known gives an observation of what its answer says alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from processors.anomaly.kubernetes_calls import is_discovery, is_kubernetes, seen_in
from processors.anomaly.observation import Observation, Outcome
from processors.anomaly.touched import Touched, texts_of, touched
from processors.anomaly.words import asks_for_credentials, is_minting, is_sensitive
from schemas.frames import FrameAudited

CALLS_MAX = 50
"""Calls of one batch that are looked at."""

PSEUDONYMS_MAX = 32
_REFUSAL_BYTES = 4_096
_SECRET_RULE = "kubernetes-secret"
_REFUSING_STATUS = frozenset({401, 403})
_REFUSING_WORDS = (b"forbidden", b"unauthorized", b"permission denied", b"access denied", b"accessdenied")


def observations_of(request: FrameAudited | None, answers: Sequence[FrameAudited]) -> list[Observation]:
    """The calls of an exchange from its request and what answered it, in the order they were recorded."""
    if request is not None and is_over(request):
        return finished(begun(request), request)
    drafts = begun(request) if request is not None else []
    for answer in answers:
        if not drafts:
            drafts = begun(answer)
        drafts = grown(drafts, answer)
        if is_over(answer):
            return finished(drafts, answer)
    return []


def is_over(frame: FrameAudited) -> bool:
    """Whether this frame is the answer, or says that there will be none."""
    if frame["outcome"] != "pending":
        return True
    return frame["direction"] == "response" and frame["jsonrpc_type"] in ("response", "error", "batch")


def begun(frame: FrameAudited) -> list[Observation]:
    """Drafts of the calls that a request frame holds; of another frame, of what it says about its request."""
    base = _base(frame)
    if is_kubernetes(frame["attributes"]):
        return [seen_in(base, frame["attributes"], frame["http_path"])]
    if frame["direction"] != "request" or frame["parts"] > 1:
        return [_call(base, frame["method"], {"name": frame["tool"], "uri": frame["resource"]})]
    found = _decoded(frame["body"])
    members = found if isinstance(found, list) else [found]
    calls = [
        _member(base, each) for each in members[:CALLS_MAX] if isinstance(each, Mapping) and "method" in each
    ]
    return calls or [_call(base, frame["method"], {"name": frame["tool"], "uri": frame["resource"]})]


def grown(drafts: list[Observation], answer: FrameAudited) -> list[Observation]:
    """The drafts with the size and the redactions of an answer's frame; of a batch, on its first call."""
    first, *others = drafts
    redactions = [*answer["redactions"], *answer["deep_redactions"]]
    known = dict.fromkeys([*first.pseudonyms, *(each["pseudonym"] for each in redactions)])
    secret = any(each["rule"] == _SECRET_RULE for each in redactions)
    kept = replace(
        first,
        response_bytes=first.response_bytes + answer["body_bytes"],
        redactions=first.redactions + len(redactions),
        pseudonyms=tuple(known)[:PSEUDONYMS_MAX],
        sensitive=first.sensitive or secret,
    )
    return [kept, *others]


def finished(drafts: list[Observation], frame: FrameAudited) -> list[Observation]:
    """The drafts as observations: when and how it ended. `frame` is the one that is over. What a client asks an API
    server about itself is none, unless it is refused: kubectl asks dozens of times for one command."""
    outcome = outcome_of(frame)
    if outcome == "ok" and is_discovery(frame["attributes"]):
        return []
    asked = frame["verdict"] == "hold" and frame["direction"] == "request"
    return [
        replace(each, at=frame["recorded_at"], outcome=outcome, approval_asked=asked or each.approval_asked)
        for each in drafts
    ]


def held(drafts: list[Observation], frame: FrameAudited) -> list[Observation]:
    """That the calls wait for a person; what comes of them is observed when it does."""
    return [replace(each, at=frame["recorded_at"], outcome="held", approval_asked=True) for each in drafts]


def outcome_of(frame: FrameAudited) -> Outcome:
    """How the exchange ended, by the frame that is over."""
    if frame["verdict"] == "deny":
        return "denied"
    if frame["outcome"] == "refused":
        return "held" if frame["verdict"] == "hold" else "denied"
    if frame["outcome"] in ("withheld", "upstream_failed", "timed_out", "client_gone"):
        return "error"
    if frame["http_status"] in _REFUSING_STATUS:
        return "denied"
    failed = frame["tool_is_error"] or frame["jsonrpc_error"] is not None or frame["http_status"] >= 400
    if not failed:
        return "ok"
    said = frame["body"][:_REFUSAL_BYTES].lower()
    return "denied" if any(word in said for word in _REFUSING_WORDS) else "failed"


def _base(frame: FrameAudited) -> Observation:
    subject = frame["principal_subject"]
    agent = frame["user_agent"].partition("/")[0].partition(" ")[0].lower()
    return Observation(
        at=frame["recorded_at"],
        principal=f"{frame['principal_issuer']}|{subject}" if subject else "",
        groups=tuple(frame["principal_groups"]),
        client=frame["client_id"] or agent,
        address=frame["peer"].rpartition(":")[0].strip("[]"),
        connection=frame["connection"],
        session_id=frame["session_id"],
        method=frame["method"],
        request_bytes=frame["body_bytes"] if frame["direction"] == "request" else 0,
        tool_changed="changed" in frame["attributes"].get("tool.state", "").split(","),
        frame_id=frame["frame_id"],
    )


def _member(base: Observation, message: Mapping[str, Any]) -> Observation:
    params = message.get("params")
    return _call(base, str(message["method"]), params if isinstance(params, Mapping) else {})


def _call(base: Observation, method: str, params: Mapping[str, Any]) -> Observation:
    tool = str(params.get("name") or "") if method == "tools/call" else ""
    arguments = params.get("arguments")
    arguments = arguments if isinstance(arguments, Mapping) else {}
    if method == "resources/read":
        uri = str(params.get("uri") or "").partition("?")[0]
        return replace(base, method=method, verb="get", object=uri, sensitive=is_sensitive("", "", uri))
    if not tool:
        return replace(base, method=method)
    about = touched(tool, arguments)
    return replace(
        base,
        method=method,
        tool=tool,
        verb=about.verb,
        object=about.object,
        namespace=about.namespace,
        sensitive=_reads_secrets(about, tool),
        minted=is_minting(about.kind, about.verb, tool, about.command),
        prompt=asks_for_credentials(texts_of(arguments)),
    )


def _reads_secrets(about: Touched, tool: str) -> bool:
    return about.verb != "delete" and is_sensitive(about.kind, tool, f"{about.object} {about.command}")


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
