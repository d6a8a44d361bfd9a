"""The shipped rules: each finds its examples and stays silent on its counter-examples."""

import pytest

from processors.anomaly.detector import Detector
from processors.anomaly.example_reading import observations
from processors.anomaly.load import load_rules
from processors.anomaly.rules import Example, Rule, RuleSet
from processors.anomaly.state import State

PACK = load_rules()
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.name}: {example.name}")
    for rule in PACK.rules
    for example in rule.examples
]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_finds_its_examples_and_nothing_in_its_counter_examples(rule: Rule, example: Example) -> None:
    detector = Detector(RuleSet((rule,), PACK.lateness_us), State())
    found = [finding for seen in observations(example) for finding in detector.observe(seen)]
    assert bool(found) == example.fires, [finding.title for finding in found]


@pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: rule.name)
def test_every_rule_has_examples_of_both_kinds(rule: Rule) -> None:
    assert {example.fires for example in rule.examples} == {True, False}


@pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: rule.name)
def test_nothing_is_answered_by_itself(rule: Rule) -> None:
    assert rule.response is None
