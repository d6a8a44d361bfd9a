"""Check digits of identifiers: what tells a card or an account from any other row of digits.

Sources: ISO/IEC 7812 (Luhn), ISO 13616 and ISO/IEC 7064 (IBAN, mod 97-10), the issuers' own published
rules for the national ones. Each takes the text as it was found and answers whether it can be such an
identifier.
"""

from __future__ import annotations

import ipaddress
import re

_SEPARATORS = re.compile(r"[\s./-]+")


def digits_of(text: str) -> list[int]:
    """The digits of a text, in order."""
    return [int(c) for c in text if c.isdigit()]


def luhn(text: str) -> bool:
    """Cards (12 to 19 digits), Canadian SIN, IMEI: not all the same digit, and the Luhn sum is right."""
    digits = digits_of(text)
    if len(set(digits)) < 2:
        return False
    doubled = [d if i % 2 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits), 1)]
    return sum(doubled) % 10 == 0


def iban(text: str) -> bool:
    """Two letters, two digits, up to thirty more; mod 97 is 1."""
    plain = _SEPARATORS.sub("", text).upper()
    turned = plain[4:] + plain[:4]
    if not turned.isalnum() or not turned.isascii():
        return False
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def us_ssn(text: str) -> bool:
    """Area not 000, 666 or 900 and above; group not 00; serial not 0000."""
    digits = "".join(map(str, digits_of(text)))
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _weighted(text: str, weights: list[int], modulus: int) -> int:
    return sum(d * w for d, w in zip(digits_of(text), weights, strict=False)) % modulus


def nhs(text: str) -> bool:
    """United Kingdom, NHS number: mod 11 over nine digits."""
    digits = digits_of(text)
    check = 11 - _weighted(text, [10, 9, 8, 7, 6, 5, 4, 3, 2], 11)
    return len(digits) == 10 and check % 11 == digits[9] and check != 10


def pesel(text: str) -> bool:
    """Poland."""
    digits = digits_of(text)
    return len(digits) == 11 and _weighted(text, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], 10) == 0


def bsn(text: str) -> bool:
    """Netherlands: the eleven test."""
    return len(digits_of(text)) == 9 and _weighted(text, [9, 8, 7, 6, 5, 4, 3, 2, -1], 11) == 0


def dni(text: str) -> bool:
    """Spain, DNI and NIE: the letter is the number mod 23."""
    plain = _SEPARATORS.sub("", text).upper()
    number = plain[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == plain[-1]


def nir(text: str) -> bool:
    """France: 97 minus the number mod 97; Corsica counts as 19 and 18."""
    plain = _SEPARATORS.sub("", text).upper()
    number = plain[:13].replace("2A", "19").replace("2B", "18")
    return number.isdigit() and 97 - int(number) % 97 == int(plain[13:15])


def steuer_id(text: str) -> bool:
    """Germany: eleven digits, ISO 7064 mod 11,10; one digit of the first ten occurs twice or three times."""
    digits = digits_of(text)
    if len(digits) != 11 or digits[0] == 0 or len(set(digits[:10])) not in (8, 9):
        return False
    product = 10
    for digit in digits[:10]:
        total = (digit + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == digits[10]


def _cpf_digit(digits: list[int]) -> int:
    total = sum(d * w for d, w in zip(digits, range(len(digits) + 1, 1, -1), strict=True))
    return total * 10 % 11 % 10


def cpf(text: str) -> bool:
    """Brazil: two check digits, not all the same digit."""
    digits = digits_of(text)
    return (
        len(digits) == 11
        and len(set(digits)) > 1
        and _cpf_digit(digits[:9]) == digits[9]
        and _cpf_digit(digits[:10]) == digits[10]
    )


_D = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
)
_D2 = ("8765932104", "9876543210")
_P = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def verhoeff(text: str) -> bool:
    """India, Aadhaar: twelve digits under Verhoeff's scheme, the first not 0 or 1."""
    digits = digits_of(text)
    if len(digits) != 12 or digits[0] < 2:
        return False
    table = _D + _D2
    check = 0
    for index, digit in enumerate(reversed(digits)):
        check = int(table[check][int(_P[index % 8][digit])])
    return check == 0


_ODD_VALUES = "1 0 5 7 9 13 15 17 19 21 1 0 5 7 9 13 15 17 19 21 2 4 18 20 11 3 6 8 12 14 16 10 22 25 24 23"
_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", map(int, _ODD_VALUES.split(" ")), strict=True))


def codice_fiscale(text: str) -> bool:
    """Italy: the last letter is the sum of the others by two tables, mod 26."""
    plain = text.upper()
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in plain[1:15:2])
    return chr(65 + (even + sum(_ODD[c] for c in plain[0:15:2])) % 26) == plain[15]


def ahv(text: str) -> bool:
    """Switzerland: an EAN-13 that begins with 756."""
    digits = digits_of(text)
    return len(digits) == 13 and sum(d * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0


def global_ip(text: str) -> bool:
    """An address of the public internet: private, loopback, link-local and documentation addresses tell
    nothing.
    """
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def phone(text: str) -> bool:
    """Seven to fifteen digits (ITU-T E.164), not a date, not all the same."""
    digits = digits_of(text)
    return 7 <= len(digits) <= 15 and len(set(digits)) > 1 and _DATE.match(text.strip()) is None


_DATE = re.compile(r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d")
