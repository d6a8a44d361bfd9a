"""What a user expects of a policy: files that name calls and the verdicts on them, and how they compare.

policy: ../policy.yaml
given: {connection: {name: prod}, principal: {subject: alice, groups: [dev]}}
expect:
  - name: developers delete nothing
    call: {tool: pods_delete, arguments: {name: web-0}}
    verdict: deny
    rule: kubernetes/destructive-tool
  - name: and not at the API server either
    call: {kubernetes: DELETE /api/v1/namespaces/prod/pods}
    verdict: deny
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, get_args

from gateway import kubernetes
from gateway.effects import Request
from gateway.kubernetes.written import request_of
from gateway.policy import (
    Around,
    Policy,
    PolicyError,
    Problem,
    UnreadableError,
    Verdict,
    calls_of,
    load_policy,
)
from gateway.policy.facts import Call, ConnectionFacts, HttpFacts, PrincipalFacts, SessionFacts
from gateway.policy.problems import did_you_mean
from gateway.policy.source import Document, Loc, Value, parse
from gateway.policy.verdict import Action
from gateway.rules import worst

_GIVEN: Final = ("principal", "connection", "http", "session", "annotations", "state", "now")
_CALL: Final = ("tool", "arguments", "request", "body", "kubernetes", "content_type", "impersonate", *_GIVEN)
_EXPECTED: Final[tuple[str, ...]] = ("verdict", "rule", "reason_code", "reviewers", "mask")
_KINDS: Final[dict[str, Any]] = {
    "principal": PrincipalFacts,
    "connection": ConnectionFacts,
    "http": HttpFacts,
    "session": SessionFacts,
}
UNREADABLE: Final = Verdict("deny", "", "the request cannot be read without doubt", "unreadable_request")


@dataclass(frozen=True, slots=True)
class Expectation:
    """One call and what is expected of its verdict, by field."""

    file: Path
    line: int
    name: str
    body: bytes
    around: Around
    expected: dict[str, Any]
    kubernetes: Request | None = None

    def calls(self) -> list[Call]:
        """The calls to judge. Raises UnreadableError."""
        found = calls_of(self.body, self.around)
        if self.kubernetes is not None:
            try:
                found[0].kubernetes = kubernetes.read(self.kubernetes, self.around.connection.name).facts
            except kubernetes.NotReadError as error:
                raise UnreadableError(str(error)) from None
        return found

    def differences(self, policy: Policy) -> tuple[Verdict, list[tuple[str, Any, Any]]]:
        """The verdict, and each field that is not as expected: (field, expected, got)."""
        try:
            verdict = worst([policy.judge(call) for call in self.calls()])
        except UnreadableError as error:
            verdict = replace(UNREADABLE, reason=str(error))
        got = {"verdict": verdict.action, "rule": verdict.rule, "reason_code": verdict.reason_code}
        got |= {"reviewers": list(verdict.reviewers), "mask": verdict.mask}  # type: ignore[dict-item]
        return verdict, [
            (key, wanted, got[key]) for key, wanted in self.expected.items() if got[key] != wanted
        ]


@dataclass(frozen=True, slots=True)
class Expectations:
    """One file: the policy it is about, and what it expects."""

    file: Path
    policy: Policy
    cases: tuple[Expectation, ...]


def expectation_files(folder: Path) -> list[Path]:
    """The files in `folder` and below that hold expectations: YAML with `expect` at the top. Sorted."""
    files = sorted(each for each in folder.rglob("*") if each.suffix in (".yaml", ".yml") and each.is_file())
    return [each for each in files if "\nexpect:" in "\n" + each.read_text("utf-8", "replace")]


def read_expectations(file: Path) -> Expectations:
    """The expectations in `file`. Raises PolicyError for those, or for the policy, that cannot be read."""
    document = parse(file.read_text("utf-8", "replace"))
    content = document.value if isinstance(document.value, dict) else {}
    _known(document, (), content, ("policy", "given", "expect"))
    named = content.get("policy")
    given = _around(document, ("given",), content.get("given") or {}, Around())
    cases = tuple(_cases(document, file, content.get("expect"), given))
    if not isinstance(named, str):
        document.fault((), "`policy` must name the policy file, from this file's folder")
    if document.problems:
        raise PolicyError(file, document.problems)
    return Expectations(file, load_policy(file.parent / str(named)), cases)


def _cases(document: Document, file: Path, listed: Value, given: Around) -> Iterator[Expectation]:
    if not isinstance(listed, list) or not listed:
        document.fault(("expect",), "`expect` must be a list of calls and their verdicts")
        return
    for index, item in enumerate(listed):
        loc: Loc = ("expect", index)
        if not isinstance(item, dict):
            document.fault(loc, "must have `name`, `call` and `verdict`")
            continue
        _known(document, loc, item, ("name", "call", *_EXPECTED))
        if item.get("verdict") not in get_args(Action):
            document.fault((*loc, "verdict"), "`verdict` must be allow, deny or hold")
        call, at = item.get("call"), (*loc, "call")
        if not isinstance(call, dict):
            document.fault(
                at,
                "`call` must say what is called: {tool: …, arguments: …}, {request: …}, {body: …} or {kubernetes: …}",
            )
            continue
        _known(document, at, call, _CALL)
        around = _around(document, at, {key: call[key] for key in call if key in _GIVEN}, given)
        expected: dict[str, Any] = {key: item[key] for key in _EXPECTED if key in item}
        name = str(item.get("name", f"number {index + 1}"))
        line = document.place(loc)[0]
        if "kubernetes" in call:
            asked = _kubernetes(document, at, call)
            yield Expectation(file, line, name, b"", _on_cluster(around, asked), expected, asked)
        else:
            yield Expectation(file, line, name, _body(call), around, expected)


def _kubernetes(document: Document, loc: Loc, call: dict[str, Value]) -> Request | None:
    """A request to an API server: `METHOD PATH?QUERY`, with the text of its body, its type, a user to act as."""
    more = {key: call[key] for key in ("body", "content_type", "impersonate") if key in call}
    if not all(isinstance(each, str) for each in more.values()):
        document.fault(loc, "`body`, `content_type` and `impersonate` are text")
        return None
    try:
        return request_of(str(call["kubernetes"]), **{key: str(value) for key, value in more.items()})
    except kubernetes.NotReadError as error:
        document.fault((*loc, "kubernetes"), str(error))
        return None


def _on_cluster(around: Around, asked: Request | None) -> Around:
    """`around` as it is for such a request."""
    connection = replace(around.connection, kind="kubernetes")
    if asked is None:
        return replace(around, connection=connection)
    http = replace(around.http, method=asked.method, path=asked.target, query=asked.query)
    return replace(around, connection=connection, http=http)


def _body(call: dict[str, Value]) -> bytes:
    """The request's bytes: given as they are, as a JSON-RPC message without its ceremony, or as a tool call."""
    if "body" in call:
        return str(call["body"]).encode()
    request = call.get("request")
    if "tool" in call:
        request = {
            "method": "tools/call",
            "params": {"name": call["tool"], "arguments": call.get("arguments") or {}},
        }
    if request is None:
        return b""
    if isinstance(request, dict):
        ceremony: dict[str, Value] = {"jsonrpc": "2.0"}
        if not str(request.get("method", "")).startswith("notifications/"):
            ceremony["id"] = 1
        request = {**ceremony, **request}
    return json.dumps(request).encode()


