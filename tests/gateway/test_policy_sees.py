"""Policy judges exactly what upstream receives, however a request is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.counters import SessionCounters
from gateway.effects import Answer, Forward, Record
from gateway.endings import Terms
from gateway.exchange import Exchange
from gateway.policy import Call, Policy, Verdict, load_policy
from gateway.policy.facts import ConnectionFacts
from gateway.rules import Rules
from gateway.settings import Limits, ToolSettings
from gateway.tools import ToolBook
from tests.gateway.playbook import ALICE, ID, mask, mask_text, request

RULES = """
default: allow
rules:
  - {name: named, when: "tool.name == 'delete'", deny: "no"}
  - {name: argued, when: "has(tool.arguments.kind) && tool.arguments.kind == 'Secret'", deny: "no"}
  - {name: listed, when: "mcp.method == 'resources/read' && mcp.resource.startsWith('secret://')", deny: "no"}
"""
words = st.sampled_from(
    ["delete", "get", "kind", "Secret", "namespace", "sécret", "a\u200bb", "\U0001f600", "x/y"]
)
scalars = words | st.integers(-(2**53), 2**53) | st.booleans() | st.none() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
arguments = st.dictionaries(words, values, max_size=4)
calls = st.one_of(
    st.builds(lambda tool, args: ("tools/call", {"name": tool, "arguments": args}), words, arguments),
    st.builds(lambda uri: ("resources/read", {"uri": uri}), st.sampled_from(["secret://a", "file:///b"])),
    st.builds(lambda name: ("prompts/get", {"name": name}), words),
)


class Watched(Policy):
    """A real policy that remembers what it was asked."""

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy.rules, policy.default, policy.version)
        self.asked: list[Call] = []

    def judge(self, call: Call) -> Verdict:
        self.asked.append(call)
        return super().judge(call)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    file = Path(tmp_path_factory.mktemp("policy")) / "policy.yaml"
    file.write_text(RULES, encoding="utf-8")
    return load_policy(file)


def lived(policy: Policy, body: bytes) -> tuple[list[Call], Forward | None, list[Any]]:
    """What policy was asked, what was forwarded, and what the request's record says, for one request."""
    watched = Watched(policy)
    facts = ConnectionFacts("demo")
    rules = Rules(
        facts,
        lambda: watched,
        book=ToolBook("demo", {}),
        tools=ToolSettings(),
        counters=SessionCounters(),
        seals=None,
        clock=lambda: 0.0,
    )
    exchange = Exchange(
        ID, request(body), ALICE, Terms("demo", mask, mask_text, Limits(), lambda _: mask, rules)
    )
    life = exchange.life()
    effect = next(life)
    said: list[Any] = []
    while True:
        if isinstance(effect, Record):
            said += [draft.facts for draft in effect.frames]
            effect = life.send(True)
        else:
            assert isinstance(effect, Forward | Answer)
            return (
                watched.asked,
                effect if isinstance(effect, Forward) else None,
                [exchange.base["verdict"], *said],
            )


def written(method: str, params: dict[str, Any], style: Callable[[Any], str], first: str) -> bytes:
    """The request in one of its many writings."""
    members = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return style({first: members[first], **members}).encode()


def shuffled(value: Any, turn: int) -> Any:
    """The same value with the keys of its objects in another order."""
    if isinstance(value, dict):
        names = sorted(value, reverse=bool(turn % 2))
        return {name: shuffled(value[name], turn // 2) for name in names}
    return [shuffled(each, turn) for each in value] if isinstance(value, list) else value


def escaped(value: Any) -> str:
    """JSON in which every character of every string is an escape."""
    text = json.dumps(value)
    out, inside, place = [], False, 0
    while place < len(text):
        char = text[place]
        if char == '"':
            inside = not inside
            out.append(char)
        elif inside and char == "\\":
            size = 6 if text[place + 1] == "u" else 2
            out.append(text[place : place + size])
            place += size - 1
        else:
            out.append(f"\\u{ord(char):04x}" if inside else char)
        place += 1
    return "".join(out)


STYLES = [json.dumps, lambda v: json.dumps(v, ensure_ascii=False), lambda v: json.dumps(v, indent=2), escaped]
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@many
@given(calls, st.sampled_from(STYLES), st.sampled_from(["id", "method", "params"]))
def test_policy_saw_what_upstream_receives(
    policy: Policy, call: tuple[str, dict[str, Any]], style: Callable[[Any], str], first: str
) -> None:
    asked, forward, _ = lived(policy, written(*call, style, first))
    (judged,) = asked
    method, params = call
    assert judged.mcp.method == method
    if method == "tools/call":
        assert (judged.tool.name, dict(judged.tool.arguments)) == (params["name"], params["arguments"])
    else:
        assert judged.mcp.resource == params.get("uri", params.get("name"))
    if forward is not None:
        received = json.loads(forward.body)
        assert (received["method"], received["params"]) == (judged.mcp.method, params)
        assert (forward.method, judged.http.method, judged.http.path) == ("POST", "POST", "/mcp/demo")


@many
@given(calls, st.integers(0, 7), st.sampled_from(STYLES), st.sampled_from(["id", "method", "params"]))
def test_no_verdict_depends_on_the_order_of_keys_or_on_escapes(
    policy: Policy,
    call: tuple[str, dict[str, Any]],
    turn: int,
    style: Callable[[Any], str],
    first: str,
) -> None:
    method, params = call
    plain = lived(policy, written(method, params, json.dumps, "id"))
    other = lived(policy, written(method, shuffled(params, turn), style, first))
    assert plain[2][0] == other[2][0]
    assert (plain[1] is None) == (other[1] is None)


@many
@given(calls, st.sampled_from(["method", "params", "id"]))
def test_abuse_55_a_name_that_stands_twice_is_refused_before_policy_is_asked(
    policy: Policy, call: tuple[str, dict[str, Any]], twice: str
) -> None:
    text = written(*call, json.dumps, "id").decode()
    value = json.loads(text)[twice]
    doubled = text[:-1] + f', "{twice}": {json.dumps(value)}}}'
    assume(json.loads(doubled))
    asked, forward, said = lived(policy, doubled.encode())
    assert (asked, forward) == ([], None)
    assert said[1]["reason_code"] == "json_duplicate_key"
