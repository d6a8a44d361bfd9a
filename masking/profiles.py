"""Profiles: how much is masked on a connection, and what happens to a body that cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

from masking.forms import Form
from masking.rules import Rule


@dataclass(frozen=True, slots=True)
class Profile:
    """What to mask. `strict` refuses what cannot be decoded; `enabled=False` is the profile `off`.

    `rules` are a connection's own, `allow` patterns of values that stay (each has to match all of a
    value), and `leave` names rules whose findings stay: by default what protects itself, keys under a
    passphrase and hashes. `forms` says what is written for findings of a rule instead of their pseudonym.
    """

    name: str
    pii: bool = False
    strict: bool = False
    enabled: bool = True
    rules: tuple[Rule, ...] = ()
    allow: tuple[str, ...] = ()
    leave: frozenset[str] = frozenset({"encrypted-private-key", "password-hash"})
    forms: tuple[tuple[str, Form], ...] = ()

    def forms_by_rule(self) -> dict[str, Form]:
        """What is written instead of a pseudonym, by rule: its own form, or the one that the profile gives it."""
        return {rule.id: rule.form for rule in self.rules if rule.form} | dict(self.forms)


PROFILES: dict[str, Profile] = {
    "secrets": Profile("secrets"),
    "secrets+pii": Profile("secrets+pii", pii=True),
    "strict": Profile("strict", strict=True, leave=frozenset()),
    "strict+pii": Profile("strict+pii", strict=True, pii=True, leave=frozenset()),
    "off": Profile("off", enabled=False),
}


def resolve(profile: str | Profile) -> Profile:
    """The profile of this name. Raises ValueError for a name that is not known."""
    if isinstance(profile, Profile):
        return profile
    try:
        return PROFILES[profile]
    except KeyError:
        known = ", ".join(PROFILES)
        raise ValueError(f"masking profile {profile!r} is not known; choose one of: {known}") from None
