"""Passwords hold whatever their makers liked: quotes, backslashes, angles, brackets and commas, at any place."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape

import pytest

import masking

MASKER = masking.Masker(b"signs, 32 bytes of nothing......")
PASSWORDS = (
    'Zq8"vK2mN4\\xT7wR1p',
    "Zq8'vK2mN4xT7wR1p",
    "Zq8`vK2mN4xT7wR1p",
    "Zq8vK2mN4'xT7wR1p",
    'p"ssw0rdA9x7',
    "p\\ssw0rdA9x7",
    "a\"b'c\\d8Kx2Qz",
    "Zq<8vK2>mN4xT7w",
    "x$K9'mQ2&vL7z",
    "a,B8kK2mN4xT7",
    "x;Zq8vK2mN4w",
)
SHAPES = {
    "dotenv": "DB_HOST=db\nDB_PASSWORD={}\nDB_PORT=5432\n",
    "dotenv, cut short": "DB_PASSWORD={}",
    "a shell's export": "export DB_PASSWORD={}\n",
    "properties": "spring.datasource.password={}\nx=1\n",
    "properties with spaces": "db.password = {}\r\nx=1\r\n",
    "YAML": "db:\n  user: app\n  password: {}\n  port: 1\n",
    "YAML, name and value": "- name: DB_PASSWORD\n  value: {}\n",
}
QUOTED: dict[str, Callable[[str], str]] = {
    "JSON": lambda value: json.dumps({"user": "app", "password": value}),
    "JSON without spaces": lambda value: json.dumps({"password": value, "x": 1}, separators=(",", ":")),
    "JSON, name and value": lambda value: json.dumps([{"name": "DB_PASSWORD", "value": value}]),
    "a list in JSON": lambda value: json.dumps({"passwords": ["none", value]}),
    "YAML, double quotes": lambda value: f"password: {json.dumps(value)}\n",
    "YAML, single quotes": lambda value: "password: '" + value.replace("'", "''") + "'\n",
    "XML": lambda value: f"<db><password>{escape(value, quote=False)}</password></db>",
}
TEXTS: dict[str, Callable[[str], str]] = {
    **{name: shape.format for name, shape in SHAPES.items()},
    **QUOTED,
    "dotenv in JSON": lambda value: json.dumps({"text": SHAPES["dotenv"].format(value)}),
    "JSON in JSON": lambda value: json.dumps({"text": json.dumps({"password": value})}),
    "JSON in JSON in JSON": lambda value: json.dumps(
        {"text": json.dumps({"t": json.dumps({"password": value})})}
    ),
}


def longest_left(secret: str, text: str) -> int:
    """Characters of the longest part of the secret that stands in the text."""
    size = len(secret)
    return max(j - i for i in range(size) for j in range(i, size + 1) if secret[i:j] in text)


@pytest.mark.parametrize("shape", TEXTS)
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_goes_whole_whatever_signs_it_holds(shape: str, password: str) -> None:
    text = TEXTS[shape](password)
    masked = MASKER.mask(text).text
    assert longest_left(password, masked) <= 3, masked
    assert MASKER.mask(masked).text == masked
    if text[0] in "[{":
        assert json.loads(masked).__class__ is json.loads(text).__class__


def test_a_password_has_one_pseudonym_however_it_is_quoted() -> None:
    names = {
        MASKER.mask(TEXTS[shape]("Zq8'vK2mN4xT7wR1p")).redactions[-1].pseudonym
        for shape in ("dotenv", "YAML", "JSON", "YAML, single quotes", "dotenv in JSON")
    }
    assert len(names) == 1


@pytest.mark.parametrize(
    "text",
    [
        "token = data['auth']['token']\n",
        "password = options.get('db.password').strip\n",
        "secret = prefix+'-'+name\n",
        'password=$HOME"/x"\n',
        "private_key_path: C:\\keys\\id.pem\n",
        "<password>{{ vault }}</password>\n",
        'password: "(none)"\n',
        'password: "<your password>"\n',
        '{"token": "{{ .Values.token }}"}',
        '{"secret":"","x":"secret"}',
    ],
)
def test_code_references_and_placeholders_stay(text: str) -> None:
    assert MASKER.mask(text).text == text


def test_what_stands_around_such_a_value_stays() -> None:
    assert MASKER.mask("<v>my password:6Ew1Th'Y0u</v>").text.endswith("</v>")
    lines = 'A=1\nDB_PASSWORD=Zq8"vK2mN4xT7\\\nB=2\n'
    masked = MASKER.mask(lines).text
    assert masked.startswith("A=1\nDB_PASSWORD=[masked:")
    assert masked.endswith("\\\nB=2\n")


def test_a_raw_tab_and_an_unknown_escape_do_not_make_up_for_each_other() -> None:
    """One stands shorter and one longer than JSON would write it: the length of the whole tells nothing."""
    text = r'{"text": "{\"a\": \"@\", \"password\": \"Zq8vK2mN4xT7wR1p\", \"b\": \"\x\"}"}'.replace("@", "\t")
    masked = MASKER.mask(text)
    (redaction,) = masked.redactions
    assert text[redaction.start : redaction.end] == "Zq8vK2mN4xT7wR1p"
    assert redaction.pseudonym == MASKER.mask('{"password": "Zq8vK2mN4xT7wR1p"}').redactions[0].pseudonym
    assert masked.text == text.replace("Zq8vK2mN4xT7wR1p", redaction.pseudonym)
