"""A file of rules to the rules it describes, or to all that is wrong with it."""

import re
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from processors.anomaly.reading import read_rule
from processors.anomaly.rules import MINUTE_US, Rule, RuleSet
from processors.anomaly.source import Problem, RulesError, Spot, parse
from processors.anomaly.units import duration_of

SHIPPED = "findings.yaml"
FILE_BYTES_MAX = 1024 * 1024
RULES_MAX = 200
LATENESS_MAX_US = 60 * MINUTE_US
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def load_rules(file: Path | None = None) -> RuleSet:
    """The rules in `file`, or the shipped pack. Raises RulesError, with a line for everything that is wrong."""
    if file is None:
        return read_rules(files("processors.anomaly").joinpath(SHIPPED).read_text("utf-8"), SHIPPED)
    try:
        raw = file.read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        raise RulesError(str(file), [Problem(1, 1, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise RulesError(str(file), [Problem(1, 1, "is not UTF-8 text; save it as UTF-8")]) from None
    if len(raw) > FILE_BYTES_MAX:
        raise RulesError(str(file), [Problem(1, 1, f"is larger than {FILE_BYTES_MAX} bytes")])
    return read_rules(text, str(file))


def read_rules(text: str, file: str) -> RuleSet:
    """The rules that `text` describes; `file` is what problems name. Raises RulesError."""
    root = parse(text, file)
    rules = _rules(root)
    if root.problems:
        raise RulesError(file, root.problems)
    return RuleSet(rules[0], rules[1], sha256(text.encode()).hexdigest())


def _rules(root: Spot) -> tuple[tuple[Rule, ...], int]:
    fields = root.fields(("rules", "lateness"))
    lateness = (
        duration_of(fields["lateness"], most=LATENESS_MAX_US) if "lateness" in fields else 2 * MINUTE_US
    )
    if "rules" not in fields:
        root.fault("a file of rules has a list `rules`")
        return (), lateness
    spots = fields["rules"].items()
    if len(spots) > RULES_MAX:
        fields["rules"].fault(f"has more than {RULES_MAX} rules")
    return _named(spots[:RULES_MAX]), lateness


def _named(spots: list[Spot]) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for spot in spots:
        rule = read_rule(spot)
        if rule is None:
            continue
        if not _NAME.fullmatch(rule.name):
            spot.fault(f"`name: {rule.name}` must be small letters, digits and single hyphens")
        elif rule.name in rules:
            spot.fault(f"there are two rules with the name `{rule.name}`")
        rules[rule.name] = rule
    return tuple(rules.values())
