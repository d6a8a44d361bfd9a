"""A policy file to the policy it describes, or to all that is wrong with it.

default: deny
packs: [kubernetes]
rules:
  - name: reading
    when: has(tool.annotations.readOnlyHint) && tool.annotations.readOnlyHint
    allow: true
"""

import json
from collections.abc import Collection
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from gateway.policy.engine import Policy, Rule
from gateway.policy.fields import Fields, known_keys
from gateway.policy.holds import TERMS, WHO, HoldReader
from gateway.policy.packs import Pack, read_pack, texts
from gateway.policy.problems import PolicyError, Problem, did_you_mean
from gateway.policy.rules import DEFAULT, DENIED, RuleReader
from gateway.policy.source import Document, Loc, Value, parse
from gateway.policy.verdict import Hold, Verdict

FILE_BYTES_MAX: Final = 1024 * 1024
RULES_MAX: Final = 1_000
_FORMAT: Final = 1  # goes into the version: raised when the same file comes to mean something else
_DEFAULTS: Final = {
    "allow": Verdict("allow", DEFAULT),
    "deny": Verdict("deny", DEFAULT, "no rule allows this call", DENIED),
}


def load_policy(file: Path, profiles: Collection[str] | None = None) -> Policy:
    """The policy in `file`. Raises PolicyError, with a line for everything that is wrong.

    `profiles`: the masking profiles there are; without them, the names in `mask` are not checked.
    """
    try:
        size = file.stat().st_size
        raw = file.read_bytes() if size <= FILE_BYTES_MAX else b""
        text = raw.decode("utf-8")
    except OSError as error:
        raise PolicyError(file, [Problem(0, 0, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise PolicyError(file, [Problem(0, 0, "is not UTF-8 text; save it as UTF-8")]) from None
    if size > FILE_BYTES_MAX:
        raise PolicyError(file, [Problem(0, 0, f"is larger than {FILE_BYTES_MAX} bytes; split it")])
    return read_policy(text, file, profiles)


def read_policy(text: str, file: Path, profiles: Collection[str] | None = None) -> Policy:
    """The policy that `text` describes; `file` is what problems name. Raises PolicyError."""
    document = parse(text)
    policy = None
    if isinstance(document.value, dict):
        policy = _Reader(document, profiles).read(document.value)
    elif not document.problems:
        document.problems.append(Problem(1, 1, "a policy begins with `default: deny` or `default: allow`"))
    if policy is None or document.problems:
        raise PolicyError(file, document.problems)
    policy.text = text
    return policy


class _Reader:
    """Puts the rules of a file and of its packs in order."""

    def __init__(self, document: Document, profiles: Collection[str] | None) -> None:
        self._document = document
        self._profiles = profiles
        self._own = RuleReader(document, profiles)
        self._rules: list[Rule] = []
        self._packs: dict[str, int] = {}

    def read(self, content: Fields) -> Policy | None:
        known_keys(self._document, (), content, ("default", "packs", "rules"))
        default = content.get("default")
        if default not in ("allow", "deny"):
            loc: Loc = ("default",) if "default" in content else ()
            told = (
                "must say `allow` or `deny`" if loc else "a policy needs `default: allow` or `default: deny`"
            )
            self._document.fault(loc, told)
        for index, item in enumerate(self._list(content, "rules")):
            self._item(item, ("rules", index))
        for index, item in enumerate(self._list(content, "packs")):
            entry: Value = {"pack": item} if isinstance(item, str) else item
            self._item(entry, ("packs", index), packs_only=True)
        if len(self._rules) > RULES_MAX:
            self._document.fault(("rules",), f"there are more than {RULES_MAX} rules")
        if self._document.problems:
            return None
        return Policy(self._rules, _DEFAULTS[str(default)], _digest(str(default), self._rules))

    def _list(self, content: Fields, key: str) -> list[Value]:
        value = content.get(key)
        if value is None or isinstance(value, list):
            return value or []
        self._document.fault((key,), f"`{key}` must be a list")
        return []

    def _item(self, item: Value, loc: Loc, *, packs_only: bool = False) -> None:
        if not isinstance(item, dict):
            wanted = "a pack's name" if packs_only else "a rule, with `name`, `when` and an outcome"
            self._document.fault(loc, f"must be {wanted}")
        elif "pack" in item or packs_only:
            self._pack(item, loc)
        elif rule := self._own.read(item, loc):
            self._rules.append(rule)

    def _pack(self, item: Fields, loc: Loc) -> None:
        known_keys(self._document, loc, item, ("pack", "with", "reviewers", "hold"))
        name = item.get("pack")
        at = (*loc, "pack") if (*loc, "pack") in self._document.nodes else loc
        try:
            pack = read_pack(name if isinstance(name, str) else "")
        except KeyError as error:
            self._document.fault(at, str(error.args[0]))
            return
        if pack.name in self._packs:
            self._document.fault(
                at, f"the pack `{pack.name}` stands on line {self._packs[pack.name]} already"
            )
            return
        self._packs[pack.name] = self._document.place(at)[0]
        settings = self._settings(pack, item, loc)
        self._add_rules(pack, settings, self._hold(item, loc), at)

    def _hold(self, item: Fields, loc: Loc) -> Hold | None:
        """Who has to agree to what a pack holds, and how; None: nobody can. `reviewers` is short for `hold`."""
        if "hold" not in item:
            return HoldReader(self._document).read(item, loc) if "reviewers" in item else None
        given, at = item["hold"], (*loc, "hold")
        if "reviewers" in item:
            self._document.fault((*loc, "reviewers"), "`reviewers` stands in `hold`; keep that one", key=True)
        if not isinstance(given, dict):
            self._document.fault(at, "is written `hold: {reviewers: [group], expires: 15m}`")
            return None
        known_keys(self._document, at, given, (*WHO, *TERMS))
        return HoldReader(self._document).read(given, at)

    def _settings(self, pack: Pack, item: Fields, loc: Loc) -> dict[str, list[str]]:
        given, at = item.get("with", {}), (*loc, "with")
        settings = dict(pack.settings)
        if not isinstance(given, dict):
            self._document.fault(at, "`with` names settings of the pack, each a list of text")
            return settings
        for key, value in given.items():
            if key not in settings:
                hint = did_you_mean(key, settings)
                self._document.fault(
                    (*at, key), f"the pack `{pack.name}` has no setting `{key}`{hint}", key=True
                )
                continue
            try:
                settings[key] = texts(value)
            except ValueError as error:
                self._document.fault((*at, key), f"`{key}` {error}")
        return settings

    def _add_rules(self, pack: Pack, settings: dict[str, list[str]], hold: Hold | None, at: Loc) -> None:
        values = {**pack.constants, **settings}
        reader = RuleReader(pack.document, self._profiles, pack.name, values, hold)
        content = pack.document.value
        assert isinstance(content, dict)
        items = content["rules"]
        assert isinstance(items, list)
        for index, item in enumerate(items):
            assert isinstance(item, dict)
            if rule := reader.read(item, ("rules", index)):
                self._rules.append(rule)
        for problem in pack.document.problems:
            self._document.fault(at, f"pack {pack.name}, line {problem.line}: {problem.text}")


def _digest(default: str, rules: list[Rule]) -> str:
    """SHA-256 over all that decides, in one form: not over comments, docs, or how the file is laid out."""
    content = {"format": _FORMAT, "default": default, "rules": [_canonical(rule) for rule in rules]}
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _canonical(rule: Rule) -> dict[str, Any]:
    verdict = rule.verdict
    terms = {"hold": asdict(verdict.hold)} if verdict.hold else {}
    return {
        **terms,
        **({"impersonation": True} if verdict.impersonate else {}),
        "name": rule.name,
        "when": rule.condition.text.strip(),
        "action": verdict.action,
        "reason": verdict.reason,
        "reviewers": verdict.reviewers,
        "mask": verdict.mask,
        "result_bytes_max": verdict.result_bytes_max,
        "rate": [verdict.rate.per_second, verdict.rate.burst] if verdict.rate else None,
    }
