"""Conditions on Kubernetes requests: names are checked, fields are always there, bodies may be undecodable."""

from pathlib import Path
from typing import Any

import pytest

from gateway.policy import Call, Policy, PolicyError, read_policy

FILE = Path("p.yaml")


def policy_of(when: str, outcome: str = "deny: no") -> Policy:
    return read_policy(
        f"default: allow\nrules:\n  - name: r1\n    when: |\n      {when}\n    {outcome}\n", FILE
    )


def judged(when: str, **facts: Any) -> str:
    verdict = policy_of(when).judge(Call(kubernetes=facts))
    return verdict.reason_code or verdict.action


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("kubernetes.namspace == 'prod'", "`kubernetes` has no `namspace`; did you mean `namespace`?"),
        ("kubernetes.Verb == 'get'", "`kubernetes` has no `Verb`; did you mean `verb`?"),
        ("kubernetes.dryRun == 'All'", "compares true or false with text, which are never equal"),
        ("kubernetes.command == 'sh'", "compares a list with text, which are never equal"),
        ("kubernetes.resource", "gives text, and a condition must give true or false"),
    ],
)
def test_a_name_or_a_kind_that_is_wrong_is_told(when: str, told: str) -> None:
    with pytest.raises(PolicyError) as raised:
        policy_of(when)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    "when",
    [
        "kubernetes.verb == 'delete'",
        "kubernetes.dryRun",
        "'sh' in kubernetes.command",
        "kubernetes.changes.exists(c, c.endsWith('.image'))",
        "has(kubernetes.object.spec)",
        "kubernetes.impersonate.user != ''",
        "kubernetes.gracePeriodSeconds == 0",
    ],
)
def test_on_other_connections_every_field_is_there_and_blank(when: str) -> None:
    assert judged(when) == "allow"


def test_what_is_not_blank_is_compared_with_and_without_a_negation() -> None:
    assert judged("kubernetes.verb == 'delete'", verb="delete") == "policy_denied"
    assert judged("!(kubernetes.verb in ['get', 'list'])", verb="get") == "allow"
    assert judged("!kubernetes.dryRun && kubernetes.verb == 'delete'", verb="delete", dryRun=True) == "allow"
    assert judged("kubernetes.resource.startsWith('pod')", resource="pods") == "policy_denied"


@pytest.mark.parametrize(
    "when",
    [
        "kubernetes.verb == 'create' && has(kubernetes.object.spec)",
        "kubernetes.changes.exists(c, c == 'spec.replicas')",
        "size(kubernetes.deletes) > 0",
        "size(kubernetes) > 100",
    ],
)
def test_a_condition_on_a_body_that_could_not_be_decoded_denies(when: str) -> None:
    assert judged(when, verb="create", resource="pods", object_known=False) == "policy_failed"


def test_a_body_that_could_not_be_decoded_is_nothing_to_rules_that_do_not_ask() -> None:
    facts = {"verb": "create", "resource": "pods", "object_known": False}
    assert judged("kubernetes.resource == 'secrets'", **facts) == "allow"
    assert judged("kubernetes.resource == 'secrets' && has(kubernetes.object.data)", **facts) == "allow"


def test_more_changes_than_a_condition_can_be_given_deny() -> None:
    changes = [f"data.k{number}" for number in range(1_001)]
    assert judged("kubernetes.changes.exists(c, c == 'data.k1')", changes=changes) == "policy_failed"


def test_impersonation_passes_by_the_rule_that_says_so_alone() -> None:
    call = Call(kubernetes={"verb": "get", "impersonates": True})
    assert policy_of("true", "allow: true\n    impersonation: true").judge(call).impersonate
    assert not policy_of("true", "allow: true").judge(call).impersonate
    assert not policy_of("false", "allow: true\n    impersonation: true").judge(call).impersonate


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("deny: no\n    impersonation: true", "`impersonation` goes with `allow: true` only; remove it"),
        ("allow: true\n    impersonation: false", "is written `impersonation: true`"),
        (
            "allow: true\n    impersonate: true",
            "there is no `impersonate` here; did you mean `impersonation`?",
        ),
    ],
)
def test_impersonation_is_written_one_way(outcome: str, told: str) -> None:
    with pytest.raises(PolicyError) as raised:
        policy_of("true", outcome)
    assert told in str(raised.value)


def test_impersonation_makes_another_policy_and_its_absence_none() -> None:
    plain, with_it = (
        policy_of("true", "allow: true"),
        policy_of("true", "allow: true\n    impersonation: true"),
    )
    assert plain.version != with_it.version
