"""Persons and addresses by the name of the field that holds them: `"first_name": "Ingeborg"`, `city: Oslo`.

A key that other things have too (`name`, `address`) counts only when its value looks like a person's or a place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from masking.filters import not_a_placeholder
from masking.found import Found
from masking.names_lists import UPPER

_PERSON = (
    "first|last|middle|full|given|family|maiden|legal|preferred|holder|account holder|cardholder|customer|patient"
    "|contact|employee|recipient|beneficiary|sender|spouse|guardian"
)
KEYS = {
    "person": (
        rf"(?:{_PERSON})name",
        "surname",
        "forename",
        "lastname",
        "firstname",
        "nameoncard",
        "signedby",
    ),
    "address": (
        r"street(?:name|address|number|line\d?)?",
        r"(?:address)?line[12]",
        r"(?:postal|mailing|home|billing|shipping|residential|delivery)address",
        r"zip(?:code)?",
        r"post(?:al)?code",
        "city",
        "town",
        "placeofbirth",
        "birthplace",
    ),
    "date": ("dateofbirth", "birthdate", "birthday", "dob"),
    "document": ("passport(?:number|no)?", "driver?s?licen[cs]e(?:number|no)?", "nationalid", "idcardnumber"),
}
"""Patterns of keys, in small letters and without the signs between their words."""

UNSURE = {
    "person": ("name", "displayname", "owner", "author", "assignee", "manager"),
    "address": ("address", "location"),
}
"""Keys that count when the value has two words or more that begin with capitals."""

_VALUE = r"(?:[^\"\\\n]|\\+u[0-9a-fA-F]{4}){2,120}"
_KEY = r"(?P<key>[A-Za-z][A-Za-z _-]{1,30}\d?)"
_JSON = re.compile(rf"(?P<q>\\{{0,7}}+\"){_KEY}(?P=q)\s{{0,4}}:\s{{0,4}}(?P=q)(?P<it>{_VALUE})(?P=q)")
_LINE = re.compile(
    rf"(?m)^[ \t]*+(?:- )?{_KEY}[ \t]*[:=][ \t]+[\"']?"
    r"(?P<it>[^\s\"'\\|>&*{\[][^\"'\n\\]{0,119}?)[\"']?[ \t]*$"
)
_SIGNS = re.compile(r"[ _-]")
_SURE = [(kind, re.compile("|".join(keys))) for kind, keys in KEYS.items()]
_CAPITALS = re.compile(
    rf"\d{{0,5}} ?[{UPPER}][\w.’'-]+(?:,? (?:[a-z]{{2,3}} )?(?:[{UPPER}][\w.’'-]*|\d{{1,6}})){{1,6}}"
)
_NOTHING = frozenset(
    {"null", "none", "nan", "true", "false", "n/a", "unknown", "string", "undefined", "test", "default"}
)


def by_key(view: str) -> Iterator[Found]:
    """What fields of persons hold in this view, JSON (also inside strings) or lines of `key: value`."""
    for pattern in (_JSON, _LINE):
        for match in pattern.finditer(view):
            value = match["it"]
            kind = kind_of(match["key"], value)
            if kind:
                yield Found(*match.span("it"), f"name:{kind}", kind, value)


def kind_of(key: str, value: str) -> str:
    """What a field of this name holds when it holds this; "" for nothing of a person."""
    if value.lower() in _NOTHING or not not_a_placeholder(value) or "$" in value or "{" in value:
        return ""
    bare = _SIGNS.sub("", key).lower()
    for kind, pattern in _SURE:
        if pattern.fullmatch(bare):
            return kind
    text = value.encode("latin-1").decode("utf-8", "replace")
    return next((kind for kind, keys in UNSURE.items() if bare in keys and _CAPITALS.fullmatch(text)), "")
