"""Is a candidate a secret? First what settles it alone (placeholders, references, names of things), then weights.

The weights are the logarithms of odds that a trait of the name, the value or the notation adds; they were fitted on
labelled lines and rounded. `explain` shows the traits and their sum.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from types import MappingProxyType

from masking.assignments import Candidate
from masking.filters import entropy, not_a_placeholder
from masking.pseudonym import is_masked
from masking.wordlike import wordlike, words

PASSWORD = frozenset("password passwd pwd pass passphrase passcode psw pswd passwort pw passwords pswrd".split())
SECRET = frozenset("secret secrets credential credentials cred creds secretkey".split())
TOKEN = frozenset("token tokens jwt pat bearer authtoken accesstoken".split())
KEY = frozenset("key apikey keys".split())
META = frozenset(
    "name names file files path dir url uri endpoint type kind length len size min max count limit policy ttl expiry "
    "expires expire expiration expired timeout duration days seconds enabled disabled enable disable reset required "
    "require field fields header label prompt hint format version algorithm alg issuer method ref refs reference "
    "template manager provider store service account host port user username email at date time created updated "
    "rotation rotate validator validate valid invalid error err message msg text title description desc placeholder "
    "regex pattern mode state status index idx map list class func function handler callback event selector column "
    "table schema arn region group role scope scopes fingerprint thumbprint public pub present exists mount "
    "volume id ids public encrypted hash hashed sha md5 checksum digest foreign primary sort partition compound scheme locator link prefix suffix separator mapping usage bytes bits budget counter page cache".split()
)
_WORDS_OF_KEY = PASSWORD | SECRET | TOKEN | KEY
_LITERAL = re.compile(
    r"(?i)^(?:true|false|null|nil|none|undefined|nan|yes|no|on|off|str|string|int|bool|bytes|object|any|text|"
    r"integer|number|array|void|self|this|new|return|optional|required|default|opaque|basic|bearer|enabled|disabled)$"
)
_NAME = r"[A-Za-z_$][a-z_$]*(?:[A-Z][a-z]+)*\d?"
_REFERENCE = re.compile(
    rf"^(?:{_NAME}(?:(?:\.|->|::|\?\.)(?:{_NAME}|[A-Z_]+\d?))+|[A-Za-z_$][\w$]*\[.*|@\w+(?:/[\w.-]+)*"
    r"|(?:vault|ssm|secretsmanager|op|ref|awssm|gcpsm|keyvault|file|env|sops|projects|arn|urn):.*"
    r"|\$\w+|(?:https?|file)://[^@]*|\.{0,2}(?:/[a-z0-9_.@-]+)+/?|[A-Za-z]:\\.*|[\w.-]+/[\w./-]+\.[a-z]{1,5}"
    r"|[\w-]+\.(?:pem|crt|key|cer|json|ya?ml|txt|p12|jks|enc|conf|properties|js|ts|py|go|java|html|php|md|sh|xml))$"
)
_HEX = re.compile(r"^[0-9a-fA-F]+$")
_UUID = re.compile(r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$")
_CAMEL = re.compile(r"^[a-z]+(?:[A-Z][a-z]+)+\d?$|^(?:[A-Z][a-z]+){2,}\d?$")
_SNAKE = re.compile(r"^[a-z]+(?:[_.-][a-z]+)+$|^[A-Z]+(?:_[A-Z]+)+$")
_NUMBER = re.compile(r"^[-+]?[\d.,:_]+(?:[smhd]|ms|ns|Mi|Gi|px|%)?$")



def _weights() -> dict[str, float]:
    table = tomllib.loads((files("masking") / "rules" / "weights.toml").read_text("utf-8"))
    return {str(trait): float(weight) for trait, weight in table.items()}


WEIGHTS = MappingProxyType(_weights())
BIAS = WEIGHTS["bias"]


def ruled_out(c: Candidate) -> str:
    """Why this candidate cannot be a secret, or "" if it can."""
    value = c.value
    if is_masked(value):
        return "masked already"
    if len(value) < 3 or _LITERAL.match(value):
        return "a literal"
    if not not_a_placeholder(value) and not value.startswith("{\\"):
        return "a placeholder"
    if _REFERENCE.match(value[:300]) and not _UUID.match(value):
        return "a reference"
    if value.lower() in c.key.lower().replace("_", ""):
        return "the name itself"
    if value.startswith("-----BEGIN") and "PRIVATE" not in value[:60]:
        return "a public part"
    if _HASH.match(value):
        return "a hash, which has a rule of its own"
    if c.key.lower().endswith("cookie") and "=" in value:
        return "a cookie with its name, which has a rule of its own"
    if c.sep == ">" and value[0] == "@":
        return "what follows a placeholder"
    if c.quote == "`" and (" " in value or "$" in value):
        return "a command"
    if not c.quote and _SETTING.match(value):
        return "a setting of another name"
    return ""


_LOOK = 256
"""How much of a long value is looked at."""

_HASH = re.compile(r"^(?:\{[A-Z0-9-]+\})?\$(?:2[abxy]|[156y]|apr1|argon2\w*|pbkdf2[\w-]*|scrypt)\$\S{20,}$")
_SETTING = re.compile(r"^[a-z]+(?:[A-Z][a-z]+)*=[\w.]*$|^[a-z]+:[\d.]+$|^(?:UTF|utf|ISO|SHA|sha|AES|MD)-?\d[\w-]*$")
_WHOLE_LINE = re.compile(r"""(?:\n|^)[ \t]*(?:- |export |set |ENV )?["']?$""")


