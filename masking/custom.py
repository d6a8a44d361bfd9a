"""A deployment's own rules and allow-lists, as they stand in a connection's YAML:

masking:
  profile: secrets
  rules:
    - {id: acme-token, pattern: "acme_[a-z0-9]{32}", examples: [...]}
    - {id: acme-card, pattern: "[0-9]{16}", filters: [luhn], keep_last: 4}
  allow: ["acme_0{32}"]
  leave: [password-hash]
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from masking.forms import form_from
from masking.profiles import Profile, resolve
from masking.rules import Rule, built_in, rules_from

_WITHOUT_PATTERN = frozenset({"assignment", "kubernetes-secret"})


def profile_from(
    name: str,
    rules: Sequence[Mapping[str, Any]] = (),
    allow: Sequence[str] = (),
    leave: Sequence[str] | None = None,
    forms: Mapping[str, Mapping[str, Any]] | None = None,
) -> Profile:
    """The profile of this name with own rules, patterns of values that stay, rules that are left out, and what is
    written for findings of a rule: `{"card": {"keep_last": 4}, "jwt": {"replacement": "***"}}`.

    Raises ValueError that names the rule or the pattern and says what to do; a rule whose own examples do not match,
    or whose counter-examples do, is wrong.
    """
    base = resolve(name)
    own = tuple(rule for entry in rules for rule in checked(entry))
    for pattern in allow:
        _compiled(pattern)
    known = _WITHOUT_PATTERN | {rule.id for rule in (*built_in(pii=True), *own)}
    for identity in (*(leave or ()), *(forms or {})):
        _demand_known(identity, known)
    left = base.leave if leave is None else frozenset(leave)
    return replace(base, rules=own, allow=tuple(allow), leave=left, forms=_forms(forms or {}))


def checked(entry: Mapping[str, Any]) -> list[Rule]:
    """The rules of one table, tried on their own examples. Raises ValueError as `profile_from` does."""
    rules = list(rules_from(dict(entry)))
    for rule in rules[:1]:
        _try(rule)
    return rules


def _forms(forms: Mapping[str, Mapping[str, Any]]) -> tuple[Any, ...]:
    found = []
    for identity, entry in forms.items():
        try:
            form = form_from(entry)
        except ValueError as error:
            raise ValueError(f"masking rule {identity!r}: {error}") from None
        if form:
            found.append((identity, form))
    return tuple(found)


def _demand_known(identity: str, known: frozenset[str] | set[str]) -> None:
    if identity not in known:
        close = get_close_matches(identity, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else "docs/reference/masking-rules.md lists them"
        raise ValueError(f"masking: there is no rule {identity!r}; {hint}")


def _compiled(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"masking allow-list: {pattern!r} is not a pattern: {error}") from None


def _try(rule: Rule) -> None:
    """Examples are told by number: they are likely to be real secrets."""
    for number, text in enumerate(rule.examples, 1):
        if not rule.pattern.search(text):
            raise ValueError(
                f"masking rule {rule.id!r}: its example number {number} does not match its pattern; change either"
            )
    for number, text in enumerate(rule.counter_examples, 1):
        if rule.pattern.search(text):
            raise ValueError(
                f"masking rule {rule.id!r}: its counter-example number {number} matches its pattern; narrow it"
            )
