"""The deep pass: what one frame gave away is known again in the others, though nobody keeps it."""

import base64

import pytest

import masking
from masking.deep import KNOWN_MAX, known_in, mask_again, remembered
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
