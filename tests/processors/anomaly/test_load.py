"""Files of rules: what is wrong is told with its place."""

from pathlib import Path

import pytest

from processors.anomaly.load import load_rules, read_rules
from processors.anomaly.source import RulesError

RULE = """rules:
  - name: reads
    severity: high
    title: "{principal}: {value}"
    explanation: e
    key: principal
    feature: sensitive_reads
    window: 1h
    at_least: 5
"""


def faults(text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        read_rules(text, "f.yaml")
    return str(caught.value).splitlines()


def test_a_rule_says_what_it_says() -> None:
    (rule,) = read_rules(RULE, "f").rules
    assert (rule.name, rule.key, rule.feature, rule.window_us) == (
        "reads",
        ("principal",),
        "sensitive_reads",
        3_600_000_000,
    )
    assert rule.threshold is not None
    assert rule.threshold.at_least == 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("severity: high", "severity: hihg"), "f.yaml:3:15: `hihg` is no severity; did you mean `high`?"),
        (("{value}", "{valeu}"), "f.yaml:4:12: `{valeu}` is not known; did you mean `value`?"),
        (
            ("key: principal", "key: principal+sesion"),
            "f.yaml:6:10: `sesion` is nothing to keep by; did you mean `session`?",
        ),
        (
            ("sensitive_reads", "sensitive_read"),
            "f.yaml:7:14: `sensitive_read` is no feature; did you mean `sensitive_reads`?",
        ),
        (
            ("window: 1h", "window: 1 hour"),
            "f.yaml:8:13: must be a length of time: `90s`, `10m`, `24h` or `7d`",
        ),
        (("window: 1h", "window: 1s"), "f.yaml:8:13: must be from 10 s to 3024000 s"),
        (("at_least: 5", "at_least: many"), "f.yaml:9:15: must be a number of at least 1"),
        (
            ("at_least: 5", "at_leest: 5"),
            "f.yaml:9:15: `at_leest` is not known here; did you mean `at_least`?",
        ),
        (
            ("at_least: 5", "at_least: 5\n    at_least: 6"),
            "f.yaml:10:15: `at_least` stands here a second time; keep one",
        ),
        (
            ("at_least: 5", "at_least: 5\n    own: {by: median}"),
            "f.yaml:10:10: needs `score`: how many deviations above what is usual",
        ),
        (
            ("at_least: 5", "at_least: 5\n    where: {tol: x}"),
            "f.yaml:10:18: `tol` is not known here; did you mean `tool`?",
        ),
        (
            ("at_least: 5", "at_least: 5\n    unlearned: 9"),
            "f.yaml:10:16: is for rules with `own` or `peers`; without them `at_least` is all there is",
        ),
        (("feature: sensitive_reads\n", "\n"), "f.yaml:2:5: a rule has either a `feature` or a `sequence`"),
        (
            ("name: reads", "name: Reads all"),
            "f.yaml:2:5: `name: Reads all` must be small letters, digits and single hyphens",
        ),
        (("    severity: high\n", ""), "f.yaml:2:5: a rule needs `severity`"),
        (
            ("at_least: 5", "at_least: &a 5\n    unlearned: *a"),
            "f.yaml:10:16: is not YAML: no aliases here; write it out",
        ),
        (("rules:", "ruels:"), "f.yaml:1:1: a file of rules has a list `rules`"),
        (
            ("key: principal", "key: object\n    response: {block: 1h}"),
            "f.yaml:7:15: "
            "a response is about somebody: it needs `principal` or `session` in the rule's `key`",
        ),
        (
            ("at_least: 5", "at_least: 5\n    response: {shout: 1h}"),
            "f.yaml:10:23: `shout` is not known here; there are block, demand_approval, lower_limits",
        ),
    ],
)
def test_a_fault_has_its_place_and_says_what_to_do(change: tuple[str, str], told: str) -> None:
    assert told in faults(RULE.replace(*change))


def test_all_faults_are_told_at_once_in_the_order_of_the_file() -> None:
    text = RULE.replace("high", "x").replace("1h", "x").replace("at_least: 5", "at_least: x")
    assert [line.split(":")[1] for line in faults(text)] == ["3", "8", "9"]


def test_two_rules_have_two_names() -> None:
    twice = RULE + RULE.removeprefix("rules:\n")
    assert faults(twice) == ["f.yaml:10:5: there are two rules with the name `reads`"]


def test_sequences_are_bounded_and_have_no_threshold() -> None:
    base = RULE.replace("feature: sensitive_reads", "sequence: {steps: [{where: {outcome: denied}}]}")
    told = faults(base)
    assert any("must be from 2 to 8 calls" in line for line in told)
    assert any("a sequence has no threshold" in line for line in told)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match=r"nowhere\.yaml:1:1: cannot be read"):
        load_rules(tmp_path / "nowhere.yaml")
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(RulesError, match="save it as UTF-8"):
        load_rules(tmp_path / "latin")
    (tmp_path / "empty").write_text("")
    with pytest.raises(RulesError, match="begins with `rules:`"):
        load_rules(tmp_path / "empty")


def test_a_response_and_its_length_are_read() -> None:
    text = RULE.replace("at_least: 5", "at_least: 5\n    response: {demand_approval: 2h}")
    (rule,) = read_rules(text, "f").rules
    assert rule.response is not None
    assert (rule.response.act, rule.response.seconds) == ("demand_approval", 7200)
