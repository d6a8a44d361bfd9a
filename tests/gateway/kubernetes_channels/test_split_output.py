"""A secret that is split over messages passes to nobody, wherever it is split and however slowly it comes."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.drafting import MaskingFailedError
from tests.gateway.kubernetes_channels.conversations import (
    conversation,
    masks,
    printed,
    recorded,
    seen,
    typed,
)
from tests.gateway.kubernetes_channels.texts import PRINTED, Printed

by_name = pytest.mark.parametrize("what", PRINTED, ids=lambda what: what.name)


def pieces(text: bytes, cuts: list[int]) -> list[bytes]:
    """`text` cut at these places."""
    places = [0, *sorted(cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(places)]


@by_name
@pytest.mark.parametrize("quiet", [False, True], ids=["at once", "with a pause"])
def test_no_secret_passes_in_two_halves(what: Printed, quiet: bool) -> None:
    for cut in range(len(what.text) + 1):
        passings = printed(conversation(), *pieces(what.text, [cut]), quiet=quiet)
        for text in (seen(passings), recorded(passings, "stdout")):
            assert not [secret for secret in what.secrets if secret in text], f"cut at {cut}"
        assert sum(p.draft.body_bytes for p in passings) == len(what.text)


@by_name
def test_in_two_halves_it_looks_as_in_one(what: Printed) -> None:
    whole = seen(printed(conversation(), what.text))
    assert not [secret for secret in what.secrets if secret in whole]
    for cut in range(len(what.text) + 1):
        halves = seen(printed(conversation(), *pieces(what.text, [cut])))
        if halves != whole:  # some signs of a word too short to wait had passed
            assert len(halves) - len(whole) <= 3
            assert halves.count(b"[masked:") == whole.count(b"[masked:")


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_secret_passes_however_often_it_is_cut(data: st.DataObject) -> None:
    what = data.draw(st.sampled_from(PRINTED))
    text = data.draw(st.binary(max_size=20)).replace(b"\0", b" ") + b"\n" + what.text
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    passings = printed(conversation(tty=data.draw(st.booleans())), *pieces(text, cuts))
    for out in (seen(passings), recorded(passings, "stdout")):
        assert not [secret for secret in what.secrets if secret in out]


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_of_a_secret_that_comes_slowly_less_than_the_whole_passes(data: st.DataObject) -> None:
    what = data.draw(st.sampled_from(PRINTED))
    cuts = data.draw(st.lists(st.integers(0, len(what.text)), max_size=12))
    passings = printed(conversation(), *pieces(what.text, cuts), quiet=True)
    for out in (seen(passings), recorded(passings, "stdout")):
        assert not [secret for secret in what.secrets if secret in out]


@given(st.lists(st.binary(max_size=60), max_size=8))
@settings(max_examples=200, deadline=None)
def test_what_holds_no_secret_passes_whole_and_in_order(messages: list[bytes]) -> None:
    text = b"".join(messages)
    if masks()[0](text)[1]:
        return
    passings = printed(conversation(), *messages)
    assert len(seen(passings)) == len(text)
    if not any(p.draft.redactions for p in passings):
        assert seen(passings) == text


def test_redactions_stand_where_the_record_says() -> None:
    passings = printed(conversation(), b"A=1\nDB_PASSWORD=hunter2xyzzy\n", b"TOKEN=s3cr3tT0kenValue99\n")
    frames = [p.draft for p in passings]
    rows = [(f.body[r["start"] : r["end"]].decode(), r["pseudonym"]) for f in frames for r in f.redactions]
    assert rows
    assert all(shown == pseudonym for shown, pseudonym in rows)


def test_a_prompt_and_a_progress_bar_do_not_wait() -> None:
    talk = conversation(tty=True)
    for shown in (b"$ ", b"Password: ", b"\r 10% ", b"\x1b[2J\x1b[H", b"\x1b[12;4Hx", b"Continue? [y/N] "):
        passings = talk.take(False, b"\x01" + shown, False) + talk.quiet()
        assert seen(passings) == shown
    assert seen(talk.take(False, b"\x01done\r\n", False)) == b"done\r\n"


def test_what_waits_passes_when_nothing_follows() -> None:
    talk = conversation()
    assert talk.take(False, b"\x01longword", False) == []
    assert seen(talk.quiet()) == b"longword"
    assert talk.quiet_seconds is None
    assert talk.quiet() == []


def test_characters_of_many_bytes_are_not_cut_on_the_record() -> None:
    talk = conversation()
    passings = talk.take(False, b"\x01ok \xe2\x82", False) + talk.take(False, b"\x01\xac 5\n", False)
    assert [p.draft.body.decode() for p in passings] == ["ok ", "€ 5\n"]


def test_a_config_map_passes_as_it_is() -> None:
    text = b"apiVersion: v1\ndata:\n  colour: blue\n  mode: fast\nkind: ConfigMap\nmetadata:\n  name: x\n"
    for cut in range(len(text)):
        assert seen(printed(conversation(), *pieces(text, [cut]))) == text


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("quiet", [False, True])
def test_the_strict_profile_takes_text_however_it_is_cut(size: int, quiet: bool) -> None:
    text = "größe: 5 € oder\n".encode() * 100
    messages = [text[at : at + size] for at in range(0, len(text), size)]
    talk = conversation(profile="strict")
    assert b"".join(p.draft.body for p in typed(talk, *messages)) == text
    assert seen(printed(talk, *messages, quiet=quiet)) == text


def test_the_strict_profile_lets_nothing_pass_that_is_no_text() -> None:
    with pytest.raises(MaskingFailedError):
        printed(conversation(profile="strict"), b"\0\xff\xfe binary")
