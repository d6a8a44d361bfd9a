"""What looks like a secret and is none: parts of tokens, published examples, names that say so; and what only looks
harmless.
"""

import string

import pytest

import masking
from masking.filters import broken, counted_out
from tests.masking.kinds import made

MASKER = masking.Masker(b"a key for tests, 32 bytes long..")
DIGITS = made("digits", 40, string.digits)[2:-2]
LONG = made("long", 40)

STAYS = {
    "a Slack token without its numbers": f'"token": "xoxp-1234-1234-1234-{LONG[:32]}"',
    "a Slack token that was cut": '"token": "xoxp-1234567890"',
    "a Telegram token that goes on": f'telegram_token = "{DIGITS[:8]}:A{LONG[:34]}-and-more"',
    "a Vault token of a wrong length": f"apikey: hvs.{LONG[:37]}",
    "a public token": f'publicToken = "{LONG}"',
    "the id of a credential": "credentialsId: 'f4aeb6bc-2a25-458a-8111-9be9e502c0e7'",
    "the id of a key": f'"private_key_id": "{made("hex", 44, "0123456789abcdef")[2:-2]}"',
    "an empty property": "db.password=\njdbc.url=\n",
    "a token that a test calls wrong": f'nonMatchingToken := "{made("wrong", 16)}"',
    "the alphabet": 'authToken: "012345abcdef"',
    "a name with its version": 'notes = "io.jsonwebtoken:jjwt-jackson-0.11.2"',
    "a variable with a path": "RESET_PASSWORD=$APP_BASE_URL/#/forgot_password",
    "a placeholder in brackets": "curl -u <user:password> https://example.com",
    "another word in a name": f'SetSysctl = "{made("sysctl", 24)}"',
    "a list with a telling entry": "names = [\n    'password',\n    'username',\n    'html_h1',\n]\n",
    "a type": "def sign(message: bytes, key: Ed25519PrivateKey) -> bytes: ...",
    "a sentence": "Whoever holds a key or password: somebody has to know",
    "animals": "monkeys-audio:mx64-uwp=fail",
}
HOLDS = {
    "a long number beside a service": ('discord_token = "{}"', DIGITS[:18]),
    "a header of curl": ('curl -X POST --header "Api-Token: {}"', made("header", 11)),
    "a value in the next line": (
        "eventbrite private access key\n{}",
        made("next", 20, string.ascii_uppercase),
    ),
    "an id with letters beyond f": ("scaleway KEY {}", "a1b2c3d4-e5f6-g7h8-i9j0-k1l2m3n4o5p6"),
    "a comparison at the end of a block": ('if password == "{}":\n    pass', "9xK4rT0w@@"),
    "a password with a misspelt name": ("PASWORD:={}", made("misspelt", 15)),
    "signs among letters": ('my_password: "{}"', "sup$rqretzx"),
    "a pre-shared key": ("PresharedKey = {}", made("psk", 43) + "="),
    "the private part of a JWK": ('{{"kty": "OKP", "crv": "Ed25519", "d": "{}"}}', made("jwk", 43)),
    "a webhook of workflows": ("https://hooks.slack.com/workflows/{}", made("hook", 45)),
    "a secure string without quotes": ("ConvertTo-SecureString -String -Force {}", "Zq8#E$gd8s"),
}


@pytest.mark.parametrize("name", STAYS)
def test_what_is_no_secret_stays(name: str) -> None:
    assert MASKER.mask(STAYS[name]).text == STAYS[name]


@pytest.mark.parametrize("name", HOLDS)
def test_what_looks_harmless_is_masked(name: str) -> None:
    text, secret = HOLDS[name]
    assert secret not in MASKER.mask(text.format(secret)).text


def test_whole_tokens_are_not_broken() -> None:
    whole = [
        f"xoxb-{DIGITS[:12]}-{LONG[:24]}",
        f"hvs.{LONG[:24]}",
        f"{DIGITS[:9]}:A{LONG[:34]}",
        f"AIza{LONG[:35]}",
        LONG,
    ]
    assert not any(map(broken, whole))
    assert all(broken(token[:-1]) for token in whole[1:4])


def test_only_rows_of_letters_and_digits_are_counted_out() -> None:
    assert all(map(counted_out, ["1234567890abcdef", "ABCDEFGHIJKL", "abcdef123456"]))
    assert not any(map(counted_out, ["12345678", "abc123", "abcdefzy9876", "Zq8vRt2L"]))


def test_an_example_that_a_vendor_has_published_stays() -> None:
    line = '<add key="ClearTextPassword" value="{}" />'
    assert MASKER.mask(line.format("hal+9ooo_" + "da!sY")).redactions == ()
    assert MASKER.mask(line.format(made("own"))).redactions
