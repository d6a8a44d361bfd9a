"""The deep pass: what one frame gave away is known again in the others, though nobody keeps it."""

import base64
import codecs
import time

import pytest

import masking
from masking.deep import KNOWN_MAX, DeepMasker, known_in, mask_again, remembered
from tests.masking.kinds import KINDS, made

MASKER = masking.Masker(b"a key for tests, 32 bytes long..")
SECRET = made("deep", 20)
KNOWN = remembered((), MASKER.mask(KINDS["dotenv"](SECRET)).text)

HIDDEN = {
    "plain": f"the value is {SECRET} now",
    "reversed": f"read it backwards: {SECRET[::-1]}",
    "base64": f"echo {base64.b64encode(SECRET.encode()).decode()}",
    "hex": f"bytes {SECRET.encode().hex()} end",
    "percent": "go to " + "".join(f"%{byte:02X}" for byte in SECRET.encode()),
    "split": f'say "{SECRET[:9]}" + "{SECRET[9:]}"',
    "base32": f"as {base64.b32encode(SECRET.encode()).decode()}",
    "rot13": f"turned: {codecs.encode(SECRET, 'rot13')}",
    "base64-base64": f"x={base64.b64encode(base64.b64encode(SECRET.encode())).decode()}",
    "base64-reversed": f"x={base64.b64encode(SECRET[::-1].encode()).decode()}",
    "reversed-hex": f"x={SECRET.encode().hex()[::-1]}",
}


@pytest.mark.parametrize("how", HIDDEN)
def test_a_known_secret_is_masked_where_it_returns(how: str) -> None:
    masked = mask_again(MASKER, HIDDEN[how], KNOWN)
    assert [r.rule for r in masked.redactions] == [f"returned:{how}"]
    assert masked.redactions[0].pseudonym[-7:-1] == KNOWN[0]
    assert SECRET not in masked.text


@pytest.mark.parametrize("how", HIDDEN)
def test_a_session_that_does_not_know_it_masks_nothing_more(how: str) -> None:
    assert mask_again(MASKER, HIDDEN[how], ()) == MASKER.mask(HIDDEN[how])


def test_another_deployment_cannot_recognise_it() -> None:
    other = masking.Masker(b"another key, also 32 bytes long.")
    assert mask_again(other, HIDDEN["plain"], KNOWN).redactions == ()


def test_the_deep_pass_masks_what_the_inline_pass_masks() -> None:
    text = KINDS["container env"](made("new")).encode()
    assert mask_again(MASKER, text, KNOWN) == MASKER.mask(text)


def test_masking_again_twice_changes_nothing() -> None:
    once = mask_again(MASKER, HIDDEN["plain"], KNOWN).text
    assert mask_again(MASKER, once, KNOWN).text == once


def test_memory_is_ordered_and_bounded() -> None:
    text = " ".join(f"[masked:token:{number:06x}]" for number in range(KNOWN_MAX + 5))
    assert len(known_in(text)) == KNOWN_MAX + 5
    known = remembered((), text)
    assert len(known) == KNOWN_MAX
    assert known[-1] == f"{KNOWN_MAX + 4:06x}"
    assert remembered(known, "nothing new") == known


def test_a_secret_in_four_pieces_is_put_together() -> None:
    pieces = " +\n  ".join(f'"{SECRET[start : start + 5]}"' for start in range(0, 20, 5))
    masked = mask_again(MASKER, f"const a = {pieces};", KNOWN)
    assert [r.rule for r in masked.redactions] == ["returned:split"]


def test_the_time_for_one_text_is_bounded() -> None:
    text = " ".join(made(number, 30) for number in range(30_000))
    started = time.thread_time()
    mask_again(MASKER, text, KNOWN)
    assert time.thread_time() - started < 10


def test_a_deep_masker_masks_what_the_inline_pass_leaves_on_purpose_and_refuses_nothing() -> None:
    key = MASKER.key
    hashed = "app:$2b$12$" + made("hash", 53)
    assert not masking.Masker(key).mask(hashed).redactions
    assert [r.rule for r in DeepMasker(key, "secrets").mask(hashed).redactions] == ["password-hash"]
    assert DeepMasker(key, "strict").mask(b"\x00\xff\xfe half a body").text


def test_a_deep_masker_of_profile_off_changes_nothing() -> None:
    text = KINDS["dotenv"](SECRET)
    assert DeepMasker(MASKER.key, "off").mask(text, KNOWN).text == text
