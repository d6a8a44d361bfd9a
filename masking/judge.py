"""Is a candidate a secret? First what settles it alone (placeholders, references, names of things), then weights.

The weights (`rules/weights.toml`) are the logarithms of odds that a trait of the name, the value or the notation
adds; they were fitted on labelled lines and rounded. `explain` shows the traits and their sum.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from masking.assignments import Candidate
from masking.filters import broken, counted_out, not_a_placeholder, published
from masking.names import DENIED, INNOCENT, kind_of_name
from masking.pseudonym import is_masked
from masking.traits import of_key, of_the_rest
from masking.wordlike import wordlike, words

_LITERAL = re.compile(
    r"(?i)^(?:true|false|null|nil|none|undefined|nan|yes|no|on|off|str|string|int|bool|bytes|object|any|text|"
    r"integer|number|array|void|self|this|new|return|optional|required|default|opaque|basic|bearer|enabled|disabled)$"
)
_NAME = r"[A-Za-z_$][a-z_$]*(?:[A-Z][a-z]+)*\d?"
_REFERENCE = re.compile(
    rf"^(?:[a-z][a-z0-9]*:[A-Z][a-z]+(?:[A-Z][a-z]+)+|{_NAME}(?:(?:\.|->|::|\?\.)(?:{_NAME}|[A-Z_]+\d?))+|[A-Za-z_$][\w$]*\[.*|@\w+(?:/[\w.-]+)*"
    r"|(?:vault|ssm|secretsmanager|op|ref|awssm|gcpsm|keyvault|file|env|sops|projects|arn|urn):.*"
    r"|[a-z][a-z0-9]*(?:-[a-z0-9]+)*-v?\d+(?:\.\d+)+|\$[A-Z][A-Z0-9_]{2,}(?:[/.:].*)?|\$\w+|(?:https?|file)://[^@]*|\.{0,2}(?:/[a-z0-9_.@-]+)+/?|[A-Za-z]:\\.*|[\w.-]+/[\w./-]+\.[a-z]{1,5}"
    r"|[a-z]+(?:-[a-z]+)*-(?:token|secret|cred|credential|key|password|tls)s?(?:-[a-z0-9]{1,10})?"
    r"|[\w-]+\.(?:pem|crt|key|cer|json|ya?ml|txt|p12|jks|enc|conf|properties|js|ts|py|go|java|html|php|md|sh|xml))$"
)
_UUID = re.compile(r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
_PUBLIC = re.compile(r"(?i)pub(?:lic)?[_.-]?(?:key|token)(?:[_.-]?(?:data|value|base64|b64|hex))?$")
_ID = re.compile(r"(?<!ecret)(?<!ecret[_.-])(?:(?<=[a-z])I[dD]|[_.-](?:id|ID)|(?<=[A-Z])_ID)$")
_TYPE = re.compile(r"^(?:[A-Z][a-z]{1,20}\d{0,5}){2,6}$")
_GOES_ON = re.compile(r" [a-z]{2}")
_IDS = re.compile(r"^(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-f]{40})$")
_HASH = re.compile(r"^(?:\{[A-Z0-9-]+\})?\$(?:2[abxy]|[156y]|apr1|argon2\w*|pbkdf2[\w-]*|scrypt)\$\S{20,}$")
_SETTING = re.compile(
    r"^[a-z]+(?:[A-Z][a-z]+)*=[\w.]*$|^[a-z]+:[\d.]+$|^(?:UTF|utf|ISO|SHA|sha|AES|MD)-?\d[\w-]*$"
)


def _weights() -> dict[str, float]:
    table = tomllib.loads((files("masking") / "rules" / "weights.toml").read_text("utf-8"))
    return {str(trait): float(weight) for trait, weight in table.items()}


WEIGHTS = MappingProxyType(_weights())
_WEIGHT = WEIGHTS.get
BIAS = WEIGHTS["bias"]


def _in_sentence(c: Candidate) -> bool:
    """Whether it is the first of several words behind a colon."""
    return (
        c.sep == ":"
        and not c.quote
        and c.value.isalpha()
        and c.value.islower()
        and bool(_GOES_ON.match(c.after))
    )


def _is_type(c: Candidate) -> bool:
    """Whether it is the name of a class where one can stand."""
    placed = not c.quote and (c.sep not in {"=", ":="} or c.after[:1] in {"(", "."})
    return placed and bool(_TYPE.match(c.value)) and wordlike(c.value) > 4.4


@lru_cache(maxsize=4096)
def _innocent(key: str) -> bool:
    """Whether its words only look telling, or the first of them says that this is no secret."""
    parts = words(key)
    return bool(parts) and (
        parts[0] in DENIED or (not INNOCENT.isdisjoint(parts) and kind_of_name(key) == "other")
    )


_REASONS: tuple[tuple[str, Callable[[Candidate], object]], ...] = (
    ("masked already", lambda c: is_masked(c.value)),
    ("a literal", lambda c: len(c.value) < 3 or _LITERAL.match(c.value)),
    (
        "a placeholder",
        lambda c: counted_out(c.value) or (not not_a_placeholder(c.value) and not c.value.startswith("{\\")),
    ),
    ("a reference", lambda c: _REFERENCE.match(c.value[:300]) and not _UUID.match(c.value)),
    ("a part of a token", lambda c: broken(c.value)),
    ("public", lambda c: _PUBLIC.search(c.key)),
    ("of another meaning", lambda c: _innocent(c.key)),
    ("a type", _is_type),
    ("a word of a sentence", _in_sentence),
    ("an id", lambda c: _ID.search(c.key) and _IDS.match(c.value)),
    ("the name itself", lambda c: c.value.lower() in c.key.lower().replace("_", "")),
    ("a public part", lambda c: c.value.startswith("-----BEGIN") and "PRIVATE" not in c.value[:60]),
    ("a hash, which has a rule of its own", lambda c: _HASH.match(c.value)),
    (
        "a cookie with its name, which has a rule of its own",
        lambda c: c.key.lower().endswith("cookie") and "=" in c.value,
    ),
    ("what follows a placeholder", lambda c: c.sep == ">" and c.value[0] == "@"),
    ("a command", lambda c: c.quote == "`" and (" " in c.value or "$" in c.value)),
    ("a setting of another name", lambda c: not c.quote and _SETTING.match(c.value)),
)


def ruled_out(c: Candidate) -> str:
    """Why this candidate cannot be a secret, or "" if it can."""
    for reason, holds in _REASONS:
        if holds(c):
            return reason
    return ""


def score(c: Candidate) -> float:
    """The log odds that this candidate is a secret."""
    weight = _WEIGHT
    rest = [weight(trait, 0.0) * amount for trait, amount in of_the_rest(c)]
    return BIAS + sum(rest, _of_key(c.key))


@lru_cache(maxsize=4096)
def _of_key(key: str) -> float:
    """The part of the score that the name alone gives: the same few names come again and again."""
    return sum([_WEIGHT(trait, 0.0) * amount for trait, amount in of_key(key)])


def is_secret(c: Candidate) -> bool:
    """Whether to mask this candidate."""
    return not ruled_out(c) and score(c) > 0 and not published(c.value)


def kind_of(c: Candidate) -> str:
    """The kind its pseudonym shows."""
    return _KINDS.get(kind_of_name(c.key), "secret")


_KINDS = {"password": "password", "token": "token", "key-of": "api-key", "key": "key", "auth": "credential"}
