"""Verdicts: first match wins, what cannot be computed denies, and how it is computed changes nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.policy import Around, Call, Condition, ConditionError, Policy, Verdict, calls_of, read_policy
from gateway.policy.conditions import FailedError
from gateway.policy.contexts import CHARACTERS_MAX, ELEMENTS_MAX, Plan
from gateway.policy.engine import UNFIT, failed
from gateway.policy.facts import ConnectionFacts, HttpFacts, McpFacts, PrincipalFacts, SessionFacts, ToolFacts

FILE = Path("policy.yaml")
ALICE = PrincipalFacts("https://issuer", "alice", ("sre", "dev"), "cli", "alice@example.com", "incident 7")
NOON_TUESDAY = 1_700_568_000.0  # 2023-11-21 12:00 UTC


def policy_of(*conditions: str, default: str = "allow") -> Policy:
    """Rules r0, r1, … that deny."""
    rules = [{"name": f"r{index}", "when": when, "deny": "no"} for index, when in enumerate(conditions)]
    return read_policy(json.dumps({"default": default, "rules": rules}), FILE)


def call(arguments: dict[str, Any] | None = None, tool: str = "pods_list", **facts: Any) -> Call:
    base = Call(
        principal=ALICE,
        connection=ConnectionFacts("prod", labels={"env": "prod"}),
        mcp=McpFacts("tools/call"),
        tool=ToolFacts(tool, arguments or {}, {"readOnlyHint": True}),
        http=HttpFacts("POST", "/mcp/prod"),
        session=SessionFacts("s", calls=3),
        now=NOON_TUESDAY,
    )
    return replace(base, **facts)


def one_by_one(policy: Policy, asked: Call) -> Verdict:
    """What judging is to give: each condition by itself, in order, with nothing shared and nothing ruled out."""
    for rule in policy.rules:
        needs = rule.condition.needs
        context, unfit = Plan(needs.paths, needs.functions).build(asked)
        if not unfit.isdisjoint(needs.paths):
            return failed(rule, UNFIT)
        try:
            if rule.condition.compute(context):
                return rule.verdict
        except FailedError as error:
            return failed(rule, str(error))
    return policy.default


TERMS = (
    "tool.name == 'a'",
    "'b' == tool.name",
    "tool.name != 'a'",
    "tool.name in ['a', 'c']",
    "tool.name.startsWith('a')",
    "tool.name.endsWith('b')",
    "tool.name.contains('x')",
    "tool.name.matches('^[ab]$')",
    "mcp.method == 'tools/call'",
    "mcp.batch",
    "'sre' in principal.groups",
    "principal.groups.exists(g, g == 'dev')",
    "has(tool.arguments.k)",
    "'k' in tool.arguments",
    "tool.arguments.k == 'v'",
    "tool.arguments.k != 'v'",
    "tool.arguments.k in ['v', 'w']",
    "tool.arguments.k.startsWith('v')",
    "tool.arguments.k > 3",
    "tool.arguments.n.deep == 1",
    "tool.arguments.k",
    "tool.arguments.exists(key, key == 'n')",
    "tool.annotations.readOnlyHint",
    "tool.annotations.nothing",
    "connection.labels.env == 'prod'",
    "has(connection.labels.owner)",
    "time.hour == 12",
    "now > timestamp('2020-01-01T00:00:00Z')",
    "size(tool.arguments) > 1",
    "session.calls > 2",
    "kubernetes.verb == 'get'",
    "tool.arguments['k'] == 'v'",
    "sql_verbs(tool.name).exists(v, v == 'A')",
    "path_within(tool.name, '/a')",
    "name_parts(tool.name).exists(part, part == 'b')",
    "shell_commands(tool.arguments.k).exists(command, 'v' in command)",
    "true",
)
conditions = st.recursive(
    st.sampled_from(TERMS),
    lambda inner: st.one_of(
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("{} && {}".format, st.sampled_from(TERMS), st.sampled_from(TERMS)),
        st.builds("({}) || ({})".format, inner, inner),
        st.builds("!({})".format, inner),
        st.builds("({}) ? ({}) : ({})".format, inner, inner, inner),
    ),
    max_leaves=6,
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["v", "w", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["deep", "k"]), inner, max_size=2)
    ),
    max_leaves=5,
)
requests = st.builds(
    call,
    st.dictionaries(st.sampled_from(["k", "n", "other"]), values, max_size=3),
    st.sampled_from(["a", "b", "ax", "xb", "", "a\u0301"]),
)


@settings(deadline=None)  # for a busy machine
@given(st.lists(conditions, min_size=1, max_size=6), requests)
@example(["tool.arguments.k != 'v'", "tool.arguments.k in ['v']"], call({"k": 2**70}))
@example(["tool.name == 'b' && tool.arguments.k > 3"], call({"k": "v"}, "a"))
def test_judging_gives_what_asking_rule_by_rule_gives(texts: list[str], asked: Call) -> None:
    policy = policy_of(*texts)
    wanted, verdict = one_by_one(policy, asked), policy.judge(asked)
    if wanted.reason.endswith(UNFIT):
        # what cannot be given to a condition fails it, but for one that is false whatever that is
        assert verdict == wanted or _false_whatever(policy, wanted.rule, asked)
    else:
        assert verdict == wanted


def _false_whatever(policy: Policy, name: str, asked: Call) -> bool:
    rule = next(rule for rule in policy.rules if rule.name == name)
    return not all(guard(asked) for guard in rule.condition.guards) or _other_tool(policy, name, asked)


def _other_tool(policy: Policy, name: str, asked: Call) -> bool:
    needs = next(rule for rule in policy.rules if rule.name == name).condition.needs
    return needs.tools is not None and asked.tool.name not in needs.tools


def escaped(text: str) -> str:
    """A JSON string with every character as an escape."""
    units = text.encode("utf-16-be", "surrogatepass")
    return '"' + "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)) + '"'


def written(value: Any, *, reverse: bool, escape: bool) -> str:
    """JSON of `value`, its keys turned round and its texts escaped if asked."""
    if isinstance(value, dict):
        items = list(value.items())
        pairs = (
            f"{written(key, reverse=reverse, escape=escape)} : {written(item, reverse=reverse, escape=escape)}"
            for key, item in (reversed(items) if reverse else items)
        )
        return "{" + " , ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(item, reverse=reverse, escape=escape) for item in value) + "]"
    return escaped(value) if isinstance(value, str) and escape else json.dumps(value)


@settings(deadline=None)  # for a busy machine
@given(st.lists(conditions, min_size=1, max_size=5), requests)
def test_abuse_56_no_verdict_depends_on_the_order_of_keys_or_on_escapes(
    texts: list[str], asked: Call
) -> None:
    policy = policy_of(*texts)
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": asked.tool.name or "a", "arguments": dict(asked.tool.arguments)},
    }
    around = Around(asked.principal, asked.connection, asked.http, asked.session, now=asked.now)
    verdicts = set()
    for reverse in (False, True):
        for escape in (False, True):
            text = written(body, reverse=reverse, escape=escape)
            seen = calls_of(text.encode(), around)
            assert seen[0].tool.arguments == body["params"]["arguments"]  # type: ignore[index]
            verdicts.add(policy.judge(seen[0]))
    assert len(verdicts) == 1


def test_the_first_rule_that_matches_decides() -> None:
    policy = policy_of("tool.name == 'other'", "tool.name == 'pods_list'", "true")
    assert policy.judge(call()).rule == "r1"


@pytest.mark.parametrize(
    ("default", "action", "code"), [("allow", "allow", ""), ("deny", "deny", "policy_denied")]
)
def test_where_no_rule_matches_the_default_decides(default: str, action: str, code: str) -> None:
    verdict = policy_of("false", default=default).judge(call())
    assert (verdict.action, verdict.rule, verdict.reason_code) == (action, "default", code)


@pytest.mark.parametrize(
    ("when", "arguments", "why"),
    [
        ("tool.arguments.a == 'x'", {}, "`a` is not there; test it with has() first"),
        (
            "tool.arguments.a > 3",
            {"a": "text"},
            "an operator or function got a value of a kind that it does not take",
        ),
        ("tool.arguments.a", {"a": "text"}, "it gave neither true nor false"),
        ("tool.arguments.a[3] == 1", {"a": [1]}, "a list has no such member"),
        ("1 / tool.arguments.a == 1", {"a": 0}, "a division by zero or a number out of range"),
        (
            "tool.arguments.a == 1",
            {"a": 2**64},
            "what it looks at is too large, holds a number of more than 64 bits, or could not be decoded",
        ),
        ("sql_verbs(tool.arguments.a) == []", {"a": 5}, "a function could not be computed"),
    ],
)
def test_a_condition_that_cannot_be_computed_denies_and_says_why(when: str, arguments: Any, why: str) -> None:
    verdict = policy_of("false", when, "true").judge(call(arguments))
    assert (verdict.action, verdict.rule, verdict.reason_code) == ("deny", "r1", "policy_failed")
    assert verdict.reason == f"the condition of rule r1 could not be computed: {why}"


def test_the_reason_of_a_failure_never_shows_what_the_request_brought() -> None:
    policy = policy_of("tool.arguments.map[tool.arguments.key] == 1 || int(tool.arguments.key) == 1")
    verdict = policy.judge(call({"map": {}, "key": "hunter2"}))
    assert verdict.reason_code == "policy_failed"
    assert "hunter2" not in verdict.reason


@pytest.mark.parametrize(
    "arguments",
    [{"bulk": [0] * (ELEMENTS_MAX + 1)}, {"bulk": "x" * (CHARACTERS_MAX + 1)}, {"bulk": 10**30}],
    ids=["elements", "characters", "number"],
)
def test_arguments_over_the_limits_fail_only_the_rules_that_look_at_them(arguments: dict[str, Any]) -> None:
    assert (
        policy_of("has(tool.arguments.small) && tool.arguments.small == 1").judge(call(arguments)).rule
        == "default"
    )
    assert policy_of("'bulk' in tool.arguments && tool.name == 'x'").judge(call(arguments)).rule == "default"
    assert (
        policy_of("has(tool.arguments.bulk) && size(tool.arguments.bulk) > 0")
        .judge(call(arguments))
        .reason_code
        == "policy_failed"
    )
    assert policy_of("size(tool.arguments) > 0").judge(call(arguments)).reason_code == "policy_failed"


def test_text_that_is_no_unicode_fails_only_the_rules_that_look_at_it() -> None:
    odd = replace(ALICE, email="\ud800@example.com")
    assert policy_of("principal.subject == 'alice'").judge(call(principal=odd)).rule == "r0"
    assert (
        policy_of("principal.email == 'x' || principal.subject.matches('a.*') && time.hour > 1")
        .judge(call(principal=odd))
        .reason_code
        == "policy_failed"
    )


def test_time_is_utc_and_the_week_begins_on_monday_with_1() -> None:
    policy = policy_of(
        "time.hour == 12 && time.weekday == 2 && time.date == '2023-11-21' && now.getHours() == 12"
    )
    assert policy.judge(call()).rule == "r0"


def test_every_fact_can_be_read_by_its_name() -> None:
    for when in (
        "principal.issuer == 'https://issuer' && principal.client_id == 'cli' && principal.purpose == 'incident 7'",
        "connection.name == 'prod' && connection.kind == 'mcp' && connection.labels.env == 'prod'",
        "http.method == 'POST' && http.path == '/mcp/prod' && http.query == ''",
        "session.id == 's' && session.calls == 3 && session.denied == 0 && session.secrets == 0",
        "mcp.sender == 'client' && !mcp.notification && mcp.resource == '' && mcp.task == ''",
        "tool.state == 'unknown' && tool.annotations.readOnlyHint",
    ):
        assert policy_of(when).judge(call()).rule == "r0", when


def test_obligations_come_with_the_verdict() -> None:
    text = """
