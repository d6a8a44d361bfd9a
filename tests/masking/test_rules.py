"""Rules as data: each is found by what its pattern makes, says so in its examples, and can be added to
and left out.
"""

import json
from io import StringIO

import pytest

import masking
from masking.cli import run
from masking.custom import profile_from
from masking.explain import explain
from masking.filters import FILTERS, passes
from masking.rules import Rule, built_in, parse
from tests.masking.examples import example
from tests.masking.kinds import KINDS, made

KEY = b"a key for tests, 32 bytes long.."
MASKER = masking.Masker(KEY)
RULES = {rule.id: rule for rule in reversed(built_in())}
TOKENS = [
    rule
    for rule in RULES.values()
    if not set(rule.filters) - {"placeholder", "random", "mixed"}
    and rule.id not in ("jwk-private", "sidekiq-license", "shadow-line")
]
"""Rules whose examples can be made from the pattern and stand anywhere."""


def passing(rule: Rule) -> str:
    """An example that passes the rule's checks, among the first few of its pattern."""
    for seed in range(50):
        text = example(rule.source, seed)
        match = rule.pattern.search(text)
        if match and passes(match["secret"], rule.filters, rule.entropy):
            return text
    raise AssertionError(rule.id)


@pytest.mark.parametrize("rule", TOKENS, ids=lambda rule: rule.id)
def test_what_a_rule_describes_is_masked(rule: Rule) -> None:
    text = f"value {passing(rule)} and more"
    match = rule.pattern.search(text)
    assert match
    masked = MASKER.mask(text)
    assert match["secret"] not in masked.text or rule.id in MASKER.profile.leave
    assert masked.text.endswith(" and more")


def test_every_rule_names_a_group_and_known_checks() -> None:
    for rule in built_in(pii=True):
        assert "secret" in rule.pattern.groupindex, rule.id
        assert FILTERS.keys() >= set(rule.filters), rule.id
        assert rule.kind.replace("-", "").isalnum(), rule.id


def test_examples_match_and_counter_examples_do_not() -> None:
    for rule in built_in(pii=True):
        assert all(rule.pattern.search(text) for text in rule.examples), rule.id
        assert not any(rule.pattern.search(text) for text in rule.counter_examples), rule.id


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('id = "a"\npattern = "("', "unterminated"),
        ('id = "a"\npattern = "x+"', "no bound"),
        ('pattern = "x"', "needs id"),
        ('id = "a"\npattern = "x"\ncolour = "red"', "colour"),
        ('id = "a"\npattern = "x"\nfilters = ["nothing"]', "nothing"),
    ],
)
def test_a_wrong_rule_is_refused_and_named(table: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse("[[rule]]\n" + table)


def test_own_rules_are_added_to_the_built_in_ones() -> None:
    rule = {
        "id": "acme-token",
        "pattern": r"acme_(?P<secret>[a-z0-9]{12})",
        "examples": ["acme_0123456789ab"],
    }
    masker = masking.Masker(KEY, profile_from("secrets", rules=[rule]))
    masked = masker.mask("x acme_0123456789ab " + KINDS["vendor token"](made("own")))
    assert [r.rule for r in masked.redactions] == ["acme-token", "github-token"]


def test_an_own_rule_that_misses_its_example_is_refused() -> None:
    with pytest.raises(ValueError, match="does not match its pattern"):
        profile_from("secrets", rules=[{"id": "a", "pattern": "b{3}", "examples": ["aaa"]}])
    with pytest.raises(ValueError, match="counter-example"):
        profile_from("secrets", rules=[{"id": "a", "pattern": "b{3}", "counter_examples": ["bbb"]}])


def test_values_on_the_allow_list_stay() -> None:
    secret = made("allowed")
    masker = masking.Masker(KEY, profile_from("secrets", allow=[secret[:6] + ".*"]))
    text = f"password: {secret}\ntoken: {made('other')}\n"
    assert [r.rule for r in masker.mask(text).redactions] == ["assignment"]
    assert secret in masker.mask(text).text
    with pytest.raises(ValueError, match="allow-list"):
        profile_from("secrets", allow=["("])


def test_strict_masks_what_the_default_leaves() -> None:
    hashed = "x $2b$12$" + "a1B2" * 13 + "z "
    assert MASKER.mask(hashed).text == hashed
    assert masking.Masker(KEY, "strict").mask(hashed).redactions[0].rule == "password-hash"


def test_reasons_tell_what_decided_and_show_no_value() -> None:
    secret = made("explained")
    text = json.dumps({"text": f"password: {secret}\ntoken: changeme\nsecretName: {made('name')}\n"})
    reasons = explain(MASKER, text)
    assert {reason.masked for reason in reasons} == {True, False}
    assert "it is a placeholder" in {because for reason in reasons for because in reason.because}
    assert secret not in repr(reasons)


def test_the_filter_answers_each_line() -> None:
    secret = made("filter")
    lines = [
        json.dumps({"id": "1", "text": f"password: {secret}"}),
        "",
        json.dumps({"id": 2, "text": "clean"}),
    ]
    out = StringIO()
    assert run(StringIO("\n".join(lines) + "\n"), out) == 0
    first, second = map(json.loads, out.getvalue().splitlines())
    assert secret not in first["masked"]
    assert first["redactions"][0]["rule"] == "assignment"
    assert second == {"id": 2, "masked": "clean", "redactions": []}


def test_the_filter_explains_on_demand() -> None:
    out = StringIO()
    run(StringIO(json.dumps({"id": 1, "text": "password: hunter2xx9"}) + "\n"), out, explain=True)
    assert json.loads(out.getvalue())["reasons"][0]["rule"] == "assignment"


def test_a_line_that_cannot_be_masked_is_answered_without_its_text() -> None:
    out = StringIO()
    secret = made("bad line")
    bad = [
        json.dumps({"id": 1, "text": '{"a": "' + secret}),
        f"not json {secret}",
        json.dumps({"text": secret}),
    ]
    assert run(StringIO("\n".join(bad) + "\n"), out, "strict") == 1
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer["id"] for answer in answers] == [1, None, None]
    assert all("error" in answer and "masked" not in answer for answer in answers)
    assert secret not in out.getvalue()
