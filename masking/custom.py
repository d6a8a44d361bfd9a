"""A deployment's own rules and allow-lists, as they stand in a connection's YAML:

masking:
  profile: secrets
  rules:
    - {id: acme-token, pattern: "acme_[a-z0-9]{32}", examples: [...]}
  allow: ["acme_0{32}"]
  leave: [password-hash]
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from masking.profiles import Profile, resolve
from masking.rules import Rule, rules_from


def profile_from(
    name: str,
    rules: Sequence[Mapping[str, Any]] = (),
    allow: Sequence[str] = (),
    leave: Sequence[str] | None = None,
) -> Profile:
    """The profile of this name with own rules, patterns of values that stay, and rules that are left out.

    Raises ValueError that names the rule or the pattern and what is wrong with it; a rule whose own
    examples do not match, or whose counter-examples do, is wrong.
    """
    base = resolve(name)
    own = tuple(_checked(rule) for entry in rules for rule in rules_from(dict(entry)))
    for pattern in allow:
        _compiled(pattern)
    left = base.leave if leave is None else frozenset(leave)
    return replace(base, rules=own, allow=tuple(allow), leave=left)


def _compiled(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"masking allow-list: {pattern!r} is not a pattern: {error}") from None


def _checked(rule: Rule) -> Rule:
    for text in rule.examples:
        if not rule.pattern.search(text):
            raise ValueError(f"masking rule {rule.id!r}: its example {text!r} does not match its pattern")
    for text in rule.counter_examples:
        if rule.pattern.search(text):
            raise ValueError(f"masking rule {rule.id!r}: its counter-example {text!r} matches its pattern")
    return rule