def _around(document: Document, loc: Loc, given: Value, before: Around) -> Around:
    """`before` with the facts that `given` names."""
    if not isinstance(given, dict):
        document.fault(loc, "must name facts: principal, connection, http, session, annotations, state, now")
        return before
    _known(document, loc, given, _GIVEN)
    changed: dict[str, Any] = {}
    for key, kind in _KINDS.items():
        if key in given:
            changed[key] = _facts(document, (*loc, key), given[key], getattr(before, key), kind)
    if "now" in given:
        changed["now"] = _now(document, (*loc, "now"), given["now"])
    if "annotations" in given or "state" in given:
        annotations, state = given.get("annotations") or {}, given.get("state", "pinned")
        changed["tools"] = lambda _name: (annotations, state)
    return replace(before, **changed)


def _facts(document: Document, loc: Loc, given: Value, before: Any, kind: Any) -> Any:
    if not isinstance(given, dict):
        document.fault(loc, f"`{loc[-1]}` must be its fields")
        return before
    _known(document, loc, given, tuple(kind.__dataclass_fields__))
    known = {key: value for key, value in given.items() if key in kind.__dataclass_fields__}
    return replace(before, **{key: tuple(v) if isinstance(v, list) else v for key, v in known.items()})


def _now(document: Document, loc: Loc, value: Value) -> float:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        document.fault(loc, "`now` must be an ISO time with its zone, as 2026-07-28T12:00:00Z")
        return 0.0


def _known(document: Document, loc: Loc, fields: dict[str, Value], known: tuple[str, ...]) -> None:
    for key in fields:
        if key not in known:
            document.problems.append(
                Problem(
                    *document.place((*loc, key), key=True),
                    f"there is no `{key}` here{did_you_mean(key, known)}",
                )
            )
