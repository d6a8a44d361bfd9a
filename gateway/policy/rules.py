"""One rule of a file: its fields to a `Rule`, every fault noted at its place."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from gateway.policy.conditions import Compiled, ConditionError
from gateway.policy.engine import Rule
from gateway.policy.fields import Fields, known_keys, number_at, text_at
from gateway.policy.holds import TERMS, WHO, HoldReader, everyone_in
from gateway.policy.packs import filled
from gateway.policy.problems import Problem, did_you_mean
from gateway.policy.source import Document, Loc
from gateway.policy.verdict import Hold, Verdict
from gateway.settings import Rate

DENIED: Final = "policy_denied"
HELD: Final = "policy_held"
DEFAULT: Final = "default"
_OUTCOMES: Final = ("allow", "deny", "hold")
_OBLIGATIONS: Final = ("mask", "result_bytes_max", "rate", "impersonation")
_KEYS: Final = ("name", "doc", "when", *_OUTCOMES, *_OBLIGATIONS)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RuleReader:
    """Reads the rules of one document. `values` and `hold` are given for a pack's rules, which say no more of a
    hold than its reason: who has to agree, and how, is for the file that takes them."""

    def __init__(
        self,
        document: Document,
        profiles: Collection[str] | None = None,
        pack: str = "",
        values: Mapping[str, str | list[str]] | None = None,
        hold: Hold | None = None,
    ) -> None:
        self._document = document
        self._profiles = profiles
        self._pack = pack
        self._values = values or {}
        self._hold_given = hold
        self._names: dict[str, int] = {}

    def read(self, fields: Fields, loc: Loc) -> Rule | None:
        """The rule at `loc`; None when it has faults, which are then in the document's problems."""
        before = len(self._document.problems)
        known_keys(self._document, loc, fields, (*_KEYS, "expect") if self._pack else _KEYS)
        name = self._name(fields, loc)
        verdict = self._verdict(f"{self._pack}/{name}" if self._pack else name, fields, loc)
        condition = self._condition(fields, loc)
        doc = text_at(self._document, loc, fields, "doc") if "doc" in fields else ""
        if len(self._document.problems) > before or condition is None or verdict is None:
            return None
        return Rule(verdict.rule, condition, verdict, doc, self._pack)

    def _name(self, fields: Fields, loc: Loc) -> str:
        if "name" not in fields:
            self._document.fault(loc, "a rule needs a `name`: verdicts and the trail carry it")
            return ""
        name, at = text_at(self._document, loc, fields, "name"), (*loc, "name")
        if name and not _NAME.fullmatch(name):
            self._document.fault(at, "a name has letters, digits, `.`, `_` and `-`, at most 64 of them")
        if name == DEFAULT:
            self._document.fault(
                at, "`default` is what the verdict without a rule is called; take another name"
            )
        if name in self._names:
            self._document.fault(
                at, f"`{name}` is the rule on line {self._names[name]} already; take another name"
            )
        self._names.setdefault(name, self._document.place(at)[0])
        return name

    def _condition(self, fields: Fields, loc: Loc) -> Compiled | None:
        at = (*loc, "when")
        given = fields.get("when")
        if "when" not in fields:
            self._document.fault(loc, "a rule needs `when`, its condition; `when: true` always holds")
            return None
        if isinstance(given, bool):
            given = "true" if given else "false"
        if not isinstance(given, str) or not given.strip():
            self._document.fault(at, "must be a condition, as text")
            return None
        try:
            return Compiled((filled(given, self._values) if self._pack else given).rstrip())
        except ConditionError as error:
            for fault in error.faults:
                place = self._document.place_within(at, fault.offset)
                self._document.problems.append(Problem(*place, fault.text))
            return None

    def _verdict(self, rule: str, fields: Fields, loc: Loc) -> Verdict | None:
        given = [key for key in _OUTCOMES if key in fields]
        if len(given) != 1:
            told = f"has {' and '.join(given)}; keep one" if given else "has none; add one"
            self._document.fault(
                loc, f"a rule has one of `allow: true`, `deny: reason`, `hold: …`; this one {told}"
            )
            return None
        if given != ["allow"]:
            for key in (key for key in _OBLIGATIONS if key in fields):
                self._document.fault(
                    (*loc, key), f"`{key}` goes with `allow: true` only; remove it", key=True
                )
        if given == ["allow"]:
            return self._allow(rule, fields, loc)
        if given == ["deny"]:
            return Verdict("deny", rule, text_at(self._document, loc, fields, "deny"), DENIED)
        return self._hold(rule, fields, loc)

    def _allow(self, rule: str, fields: Fields, loc: Loc) -> Verdict:
        if fields["allow"] is not True:
            self._document.fault((*loc, "allow"), "is written `allow: true`; to refuse, `deny: reason`")
        mask = text_at(self._document, loc, fields, "mask") if "mask" in fields else None
        if mask and self._profiles is not None and mask not in self._profiles:
            hint = did_you_mean(mask, self._profiles)
            self._document.fault((*loc, "mask"), f"there is no masking profile `{mask}`{hint}")
        size = number_at(self._document, loc, fields, "result_bytes_max", whole=True)
        rate = self._rate(fields, loc)
        return Verdict(
            "allow",
            rule,
            mask=mask,
            result_bytes_max=None if size is None else int(size),
            rate=rate,
            impersonate=self._impersonation(fields, loc),
        )

    def _impersonation(self, fields: Fields, loc: Loc) -> bool:
        if fields.get("impersonation", True) is not True:
            told = "is written `impersonation: true`; without it no Impersonate-* header passes"
            self._document.fault((*loc, "impersonation"), told)
        return "impersonation" in fields

    def _rate(self, fields: Fields, loc: Loc) -> Rate | None:
        if "rate" not in fields:
            return None
        given, at = fields["rate"], (*loc, "rate")
        if not isinstance(given, dict):
            self._document.fault(at, "is written `rate: {per_second: 5, burst: 10}`")
            return None
        known_keys(self._document, at, given, ("per_second", "burst"))
        for key in ("per_second", "burst"):
            if key not in given:
                self._document.fault(at, f"a rate needs `{key}`")
        per_second = number_at(self._document, at, given, "per_second", whole=False)
        burst = number_at(self._document, at, given, "burst", whole=True)
        return Rate(float(per_second), int(burst)) if per_second and burst else None

    def _hold(self, rule: str, fields: Fields, loc: Loc) -> Verdict:
        given, at = fields["hold"], (*loc, "hold")
        if not isinstance(given, dict):
            self._document.fault(at, "is written `hold: {reviewers: [group], reason: text}`")
            return Verdict("hold", rule)
        known_keys(self._document, at, given, ("reason",) if self._pack else ("reason", *WHO, *TERMS))
        reason = text_at(self._document, at, given, "reason")
        hold = self._hold_given if self._pack else HoldReader(self._document).read(given, at)
        reviewers = everyone_in(hold.quorum) if hold else ()
        return Verdict("hold", rule, reason, HELD, reviewers, hold=hold)
