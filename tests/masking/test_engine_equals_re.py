"""The engine finds exactly what plain `re` over the whole text finds: no window is too short."""

import random
import re
from collections.abc import Iterable

import pytest

from masking import assignments
from masking.engine import HyperscanScanner, ReScanner, Trigger
from masking.patterns import trigger, width
from masking.rules import Rule, built_in
from masking.windows import matches
from tests.masking.examples import example

RULES = tuple({rule.source: rule for rule in built_in()}.values())
ONE_OF_EACH = tuple({rule.id: rule for rule in reversed(RULES)}.values())
WORDS = [
    "token",
    "=",
    " ",
    "\n",
    '"',
    "password: ",
    "key",
    "--",
    "{",
    "}",
    "x",
    "9f3a",
    "https://",
    "://",
    ":",
    "@",
    "AKIA",
    "=",
]


def soup(seed: int) -> str:
    """A text of fragments and of examples of many rules, some of them cut."""
    dice = random.Random(seed)
    parts = []
    for _ in range(60):
        piece = (
            example(dice.choice(RULES).source, dice.randrange(9))
            if dice.random() < 0.5
            else dice.choice(WORDS)
        )
        parts.append(piece[: dice.randrange(1, len(piece) + 1)] if dice.random() < 0.2 and piece else piece)
        parts.append(dice.choice(["", " ", "\n", '"', "'", ",", "=", "a", "0", "_", "-"]))
    return "".join(parts).encode("utf-8").decode("latin-1")


SCANNER = HyperscanScanner.compile([trigger(rule.trigger or rule.source) for rule in ONE_OF_EACH])


def spans(found: Iterable[re.Match[str]]) -> list[tuple[int, int]]:
    return [match.span() for match in found]


@pytest.mark.parametrize("seed", range(40))
def test_windows_find_what_the_whole_text_finds(seed: int) -> None:
    view = soup(seed)
    ends: dict[int, list[int]] = {}
    for number, _, end in SCANNER.scan(view.encode("latin-1")):
        ends.setdefault(number, []).append(end)
    for number, rule in enumerate(ONE_OF_EACH):
        expected = spans(rule.pattern.finditer(view))
        got = (
            spans(matches(rule.pattern, view, ends[number], rule.reach, rule.width)) if number in ends else []
        )
        assert got == expected, rule.id


@pytest.mark.parametrize("rule", ONE_OF_EACH, ids=lambda rule: rule.id)
def test_a_rule_is_found_by_both_scanners_in_what_it_matches(rule: Rule) -> None:
    text = f" {example(rule.source)}\n".encode()
    triggers = [trigger(rule.trigger or rule.source)]
    assert HyperscanScanner.compile(triggers).scan(text)
    assert ReScanner(triggers).scan(text)


NAMED = [
    trigger(source, escaped=False)._replace(starts=True) for source in (assignments.STRONG, assignments.WEAK)
]


@pytest.mark.parametrize("seed", range(20))
def test_both_scanners_give_the_same_candidates(seed: int) -> None:
    view = soup(seed)
    raw = view.encode("latin-1")
    found = [
        sorted(assignments.candidates(view, [(start, end) for _, start, end in scanner.scan(raw)]))
        for scanner in (HyperscanScanner.compile(NAMED), ReScanner(NAMED))
    ]
    assert found[0] == found[1]


def test_a_pattern_without_a_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="no bound"):
        width("a+")


def test_the_scan_reports_once_where_presence_is_the_question() -> None:
    scanner = HyperscanScanner.compile([Trigger("a", once=True)])
    assert len(scanner.scan(b"aaaa")) == 1