def traits(c: Candidate) -> Iterator[tuple[str, float]]:
    """What there is about this candidate: (trait, amount)."""
    yield from _of_key(c.key)
    yield from _of_notation(c)
    yield from _of_value(c.value)
    kind = kind_of_name(c.key)
    yield f"{kind}:{_make(c.value)}", 1.0
    if kind in _WORDS_FOR and _CHOSEN.match(c.value):
        yield "chosen", 1.0
        if c.sep == "pair" or c.quote or c.key.isupper() or "." in c.key:
            yield "chosen-in-settings", 1.0


def _of_key(key: str) -> Iterator[tuple[str, float]]:
    parts = words(key)
    kinds = [
        (index, kind)
        for index, part in enumerate(parts)
        for kind in [_kind(part)]
        if kind
    ]
    last, kind = kinds[-1] if kinds else (len(parts), "other")
    if kind == "key" and last:
        kind = "key-of" if parts[last - 1] in _KEY_OF else "key"
    yield "name:" + kind, 1.0
    if len(parts) == 1:
        yield "name:alone", 1.0
    tail = parts[last + 1 :]
    if any(part in META for part in tail):
        yield "name:about", 1.0
    elif tail:
        yield "name:tail", 1.0
    if any(part in META for part in parts[:last]):
        yield "name:head-about", 1.0
    if key.isupper():
        yield "name:upper", 1.0


_KEY_OF = frozenset(
    "api access private secret client consumer auth encryption signing app application license shared master storage "
    "account service admin subscription write read hmac session cipher crypto aes integration ingestion".split()
)


def _kind(part: str) -> str:
    if part in PASSWORD or part.endswith(("password", "passwd", "passphrase", "pwd")):
        return "password"
    if part in SECRET or part.endswith("secret"):
        return "secret"
    if part in TOKEN or part.endswith("token"):
        return "token"
    if part.endswith(("apikey", "accesskey", "secretkey", "privatekey")):
        return "key-of"
    if part in KEY:
        return "key"
    if part in ("auth", "authorization", "oauth", "signature", "sig", "seed", "cookie", "session", "cipher"):
        return "auth"
    return ""


