"""Checks on a value that a pattern has found: is it a secret, or does it only stand where one could
stand?
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.resources import files
from itertools import pairwise

from masking import checksums
from masking.pseudonym import is_masked
from masking.wordlike import wordlike

PLACEHOLDER = re.compile(
    r"(?i)^(?:<.*|[{\[(].*[}\])]|%[\w-]+%|%[sdvq].*|\*+|[x*.\-_#]{3,}|(.)\1{3,}"
    r"|.*(?:x{6,}|\*{4,}|#{4,}|\.{3}|\$\{|\{\{|#\{|<%|\$\().*"
    r"|.*(?:placeholder|redacted|removed|change[-_]?(?:me|it|this)"
    r"|your[-_ ]?(?:own|secret|token|pass|api|key|very|access)"
    r"|replace[-_]?(?:me|with|this)|insert[-_]|todo|fixme|dummy|put[-_]|enter[-_]|_here|-here|string_?here"
    r"|not[-_]?(?:a|real)[-_]).*"
    r"|(?:my|your|the|a|new|old|test|some|fake|mock|super|very|user|db|admin|invalid|wrong)?[-_ ]?"
    r"(?:pass(?:word|wd)?|passw0rd|pwd|secret|token|api[-_ ]?key|key|credentials?)[-_ ]?\d{0,3}"
    r"|foo(?:bar)?|bar|baz|hunter2?|test(?:ing)?[123]{0,3}|admin(?:123)?|root|guest|user\d?|abc(?:123|def)?|s3cr3t"
    r"|.*example(?:key|token|secret)?)$",
    re.DOTALL,
)


def _published() -> frozenset[str]:
    text = (files("masking") / "rules" / "published.toml").read_text("utf-8")
    return frozenset(map(str, tomllib.loads(text)["sha256"]))


PUBLISHED = _published()


def published(value: str) -> bool:
    """Whether a vendor has published this value as an example."""
    return hashlib.sha256(value.encode("latin-1")).hexdigest()[:16] in PUBLISHED


_LOOK = 256
"""How much of a long value is looked at from either end."""


def entropy(value: str) -> float:
    """Shannon entropy in bits a character."""
    value = value[:_LOOK]
    size = len(value)
    if not size:
        return 0.0
    return math.log2(size) - sum(map(_N_LOG_N.__getitem__, Counter(value).values())) / size


_N_LOG_N = (0.0, *(n * math.log2(n) for n in range(1, _LOOK + 1)))


def not_a_placeholder(value: str) -> bool:
    """Whether this does not say of itself that it stands for a secret (`<token>`, `${TOKEN}`, `xxxx`)."""
    looked_at = value if len(value) <= 2 * _LOOK else value[:_LOOK] + value[-_LOOK:]
    return _plainly_none(looked_at) or PLACEHOLDER.match(looked_at) is None


_WHOLE_PLACEHOLDERS = 24
"""Letters and digits: no placeholder of so many is told by all of it, but by one of these in it."""
_IN_PLACEHOLDERS = (
    *("placeholder", "redacted", "removed", "change", "your", "replace", "insert", "todo", "fixme", "dummy"),
    *("put", "enter", "here", "not", "example", "xxxxxx"),
)


def _plainly_none(value: str) -> bool:
    """Whether the pattern cannot match, told without it: most secrets are long, letters and digits."""
    if len(value) < _WHOLE_PLACEHOLDERS or not value.isalnum():
        return False
    low = value.lower()
    return low[0] != low[1] and not [True for sign in _IN_PLACEHOLDERS if sign in low]


def counted_out(value: str) -> bool:
    """Whether it is the alphabet and the digits in their order: `012345abcdef`."""
    if len(value) < 8 or not value.isalnum() or value.isdigit():
        return False
    breaks = (b for a, b in pairwise(value) if ord(b) - ord(a) != 1 and a + b != "90")
    return next(breaks, "") == "" or next(breaks, "") == ""


def mixed(value: str) -> bool:
    """Whether digits stand among the letters, or both cases do: prose after `Bearer` does not."""
    return _DIGIT.search(value) is not None or not (value.islower() or value.isupper() or value.istitle())


def odd(value: str) -> bool:
    """Whether it is no word: it has digits, or letters in an order no language has."""
    return _DIGIT.search(value) is not None or wordlike(value) < 3.5


_DIGIT = re.compile(r"[0-9\xb2\xb3\xb9]")
"""What `str.isdigit` takes for digits in a view."""


_HEX = re.compile(r"[0-9a-f]{20,}|[0-9A-F]{20,}")
_SAME = re.compile(r"(.)\1{7}")


def random(value: str) -> bool:
    """Whether it looks made by a generator: many different characters, not words, digits among letters."""
    if _SAME.search(value):
        return False
    value = value[:_LOOK]
    digits = sum(map(str.isdigit, value))
    if 0 < digits < len(value) and _HEX.fullmatch(value):
        return entropy(value) >= 2.9
    if not 0 < digits < len(value):
        return len(value) >= 16 and wordlike(value) < 3.6 and not value.isdigit()
    return entropy(value) >= (2.5 if len(value) < 24 else 2.9) and wordlike(value) < 5.0


def generated(value: str) -> bool:
    """Whether it may be made by a generator, beside the name of a service: as `random`, or long and no
    words.
    """
    if random(value):
        return True
    if value.isdigit():
        return len(value) >= 15 and not _SAME.search(value)
    return len(value) >= 20 and not _SAME.search(value) and wordlike(value) < 4.6


_VARIABLE = re.compile(r"^(?:\$\w+|%\w+%|\$\(.*|\{.*|<.*|\[.*|:?\w*\}\}?|[\\*.]+|x+)$", re.IGNORECASE)


def password(value: str) -> bool:
    """Whether a password may be it: not a variable, a format directive, or a word that stands for one."""
    return (
        _VARIABLE.match(value) is None
        and not_a_placeholder(value)
        and not_a_placeholder(value.strip("<>[]{}"))
    )


def value(text: str) -> bool:
    """Whether it is a value at all, be it a weak one: no variable, format directive or row of crosses."""
    return _VARIABLE.match(text) is None and "${" not in text and "$(" not in text and "{{" not in text


_ARMOUR = re.compile(r"[A-Za-z0-9+/]{16}")


def armour(value: str) -> bool:
    """Whether a PEM body holds a key and is not code that would print one."""
    return _ARMOUR.search(value) is not None and "..." not in value


def encrypted(value: str) -> bool:
    """Whether a PEM body is of an encrypted key."""
    return armour(value) and "ENCRYPTED" in value[:80]


def open_armour(value: str) -> bool:
    """Whether a PEM body is of a key that needs no passphrase."""
    return armour(value) and not encrypted(value)


def basic(value: str) -> bool:
    """Whether it decodes to `user:password`."""
    try:
        plain = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b":" in plain and plain.isascii() and not_a_placeholder(plain.partition(b":")[2].decode())


def authorization(value: str) -> bool:
    """Whether the value of an authorization header is a credential and no word that describes one."""
    return not_a_placeholder(value) and (odd(value) or mixed(value)) and not value.endswith("..")


def token_header(value: str) -> bool:
    """Whether this is not an encrypted token (JWE): its header names a content encryption."""
    head = value.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError):
        return mixed(value)
    return isinstance(header, dict) and "enc" not in header


_BEGINS = re.compile(
    r"xox[bpe]-|xapp-|hv[sbr]\.|s\.(?=[A-Za-z0-9]{27,40}$)|AIza|sgp_|sm_[aps]at_|[0-9]{3,20}:A[A-Za-z0-9_-]{20,}$|sk-ant-"
)
_WHOLE = re.compile(
    r"xox[pe](?:-[0-9]{8,14}){1,3}-[0-9A-Za-z]{20,240}|xoxe?(?:b|\.xox[bp])-[0-9A-Za-z-]{20,240}|xoxe-[0-9]-[0-9A-Za-z-]{40,240}|xapp-.{20,}"
    r"|hv[sbr]\.(?:[A-Za-z0-9_-]{60,500}|[A-Za-z0-9]{24})|s\.[A-Za-z0-9]{24,26}|AIza[0-9A-Za-z_-]{35}"
    r"|sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}|sm_[aps]at_[A-Za-z0-9]{16,32}|[0-9]{5,16}:A[A-Za-z0-9_-]{34}"
    r"|sk-ant-[A-Za-z0-9_-]{60,140}"
)


def broken(value: str) -> bool:
    """Whether this begins like the token of a vendor and is none: too short, too long, or with signs it never has."""
    return _BEGINS.match(value) is not None and _WHOLE.fullmatch(value) is None


def card(text: str) -> bool:
    """Whether the first digits are of a card scheme, and the length is one of its lengths (ISO/IEC 7812)."""
    plain = "".join(c for c in text if c.isdigit())
    return plain[0] in "23456" or plain.startswith(("0604", "1800"))


def not_a_service_account(text: str) -> bool:
    """Whether an address may be a person's: not an identity of a machine, not `user@example.com`."""
    name, _, host = text.lower().partition("@")
    return not host.endswith(
        (".iam.gserviceaccount.com", ".local", ".internal", ".svc", "users.noreply.github.com")
    ) and (name not in ("git", "noreply", "no-reply", "root", "bot"))