default: deny
rules:
  - name: reading
    when: tool.annotations.readOnlyHint
    allow: true
    mask: strict
    result_bytes_max: 1000
    rate: {per_second: 0.5, burst: 3}
"""
    verdict = read_policy(text, FILE).judge(call())
    assert (verdict.action, verdict.mask, verdict.result_bytes_max) == ("allow", "strict", 1000)
    assert verdict.rate is not None
    assert (verdict.rate.per_second, verdict.rate.burst) == (0.5, 3)


def test_explaining_tells_each_rule_up_to_the_one_that_decides_and_what_its_parts_gave() -> None:
    policy = policy_of(
        "tool.name == 'x' && tool.arguments.missing == 1", "mcp.batch || tool.name == 'pods_list'", "true"
    )
    first, second = policy.explain(call())
    assert [(part.text, part.gave) for part in first.parts] == [
        ("tool.name == 'x'", "false"),
        ("tool.arguments.missing == 1", "failed"),
    ]
    assert (first.matched, first.failure) == (False, "")
    assert second.matched
    assert [part.gave for part in second.parts] == ["false", "true"]


@settings(deadline=None)  # for a busy machine
@given(st.lists(conditions, min_size=1, max_size=4), requests)
def test_explaining_agrees_with_judging(texts: list[str], asked: Call) -> None:
    policy = policy_of(*texts)
    verdict, last = policy.judge(asked), policy.explain(asked)[-1]
    if verdict.rule == "default":
        assert not last.matched
        assert last.rule.name == f"r{len(texts) - 1}"
    else:
        assert last.rule.name == verdict.rule
        assert bool(last.failure) == (verdict.reason_code == "policy_failed")


def test_a_condition_alone_holds_or_not_and_does_not_hold_when_it_cannot_be_computed() -> None:
    assert Condition("'sre' in principal.groups").holds(call())
    assert not Condition("'admins' in principal.groups").holds(call())
    assert not Condition("tool.arguments.nothing == 1").holds(call())
    assert not Condition("tool.arguments.big == 1").holds(call({"big": 2**64}))


def test_a_condition_alone_that_is_wrong_is_refused_with_the_place() -> None:
    with pytest.raises(
        ConditionError, match="at character 20: `principal` has no `group`; did you mean `groups`"
    ):
        Condition("'sre' in principal.group")