_WORDS_FOR = frozenset({"password", "secret", "token", "key-of"})
_CHOSEN = re.compile(r"^[A-Za-z@$]{3,12}(?:[-_.@!$]?[A-Za-z]{3,12}){0,3}[-_.@!$]?\d{2,6}[!#$%&*@.?]{0,3}$")
"""What people choose: words, digits behind them, a sign at the end. Values in settings are like that, names are not."""


def kind_of_name(name: str) -> str:
    """What the last telling word of this name stands for: password, secret, token, key, key-of, auth, or other."""
    kinds = [kind for part in words(name) if (kind := _kind(part))]
    return kinds[-1] if kinds else "other"


def _make(value: str) -> str:
    """What a value is made of: letters, digits, both, with symbols or without, in words or not."""
    digits, letters = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    if digits and letters:
        return "mixed" if value.isalnum() else "mixed-and-symbols"
    if letters:
        like = "words" if wordlike(value) > 4.4 else "letters"
        return like if value.isalpha() else like + "-and-symbols"
    return "digits"


def _of_notation(c: Candidate) -> Iterator[tuple[str, float]]:
    yield "sep:" + (c.sep if c.sep in _SEPS else "pair" if c.sep[-1:] in ":=" and len(c.sep) > 3 else "other"), 1.0
    yield ("quoted" if c.quote else "bare"), 1.0
    if c.call:
        yield "call", 1.0
    if _WHOLE_LINE.search(c.before):
        yield "line-begins", 1.0
        if c.after.strip("\"'`,; \r")[:1] in ("", "\n"):
            yield "line-of-its-own", 1.0
    if c.before[-1:] in "?&":
        yield "query", 1.0
    if not c.quote and c.after[:1] in "([.":
        yield "goes-on", 1.0
    if not c.quote and c.sep == "=" and c.key.isupper():
        yield "dotenv", 1.0


_SEPS = frozenset([":", "=", ":=", "=>", ",", " ", ">", "(", "->", "+=", "?=", "==", "!=", "||", "===", "!=="])


def _of_value(value: str) -> Iterator[tuple[str, float]]:
    value = value[:_LOOK]
    size = len(value)
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    like = wordlike(value)
    yield "length", min(math.log2(size), 6.0)
    yield "entropy", entropy(value)
    yield "wordlike", like
    if letters == size:
        yield "letters-only", 1.0
        yield "letters-only:wordlike", like
    if digits and letters:
        yield "letters-and-digits", 1.0
        yield "digit-share", digits / size
    if digits == size or _NUMBER.match(value):
        yield "number", 1.0
    if value.lower() != value and value.upper() != value:
        yield "both-cases", 1.0
    if size - digits - letters:
        yield "symbols", 1.0
    if " " in value:
        yield "spaces", min(3.0, value.count(" "))
    if not value.isascii():
        yield "not-ascii", 1.0
    yield from _forms(value, size)


def _forms(value: str, size: int) -> Iterator[tuple[str, float]]:
    if _HEX.match(value) and size >= 16:
        yield "hex", 1.0
    if _UUID.match(value):
        yield "uuid", 1.0
    if _CAMEL.match(value):
        yield "camel", 1.0
    if _SNAKE.match(value):
        yield "snake", 1.0
        yield "snake-parts", min(4.0, len(words(value)))
    if any(part in _WORDS_OF_KEY for part in words(value)):
        yield "names-a-secret", 1.0
    if size >= 20:
        yield "long", 1.0


def score(c: Candidate) -> float:
    """The log odds that this candidate is a secret."""
    return BIAS + sum(WEIGHTS.get(trait, 0.0) * amount for trait, amount in traits(c))


def is_secret(c: Candidate) -> bool:
    """Whether to mask this candidate."""
    return not ruled_out(c) and score(c) > 0


def kind_of(c: Candidate) -> str:
    """The kind its pseudonym shows."""
    return _KINDS.get(kind_of_name(c.key), "secret")


_KINDS = {"password": "password", "token": "token", "key-of": "api-key", "key": "key", "auth": "credential"}