FILTERS: Mapping[str, Callable[[str], bool]] = {
    "placeholder": not_a_placeholder,
    "mixed": mixed,
    "odd": odd,
    "random": random,
    "generated": generated,
    "password": password,
    "value": value,
    "basic": basic,
    "authorization": authorization,
    "token-header": token_header,
    "armour": armour,
    "encrypted": encrypted,
    "open-armour": open_armour,
    "card": card,
    "not-a-service-account": not_a_service_account,
    "luhn": checksums.luhn,
    "iban": checksums.iban,
    "us-ssn": checksums.us_ssn,
    "nhs": checksums.nhs,
    "pesel": checksums.pesel,
    "bsn": checksums.bsn,
    "dni": checksums.dni,
    "nir": checksums.nir,
    "steuer-id": checksums.steuer_id,
    "cpf": checksums.cpf,
    "verhoeff": checksums.verhoeff,
    "codice-fiscale": checksums.codice_fiscale,
    "ahv": checksums.ahv,
    "global-ip": checksums.global_ip,
    "phone": checksums.phone,
}


def passes(value: str, filters: tuple[str, ...], least_entropy: float) -> bool:
    """Whether a found value is to be masked: not masked already, and all its rule's checks hold."""
    if is_masked(value) or (least_entropy and entropy(value) < least_entropy):
        return False
    return all(FILTERS[name](value) for name in filters) and not published(value)
