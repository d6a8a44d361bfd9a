"""One rule of a file: its fields to a `Rule`, every fault noted at its place."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from gateway.policy.conditions import Compiled, ConditionError
from gateway.policy.engine import Rule
from gateway.policy.packs import filled
from gateway.policy.problems import Problem, did_you_mean
from gateway.policy.source import Document, Loc, Value
from gateway.policy.verdict import Verdict
from gateway.settings import Rate

DENIED: Final = "policy_denied"
HELD: Final = "policy_held"
DEFAULT: Final = "default"
_OUTCOMES: Final = ("allow", "deny", "hold")
_OBLIGATIONS: Final = ("mask", "result_bytes_max", "rate")
_KEYS: Final = ("name", "doc", "when", *_OUTCOMES, *_OBLIGATIONS)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Fields = dict[str, Value]


class RuleReader:
    """Reads the rules of one document. `values` and `reviewers` are given for a pack's rules."""

    def __init__(
        self,
        document: Document,
        profiles: Collection[str] | None = None,
        pack: str = "",
        values: Mapping[str, str | list[str]] | None = None,
        reviewers: tuple[str, ...] = (),
    ) -> None:
        self._document = document
        self._profiles = profiles
        self._pack = pack
        self._values = values or {}
        self._reviewers = reviewers
        self._names: dict[str, int] = {}

    def read(self, fields: Fields, loc: Loc) -> Rule | None:
        """The rule at `loc`; None when it has faults, which are then in the document's problems."""
        before = len(self._document.problems)
        known_keys(self._document, loc, fields, (*_KEYS, "expect") if self._pack else _KEYS)
        name = self._name(fields, loc)
        verdict = self._verdict(f"{self._pack}/{name}" if self._pack else name, fields, loc)
        condition = self._condition(fields, loc)
        doc = self._text(fields, loc, "doc") if "doc" in fields else ""
        if len(self._document.problems) > before or condition is None or verdict is None:
            return None
        return Rule(verdict.rule, condition, verdict, doc, self._pack)

    def _name(self, fields: Fields, loc: Loc) -> str:
        if "name" not in fields:
            self._document.fault(loc, "a rule needs a `name`: verdicts and the trail carry it")
            return ""
        name, at = self._text(fields, loc, "name"), (*loc, "name")
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
            return Verdict("deny", rule, self._text(fields, loc, "deny"), DENIED)
        return self._hold(rule, fields, loc)

    def _allow(self, rule: str, fields: Fields, loc: Loc) -> Verdict:
        if fields["allow"] is not True:
            self._document.fault((*loc, "allow"), "is written `allow: true`; to refuse, `deny: reason`")
        mask = self._text(fields, loc, "mask") if "mask" in fields else None
        if mask and self._profiles is not None and mask not in self._profiles:
            hint = did_you_mean(mask, self._profiles)
            self._document.fault((*loc, "mask"), f"there is no masking profile `{mask}`{hint}")
        size = self._number(fields, loc, "result_bytes_max", whole=True)
        rate = self._rate(fields, loc)
        return Verdict(
            "allow", rule, mask=mask, result_bytes_max=None if size is None else int(size), rate=rate
        )

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
        per_second = self._number(given, at, "per_second", whole=False)
        burst = self._number(given, at, "burst", whole=True)
        return Rate(float(per_second), int(burst)) if per_second and burst else None

    def _hold(self, rule: str, fields: Fields, loc: Loc) -> Verdict:
        given, at = fields["hold"], (*loc, "hold")
        if not isinstance(given, dict):
            self._document.fault(at, "is written `hold: {reviewers: [group], reason: text}`")
            return Verdict("hold", rule)
        known_keys(self._document, at, given, ("reason",) if self._pack else ("reviewers", "reason"))
        reason = self._text(given, at, "reason")
        reviewers = self._reviewers if self._pack else text_list(self._document, (*at, "reviewers"), given)
        return Verdict("hold", rule, reason, HELD, reviewers)

    def _text(self, fields: Fields, loc: Loc, key: str) -> str:
        value = fields.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        where = (*loc, key) if key in fields else loc
        self._document.fault(where, f"`{key}` must be text, and say something")
        return ""

    def _number(self, fields: Fields, loc: Loc, key: str, *, whole: bool) -> float | None:
        if key not in fields:
            return None
        value = fields[key]
        kinds = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
            self._document.fault((*loc, key), f"must be a {'whole ' if whole else ''}number over 0")
            return None
        return float(value) if isinstance(value, float) else value


def known_keys(document: Document, loc: Loc, fields: Fields, known: Collection[str]) -> None:
    """Notes every key of `fields` that is not among `known`."""
    for key in fields:
        if key not in known:
            document.fault((*loc, key), f"there is no `{key}` here{did_you_mean(key, known)}", key=True)


def text_list(document: Document, loc: Loc, fields: Fields) -> tuple[str, ...]:
    """The texts at `loc`, which `fields` must have, at least one."""
    value = fields.get(str(loc[-1]))
    if isinstance(value, list) and value and all(isinstance(each, str) and each for each in value):
        return tuple(str(each) for each in value)
    document.fault(loc, f"`{loc[-1]}` must be a list of names, at least one")
    return ()
