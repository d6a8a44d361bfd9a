"""The reference of policies has every key, fact, function and rule of a pack; what it shows can be read."""

import re
from pathlib import Path

import pytest

from gateway.policy import read_policy
from gateway.policy.holds import BREAK_GLASS, GRANT, PART, TERMS, WHO
from gateway.policy.names import FACTS, FUNCTIONS, METHODS, VARIABLES
from gateway.policy.packs import pack_names, read_pack
from gateway.policy.rules import _KEYS
from gateway.policy.syntax import TEXT_MAX

DOCS = Path(__file__).parents[3] / "docs"
REFERENCE = (DOCS / "reference" / "policy.md").read_text("utf-8")
HOW_TO = (DOCS / "how-to" / "policy.md").read_text("utf-8")
PROSE = re.sub(r"```.*?```", "", REFERENCE, flags=re.DOTALL)
WORDS = set(re.findall(r"[a-zA-Z_][\w.]*", " ".join(re.findall(r"`([^`]+)`", PROSE))))
SHOWN = [
    block
    for text in (REFERENCE, HOW_TO)
    for block in re.findall(r"```yaml\n(default:.*?)```", text, re.DOTALL)
]


def test_every_key_fact_and_function_is_in_the_reference() -> None:
    facts = {f"{name}.{field}" for name, fields in FACTS.items() for field in fields}
    assert {*_KEYS, *facts, *(VARIABLES.keys() - FACTS.keys()), *FUNCTIONS, *METHODS} - WORDS == set()
    assert f"{TEXT_MAX:,} characters" in REFERENCE


def test_every_term_of_a_hold_is_in_the_reference() -> None:
    section = REFERENCE.partition("## Who has to agree")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| `")]
    assert {line.split("`")[1] for line in table} == {"reason", *WHO, *TERMS}
    told = set(re.findall(r"\b\w+\b", " ".join(re.findall(r"`([^`]+)`", section))))
    assert {*GRANT, *BREAK_GLASS, *PART} - told == set()


@pytest.mark.parametrize("pack", pack_names())
def test_every_rule_of_a_pack_is_in_the_reference_with_its_meaning(pack: str) -> None:
    content = read_pack(pack).document.value
    assert isinstance(content, dict)
    for rule in content["rules"]:  # type: ignore[union-attr]
        outcome = next(key for key in ("allow", "deny", "hold") if key in rule)  # type: ignore[operator]
        assert f"| `{pack}/{rule['name']}` | {outcome} | {rule['doc']} |" in REFERENCE.splitlines()  # type: ignore[call-overload, index]


@pytest.mark.parametrize("block", SHOWN)
def test_a_policy_that_is_shown_is_good(block: str) -> None:
    assert read_policy(block, Path("shown.yaml")).rules
