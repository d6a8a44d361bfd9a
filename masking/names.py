"""What the name of a value says about it: the words of `rules/names.toml`."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files

from masking.wordlike import words

_ENDINGS = (
    ("password", ("password", "passwd", "passphrase", "pwd")),
    ("secret", ("secret",)),
    ("token", ("token",)),
    ("key-of", ("apikey", "accesskey", "secretkey", "privatekey")),
)


def _lists() -> dict[str, frozenset[str]]:
    table = tomllib.loads((files("masking") / "rules" / "names.toml").read_text("utf-8"))
    return {name: frozenset(map(str, listed)) for name, listed in table.items()}


def _services() -> frozenset[str]:
    """The services whose keys have no form of their own: the names of the rule `service-key`."""
    table = tomllib.loads((files("masking") / "rules" / "generic.toml").read_text("utf-8"))
    return frozenset(name for rule in table["rule"] for name in rule.get("names", ()))


_LISTS = _lists()
SERVICES = _services()
_KINDS = ("password", "secret", "token", "key", "auth")
ABOUT, KEY_OF, NEUTRAL = _LISTS["about"], _LISTS["key_of"], _LISTS["neutral"]
INNOCENT, DENIED = _LISTS["innocent"], _LISTS["denied"]
TELLING = _LISTS["password"] | _LISTS["secret"] | _LISTS["token"] | _LISTS["key"]


@lru_cache(maxsize=4096)
def kind_of_word(word: str) -> str:
    """password, secret, token, key-of, key or auth; "" for a word that tells nothing."""
    for kind in _KINDS[:3]:
        if word in _LISTS[kind]:
            return kind
    for kind, endings in _ENDINGS:
        if word.endswith(endings):
            return kind
    return next((kind for kind in _KINDS if word in _LISTS[kind]), "")


@lru_cache(maxsize=4096)
def kind_of_name(name: str) -> str:
    """What the last telling word of this name stands for; "other" if there is none."""
    return next((kind for word in reversed(words(name)) if (kind := kind_of_word(word))), "other")
