"""Every rule of every pack says what it catches and what it lets be; both are held to here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.kubernetes import read
from gateway.kubernetes.written import request_of
from gateway.policy import Call, PolicyError, read_policy
from gateway.policy.facts import ConnectionFacts, HttpFacts, McpFacts, ToolFacts
from gateway.policy.packs import pack_names, read_pack

FILE = Path("policy.yaml")


def rules() -> Iterator[tuple[str, dict[str, Any]]]:
    for pack in pack_names():
        content = read_pack(pack).document.value
        assert isinstance(content, dict)
        yield from ((pack, rule) for rule in content["rules"])  # type: ignore[union-attr, misc]


def cases(side: str) -> list[Any]:
    return [
        pytest.param(pack, rule, given, id=f"{pack}/{rule['name']}/{index}")
        for pack, rule in rules()
        for index, given in enumerate(rule["expect"][side])
    ]


def call_of(given: dict[str, Any]) -> Call:
    if "kubernetes" in given:
        written = request_of(given["kubernetes"], given.get("body", ""), given.get("content_type", ""))
        return Call(connection=ConnectionFacts(kind="kubernetes"), kubernetes=read(written, "c").facts)
    tool = given.get("tool", "")
    return Call(
        mcp=McpFacts(
            method=given.get("method", "" if "http" in given else "tools/call"),
            resource=given.get("resource", ""),
            notification=given.get("notification", False),
        ),
        tool=ToolFacts(tool, given.get("arguments", {}), given.get("annotations", {})),
        http=HttpFacts(method=given.get("http", "POST")),
    )


def policy_with(pack: str, settings: object) -> Any:
    entry = f"{{pack: {pack}, with: {settings}}}" if settings else pack
    return read_policy(f"default: deny\npacks: [{entry}]", FILE)


@pytest.mark.parametrize(("pack", "rule", "given"), cases("matches"))
def test_a_rule_catches_what_it_says(pack: str, rule: dict[str, Any], given: dict[str, Any]) -> None:
    verdict = policy_with(pack, rule["expect"].get("with")).judge(call_of(given))
    assert (verdict.rule, verdict.reason_code != "policy_failed") == (f"{pack}/{rule['name']}", True)


@pytest.mark.parametrize(("pack", "rule", "given"), cases("passes"))
def test_a_rule_lets_be_what_only_looks_alike(pack: str, rule: dict[str, Any], given: dict[str, Any]) -> None:
    assert policy_with(pack, rule["expect"].get("with")).judge(call_of(given)).rule == "default"


def test_every_rule_is_documented_and_has_examples_of_both_kinds() -> None:
    for pack, rule in rules():
        assert rule["doc"], pack
        assert rule["expect"]["matches"], rule["name"]
        assert rule["expect"]["passes"], rule["name"]


def test_all_packs_together_make_one_policy() -> None:
    policy = read_policy(f"default: deny\npacks: {pack_names()}".replace("'", ""), FILE)
    assert len(policy.rules) == len(list(rules()))


def test_a_pack_stands_where_it_is_named_among_the_rules() -> None:
    text = """
default: allow
rules:
  - {name: first, when: tool.name == 'a', allow: true}
  - {pack: git, reviewers: [leads]}
  - {name: last, when: tool.name == 'b', allow: true}
"""
    names = [rule.name for rule in read_policy(text, FILE).rules]
    assert (names[0], names[1], names[-1]) == ("first", "git/force-push", "last")


def test_reviewers_given_with_a_pack_review_what_it_holds() -> None:
    policy = read_policy("default: allow\npacks: [{pack: kubernetes, reviewers: [leads, sre]}]", FILE)
    verdict = policy.judge(call_of({"tool": "pods_exec", "arguments": {}}))
    assert (verdict.action, verdict.reviewers) == ("hold", ("leads", "sre"))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("kubernets", "p.yaml:2:9: there is no pack `kubernets`; did you mean `kubernetes`?"),
        ("{pack: git, with: {roots: [a]}}", "p.yaml:2:28: the pack `git` has no setting `roots`"),
        ("{pack: filesystem, with: {roots: /srv}}", "p.yaml:2:42: `roots` must be a list of text"),
        (
            '{pack: filesystem, with: {roots: ["a\\nb"]}}',
            "p.yaml:2:42: `roots` must have no control characters",
        ),
        ("git, git", "p.yaml:2:14: the pack `git` stands on line 2 already"),
        ("{pakc: git}", "p.yaml:2:10: there is no `pakc` here; did you mean `pack`?"),
        ("{pack: git, reviewers: lead}", "p.yaml:2:32: `reviewers` must be a list of names, at least one"),
    ],
)
def test_a_wrong_pack_entry_is_told_with_its_place(entry: str, told: str) -> None:
    with pytest.raises(PolicyError) as raised:
        read_policy(f"default: allow\npacks: [{entry}]", Path("p.yaml"))
    assert told in str(raised.value).splitlines()


def test_a_setting_with_quotes_and_backslashes_stays_the_text_that_it_is() -> None:
    text = "default: allow\npacks: [{pack: kubernetes, with: {changing: ['it''s\\d']}}]"
    policy = read_policy(text, FILE)
    annotated = {"annotations": {"destructiveHint": True}}
    assert policy.judge(call_of({"tool": "it's\\d", **annotated})).rule == "default"
    assert policy.judge(call_of({"tool": "its", **annotated})).rule == "kubernetes/destructive-hint"
