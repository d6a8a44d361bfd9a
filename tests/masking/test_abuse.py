"""What somebody does on purpose: odd encodings, hostile sizes and nestings, bodies that lie (ABUSE 69 to
72).
"""

import base64
import contextlib
import gzip
import json
import time

import pytest

import masking
from masking import LimitCrossed, Unreadable
from masking.work import Work
from tests.masking.kinds import KINDS, WRAPPINGS, made

MASKER = masking.Masker(b"a key for tests, 32 bytes long..")
SECRET = made("abuse")
TOKEN = KINDS["vendor token"](SECRET)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_69_a_token_is_found_in_escapes_keys_messages_headers_and_urls(wrapping: str) -> None:
    assert TOKEN not in MASKER.mask(WRAPPINGS[wrapping](TOKEN)).text


def test_69_a_token_with_one_letter_escaped_is_found() -> None:
    for index, character in enumerate(TOKEN):
        text = f'{{"a":"{TOKEN[:index]}\\u{ord(character):04X}{TOKEN[index + 1 :]}"}}'
        masked = MASKER.mask(text).text
        assert json.loads(masked)["a"].startswith("[masked:"), text


def test_69_an_escaped_slash_in_a_value_does_not_hide_it() -> None:
    text = '{"password":"aB3\\/x9Zq\\/7Lm2\\/kP"}'
    assert json.loads(MASKER.mask(text).text)["password"].startswith("[masked:password:")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-32-be"])
def test_70_a_body_in_any_unicode_encoding_is_masked_in_it(codec: str) -> None:
    text = json.dumps({"note": "é☃", "password": SECRET})
    masked = MASKER.mask(text.encode(codec))
    assert SECRET.encode(codec) not in masked.text
    assert json.loads(masked.text.decode(codec))["password"].startswith("[masked:")


def test_70_a_body_that_is_not_what_it_looks_like_is_refused() -> None:
    with pytest.raises(Unreadable, match="utf-16"):
        MASKER.mask(b"\xff\xfe" + b"\x00\xd8" * 9)


@pytest.mark.parametrize(
    "text",
    [
        "password=" * 200_000,
        "password: " * 200_000,
        "curl " * 300_000 + "-u a:bcdefgh",
        "-----BEGIN PRIVATE KEY-----" * 60_000,
        "a" * 2_000_000,
        "eyJ" * 600_000,
        '{"kind":"Secret","data":{' * 60_000,
        "kind: Secret\ndata:\n" * 60_000,
        "- kind: Secret\n  data:\n" * 60_000,
        "://" * 600_000 + "@",
        "A" * 1_000_000 + "==" * 300_000,
        '"' * 2_000_000,
        "\\" * 2_000_000,
        '{"a":"' + "\\u0041" * 300_000 + '"}',
        "%41" * 600_000,
        "&amp;" * 400_000,
        "set password for " * 100_000,
        "[" * 1_000_000,
        ("x" * 59 + "\n") * 30_000,
    ],
    ids=lambda text: text[:14],
)
def test_71_hostile_repetition_takes_bounded_time(text: str) -> None:
    begin = time.thread_time()
    with contextlib.suppress(LimitCrossed):
        MASKER.mask(text)
    assert time.thread_time() - begin < 1.5 * (1.0 + len(text) / 1e6)


def test_71_time_that_runs_out_fails_closed() -> None:
    now = [0.0]
    work = Work(MASKER.profile, size=0, clock=lambda: now[0], wall=lambda: now[0])
    for now[0] in (0.0, 0.2, 0.9):
        work.go_on()
    now[0] = 1.5
    with pytest.raises(LimitCrossed, match="longer than its limit"):
        work.go_on()


def test_71_a_thread_that_waits_for_its_turn_is_not_out_of_time() -> None:
    wall = [0.0]
    work = Work(MASKER.profile, size=0, clock=lambda: wall[0] / 10, wall=lambda: wall[0])
    for wall[0] in (0.2, 1.5, 5.0):
        work.go_on()


def test_endless_nesting_fails_closed() -> None:
    text = "password: " + SECRET
    for _ in range(12):
        text = json.dumps({"t": text})
    with pytest.raises(LimitCrossed, match="levels deep"):
        MASKER.mask(text)


def test_a_bomb_in_base64_fails_closed() -> None:
    bomb = base64.b64encode(gzip.compress(b"ab " * 20_000_000)).decode()
    with pytest.raises(LimitCrossed, match="inflates"):
        MASKER.mask(json.dumps({"blob": bomb}))


STRICT = masking.Masker(b"a key for tests, 32 bytes long..", "strict")


@pytest.mark.parametrize(
    "body", [b'{"a": 1', b'{"a": "\xff"}', b"\x00\x01\x02binary\x00", b"{" * 100_000], ids=repr
)
def test_72_strict_refuses_what_cannot_be_read(body: bytes) -> None:
    with pytest.raises(Unreadable, match="only readable bodies"):
        STRICT.mask(body)


def test_72_strict_lets_readable_bodies_pass() -> None:
    for body in (b'{"a": 1}', "plain é".encode(), b"[INFO] a log line"):
        assert STRICT.mask(body).text == body


def test_no_error_says_anything_of_the_text() -> None:
    for body in (b'{"a": "' + SECRET.encode(), b"\xff" + SECRET.encode()):
        with pytest.raises(masking.MaskingError) as caught:
            STRICT.mask(body)
        assert SECRET not in str(caught.value)
        assert caught.value.__cause__ is None
