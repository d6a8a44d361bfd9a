"""What a rule's `hold` asks for is read whole, or refused with everything that is wrong and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.policy import PolicyError, read_policy
from gateway.policy.verdict import Asked, BreakGlass, Grant, Hold, Verdict

FILE = Path("p.yaml")


def held(terms: str) -> Verdict:
    """The verdict of a rule whose `hold` begins in line 5, column 11, and says this beside its reason."""
    policy = read_policy(
        f"default: allow\nrules:\n  - name: a\n    when: true\n    hold: {{reason: r, {terms}}}\n", FILE
    )
    return policy.rules[0].verdict


def told(terms: str) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        held(terms)
    return [line.removeprefix("p.yaml:5:") for line in str(raised.value).splitlines()]


def test_the_short_form_is_one_of_these_reviewers() -> None:
    verdict = held("reviewers: [security, terminal:ann@laptop]")
    assert verdict.hold == Hold((Asked(("security", "|ann@laptop"), 1),))
    assert (verdict.reason, verdict.reviewers) == ("r", ("security", "|ann@laptop"))


def test_all_terms_are_read() -> None:
    terms = (
        "quorum: [{of: [security]}, {of: [owners, security], people: 2}], comment: required, "
        'hours: "mon-fri 08:00-18:00 Europe/Berlin", expires: 2h, '
        "grant: {for: 30m, uses: 5, when: \"tool.name == 'x'\"}, break_glass: {groups: [oncall], review: 8h}"
    )
    verdict = held(terms)
    assert verdict.hold == Hold(
        (Asked(("security",)), Asked(("owners", "security"), 2)),
        comment_required=True,
        hours="mon-fri 08:00-18:00 Europe/Berlin",
        expires_seconds=7_200,
        grant=Grant(1_800, 5, "tool.name == 'x'"),
        break_glass=BreakGlass(("oncall",), 28_800),
    )
    assert verdict.reviewers == ("security", "owners")


def test_what_is_not_given_is_as_the_reference_says() -> None:
    hold = held("reviewers: [a], grant: {for: 1d}, break_glass: {groups: [b]}").hold
    assert hold == Hold((Asked(("a",)),), grant=Grant(86_400, 0, ""), break_glass=BreakGlass(("b",), 86_400))


@pytest.mark.parametrize(
    ("terms", "place", "text"),
    [
        ("reviewer: [a]", "23", "there is no `reviewer` here; did you mean `reviewers`?"),
        ("reviewers: a", "34", "`reviewers` must be a list of names, at least one"),
        ("reviewers: [a], quorum: [{of: [b]}]", "23", "`reviewers` is short for a `quorum` of one part"),
        ("reviewers: ['slack:T1/U1']", "35", "is a group, or one person: `ISSUER|SUBJECT` or `terminal:USER@HOST`"),
        ("quorum: []", "31", "is written `quorum: [{of: [security]}, {of: [owners], people: 2}]`"),
        ("quorum: [a]", "32", "a part is written `{of: [group], people: 1}`"),
        ("quorum: [{off: [a]}]", "33", "there is no `off` here; did you mean `of`?"),
        ("quorum: [{people: 2}]", "32", "`of` must be a list of names, at least one"),
        ("quorum: [{of: [a], people: 0}]", "50", "must be a whole number over 0"),
        ("quorum: [{of: [a], people: 5}, {of: [b], people: 4}]", "31", "asks for more than 8 people"),
        ("quorum: [{of: ['https://id|ann'], people: 2}]", "65", "asks for 2 of 1, who would never be enough"),
        ("reviewers: [a], comment: yes", "48", "must say `required` or `optional`"),
        ("reviewers: [a], hours: always", "46", "is written like `mon-fri 08:00-18:00 Europe/Berlin`"),
        ("reviewers: [a], hours: 'mon 08:00-09:00 Mars/Base'", "46", "is written like"),
        ("reviewers: [a], hours: ''", "46", "is written like"),
        ("reviewers: [a], expires: 15", "48", "write a time such as 90s, 30m, 2h or 7d"),
        ("reviewers: [a], expires: 31d", "48", "is at most 30d"),
        ("reviewers: [a], grant: 30m", "46", "is written `grant: {for: 30m, uses: 5, when: condition}`"),
        ("reviewers: [a], grant: {uses: 3}", "46", "is written `grant: {for: 30m, uses: 5, when: condition}`"),
        ("reviewers: [a], grant: {for: 30m, use: 3}", "57", "there is no `use` here; did you mean `uses`?"),
        ("reviewers: [a], grant: {for: 30m, uses: 1001}", "63", "is at most 1000"),
        ("reviewers: [a], grant: {for: 31d}", "52", "is at most 30d"),
        ("reviewers: [a], grant: {for: 1h, when: tool.nam == 'x'}", "67", "`tool` has no `nam`"),
        ("reviewers: [a], grant: {for: 1h, when: true}", "62", "must be a condition, as text"),
        ("reviewers: [a], break_glass: [b]", "52", "is written `break_glass: {groups: [group], review: 24h}`"),
        ("reviewers: [a], break_glass: {groups: ['|ann@pc']}", "62", "is a person; the glass is broken by groups"),
        ("reviewers: [a], break_glass: {groups: [b], reviews: 1h}", "66", "there is no `reviews` here; did you mean"),
    ],
)  # fmt: skip
def test_a_wrong_term_is_told_with_its_place(terms: str, place: str, text: str) -> None:
    assert any(line.startswith(f"{place}: {text}") for line in told(terms)), told(terms)


def test_all_that_is_wrong_in_a_hold_is_told_at_once() -> None:
    assert len(told("comment: maybe, hours: never, expires: soon, grant: {}, break_glass: x")) == 6


def test_a_pack_is_held_on_the_terms_of_the_file_that_takes_it() -> None:
    entry = "{pack: kubernetes, hold: {quorum: [{of: [sre]}, {of: [security]}], expires: 1h}}"
    policy = read_policy(f"default: allow\npacks: [{entry}]", FILE)
    holds = {rule.verdict.hold for rule in policy.rules if rule.verdict.action == "hold"}
    assert holds == {Hold((Asked(("sre",)), Asked(("security",))), expires_seconds=3_600)}
    short = read_policy("default: allow\npacks: [{pack: kubernetes, reviewers: [sre]}]", FILE)
    assert {rule.verdict.hold for rule in short.rules} == {None, Hold((Asked(("sre",)),))}


def test_what_a_pack_holds_without_reviewers_nobody_can_approve() -> None:
    policy = read_policy("default: allow\npacks: [kubernetes]", FILE)
    assert {rule.verdict.hold for rule in policy.rules} == {None}


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("{pack: git, hold: {expires: 1h}}", "2:27: `reviewers` must be a list of names, at least one"),
        ("{pack: git, hold: {reason: r, reviewers: [a]}}", "2:28: there is no `reason` here"),
        ("{pack: git, reviewers: [a], hold: {reviewers: [a]}}", "2:21: `reviewers` stands in `hold`; keep that one"),
        ("{pack: git, hold: [a]}", "2:27: is written `hold: {reviewers: [group], expires: 15m}`"),
    ],
)  # fmt: skip
def test_wrong_terms_for_a_pack_are_told_where_they_stand(entry: str, text: str) -> None:
    with pytest.raises(PolicyError) as raised:
        read_policy(f"default: allow\npacks: [{entry}]", FILE)
    assert any(line.startswith(f"p.yaml:{text}") for line in str(raised.value).splitlines()), str(
        raised.value
    )


def version(terms: str) -> str:
    rule = f"{{name: a, when: true, hold: {{reason: r, {terms}}}}}"
    return read_policy(f"default: allow\nrules: [{rule}]", FILE).version


def test_the_version_changes_with_every_term_and_not_with_how_it_is_written() -> None:
    terms = (
        "reviewers: [a]",
        "reviewers: [a, b]",
        "quorum: [{of: [a]}, {of: [b]}]",
        "quorum: [{of: [a], people: 2}]",
        "reviewers: [a], comment: required",
        "reviewers: [a], hours: 'mon 08:00-09:00 UTC'",
        "reviewers: [a], expires: 1h",
        "reviewers: [a], grant: {for: 1h}",
        "reviewers: [a], grant: {for: 1h, uses: 2}",
        "reviewers: [a], grant: {for: 1h, when: mcp.batch}",
        "reviewers: [a], break_glass: {groups: [b]}",
        "reviewers: [a], break_glass: {groups: [b], review: 1h}",
    )
    assert len({version(each) for each in terms}) == len(terms)
    assert version("quorum: [{of: [a]}], expires: 900s, comment: optional") == version(
        "reviewers: [a], expires: 15m"
    )
