"""A policy file is read whole, or refused with everything that is wrong, where it is, and what to do."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy import PolicyError, Problem, load_policy, read_policy
from gateway.policy.load import FILE_BYTES_MAX

FILE = Path("p.yaml")


def problems(text: str, profiles: list[str] | None = None) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        read_policy(text, FILE, profiles)
    return str(raised.value).splitlines()


def rule(when: str, rest: str = "deny: no") -> str:
    """A policy whose condition stands in line 5 from column 7."""
    return f"default: allow\nrules:\n  - name: a\n    when: |\n      {when}\n    {rest}\n"


def told(when: str) -> list[str]:
    return [line.removeprefix("p.yaml:") for line in problems(rule(when))]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    text = """default: maybe
pakcs: [git]
rules:
  - name: a
    when: tool.nam == 'x'
    allow: true
  - name: a
    when: size(tool.arguments)
    deny: no
    hold: {reviewers: [], reason: x}
"""
    assert problems(text) == [
        "p.yaml:1:10: must say `allow` or `deny`",
        "p.yaml:2:1: there is no `pakcs` here; did you mean `packs`?",
        "p.yaml:5:16: `tool` has no `nam`; did you mean `name`?",
        "p.yaml:7:5: a rule has one of `allow: true`, `deny: reason`, `hold: …`; "
        "this one has deny and hold; keep one",
        "p.yaml:7:11: `a` is the rule on line 4 already; take another name",
        "p.yaml:8:11: gives a number, and a condition must give true or false; compare it with something",
    ]


@pytest.mark.parametrize(
    ("when", "place", "text"),
    [
        ("tool.name = 'x'", "5:17", "`=` is not read here; compare with `==`"),
        ("mcp.batch & true", "5:17", "`&` is not read here; `and` is written `&&`"),
        ("mcp.batch and true", "5:17", "`and` stands where `&&`, `||` or the end should be"),
        ("(mcp.batch", "5:17", "the condition ends where `)` should be"),
        ("tool.name == 'x", "5:20", "the text that begins here has no closing '"),
        ("tool.name == ", "5:19", "the condition ends where a name, a text, a number or `(` should be"),
        ("principl.subject == 'x'", "5:7", "there is no `principl` here; did you mean `principal`?"),
        ("true && tool.annotation.readOnlyHint", "5:20", "`tool` has no `annotation`; did you mean `annotations`?"),
        ("tool.name.startWith('x')", "5:7", "there is no `.startWith()`; did you mean `startsWith`?"),
        ("sqlverbs(tool.name) == []", "5:7", "there is no function `sqlverbs`; did you mean `sql_verbs`?"),
        ("startsWith(tool.name, 'x')", "5:7", "`startsWith` is written after what it looks at: `x.startsWith(…)`"),
        ("tool.name", "5:7", "gives text, and a condition must give true or false; compare it with something"),
        ("mcp.batch && 'x'", "5:20", "`&&` takes true or false, and this is text"),
        ("!tool.name", "5:8", "`!` takes true or false, and this is text"),
        ("time.hour > '9'", "5:7", "compares a number with text, which are never equal"),
        ("'x' in tool.name", "5:14", "`in` looks into a list or a map, and this is text; try `.contains()`"),
        ("tool.name.matches('(')", "5:25", "is no pattern: unclosed group"),
        ("tool.name.matches(tool.name)", "5:25", "a pattern is written out as text"),
        ("principal.groups.exists(g, g.matches('x'))", "5:44", "is read anew in each round, which takes long"),
        ("has(tool)", "5:7", "`has` takes a field, as in has(tool.arguments.namespace)"),
        ("principal.groups.exists(g)", "5:7", "is written `.exists(x, condition on x)`"),
        ("principal.groups.exists(tool, true)", "5:31", "`tool` means something already"),
        ("tool.arguments.exists(k, tool.arguments[k] == 1)", "5:32", "is read anew in each round"),
        ("principal.groups.exists(g, tool.arguments.l.exists(x, x == g))", "5:34", "goes through the whole request"),
        ("tool.name.size() == 1 ? tool.name : 'x'", "5:7", "gives text, and a condition must"),
        ("path_within(tool.name)", "5:7", "`path_within` takes 2 argument(s)"),
    ],
)  # fmt: skip
def test_a_wrong_condition_is_told_with_its_place_within(when: str, place: str, text: str) -> None:
    assert any(line.startswith(f"{place}: {text}") for line in told(when)), told(when)


@pytest.mark.parametrize(
    "when",
    [
        " && ".join(["mcp.batch"] * 330),
        "tool.name == " + " + ".join(["'a'"] * 600),
        "tool.arguments" + ".a" * 1900 + " == 1",
        "(" * 60 + "true" + ")" * 60,
        "!" * 60 + "true",
        "tool.name == '" + "a" * 4096 + "'",
    ],
)
def test_a_condition_too_long_or_too_deep_to_follow_is_refused(when: str) -> None:
    assert any(word in told(when)[0] for word in ("two rules", "in a row"))


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("when: tool.name == 'x' && tool.nam == 'y'", "4:36"),
        ("when: \"tool.name == 'x' && tool.nam == 'y'\"", "4:37"),
        ("when: 'tool.name == ''x'' && tool.nam == ''y'''", "4:39"),
        ("when: \"\\x74ool.name == 'x' && tool.nam == 'y'\"", "4:40"),
        ("when: |\n      tool.name == 'x'\n        && tool.nam == 'y'", "6:17"),
        ("when: >-\n      tool.name == 'x'\n      && tool.nam == 'y'", "6:15"),
        ("when: tool.name == 'x'\n      && tool.nam == 'y'", "5:15"),
        ("when: |\n\n      // a remark\n      tool.nam == 'y'", "7:12"),
    ],
)
def test_a_place_within_a_condition_is_one_of_the_file_however_it_is_written(
    written: str, place: str
) -> None:
    text = f"default: allow\nrules:\n  - name: a\n    {written}\n    deny: no\n"
    assert problems(text) == [f"p.yaml:{place}: `tool` has no `nam`; did you mean `name`?"]


@pytest.mark.parametrize(
    "written",
    [
        "when: ! mcp.batch",
        "when: !mcp.batch",
        "when: 'a' in principal.groups",
        "when: [a]",
        "when: &x mcp.batch",
    ],
)
def test_what_yaml_reads_otherwise_than_it_looks_is_refused(written: str) -> None:
    text = f"default: allow\nrules:\n  - name: a\n    {written}\n    deny: no\n"
    assert any(line.startswith("p.yaml:4:") for line in problems(text))


@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ("allow: yes", "6:12: is written `allow: true`; to refuse, `deny: reason`"),
        ("deny: ''", "6:11: `deny` must be text, and say something"),
        ("hold: later", "6:11: is written `hold: {reviewers: [group], reason: text}`"),
        ("hold: {reason: x}", "6:11: `reviewers` must be a list of names, at least one"),
        ("hold: {reviewers: [a]}", "6:11: `reason` must be text, and say something"),
        ("deny: no\n    mask: strict", "7:5: `mask` goes with `allow: true` only; remove it"),
        ("allow: true\n    rate: {per_second: 5}", "7:11: a rate needs `burst`"),
        ("allow: true\n    rate: {per_second: 0, burst: 1}", "7:24: must be a number over 0"),
        ("allow: true\n    result_bytes_max: 1.5", "7:23: must be a whole number over 0"),
        (
            "allow: true\n    mask: secret",
            "7:11: there is no masking profile `secret`; did you mean `secrets`?",
        ),
        ("deny: no\n    deny: yes", "7:5: `deny` stands here a second time (first on line 6); keep one"),
        ("denny: no", "6:5: there is no `denny` here; did you mean `deny`?"),
        ("deny: no\n    expect: {}", "7:5: there is no `expect` here; there are "),
    ],
)
def test_a_wrong_outcome_is_told(rest: str, text: str) -> None:
    found = problems(rule("true", rest), ["secrets", "personal"])
    assert any(line.startswith(f"p.yaml:{text}") for line in found), found


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("", "p.yaml:1:1: a policy begins with `default: deny` or `default: allow`"),
        ("[]", "p.yaml:1:1: a policy begins with `default: deny` or `default: allow`"),
        ("rules: []", "p.yaml:1:1: a policy needs `default: allow` or `default: deny`"),
        ("default: deny\nrules: {}", "p.yaml:2:8: `rules` must be a list"),
        ("default: deny\nrules: [x]", "p.yaml:2:9: must be a rule, with `name`, `when` and an outcome"),
        ("default: *x", "p.yaml:1:10: is not YAML: aliases are not read here; write it out"),
        ("default: [", "p.yaml:1:11: is not YAML: while parsing a flow node, expected the node content"),
    ],
)
def test_a_file_that_is_no_policy_is_told(text: str, first: str) -> None:
    assert problems(text)[0].startswith(first)


def test_a_rule_may_always_hold() -> None:
    assert len(read_policy("default: deny\nrules: [{name: all, when: true, allow: true}]", FILE).rules) == 1


def test_a_file_that_is_away_too_large_or_no_text_is_told(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    for content, said in (
        (None, "cannot be read"),
        (b"\xff", "not UTF-8"),
        (b"#" * (FILE_BYTES_MAX + 1), "larger"),
    ):
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(PolicyError, match=said):
            load_policy(file)


BASE = "default: deny\nrules:\n  - {name: a, when: mcp.batch, allow: true, rate: {per_second: 1, burst: 2}}\n"


@pytest.mark.parametrize(
    "same",
    [
        "# a comment\n" + BASE,
        "rules:\n- rate: {burst: 2, per_second: 1.0}\n  allow: true\n  when: mcp.batch\n"
        "  name: a\n  doc: text\ndefault: deny",
    ],
)
def test_the_version_stays_when_only_the_layout_changes(same: str) -> None:
    assert read_policy(same, FILE).version == read_policy(BASE, FILE).version


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("default: deny", "default: allow"),
        BASE.replace("mcp.batch", "!mcp.batch").replace(
            "{name: a, when: !mcp.batch", '{name: a, when: "!mcp.batch"'
        ),
        BASE.replace("burst: 2", "burst: 3"),
        BASE.replace("name: a", "name: b"),
        BASE + "packs: [git]\n",
    ],
)
def test_the_version_changes_with_all_that_decides(other: str) -> None:
    assert read_policy(other, FILE).version != read_policy(BASE, FILE).version


def faults(text: str) -> tuple[Problem, ...]:
    """What is wrong with `text`; nothing where it is a policy."""
    try:
        read_policy(text, FILE)
    except PolicyError as error:
        return error.problems
    return ()


@settings(deadline=None)  # for a busy machine
@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_refused_with_problems(text: str) -> None:
    assert faults(text) or text.startswith("default")


@settings(deadline=None)  # for a busy machine
@given(st.text(alphabet="tool.name()[]{}!&|='\"? :,x1+-\\\n", max_size=60))
def test_any_condition_is_taken_or_refused_with_its_place(when: str) -> None:
    text = json.dumps({"default": "deny", "rules": [{"name": "a", "when": when, "deny": "no"}]})
    assert all(problem.line == 1 for problem in faults(text))
