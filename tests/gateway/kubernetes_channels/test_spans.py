"""Places of secrets in what the mask read are those that the masking itself tells."""

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.kubernetes.terminal_spans import spans
from gateway.kubernetes.terminal_view import View
from masking import Masker
from tests.gateway.kubernetes_channels.conversations import KEY, masks
from tests.gateway.kubernetes_channels.texts import PRINTED

MASKER = Masker(KEY)
FILLERS = st.sampled_from([b"", b"\n", b"plain text\n", b"a: 1\n", b"'", b'"', b"\xc3\xa9\n", b"- x\n"])


@given(st.lists(st.tuples(FILLERS, st.sampled_from(PRINTED)), max_size=5))
@settings(max_examples=150, deadline=None)
def test_what_is_between_two_secrets_is_found_again(parts: list[tuple[bytes, object]]) -> None:
    text = b"".join(filler + what.text for filler, what in parts)  # type: ignore[attr-defined]
    exact = [(r.start, r.end) for r in MASKER.mask(text).redactions]
    assert [(span.start, span.end) for span in spans(masks()[0], text)] == exact


def test_a_mask_that_tells_no_places_masks_from_the_first_secret_on() -> None:
    def mask(body: bytes) -> tuple[bytes, list[object]]:
        return b"x", [{"path": "", "rule": "r", "start": -1, "end": -1, "pseudonym": "[p]"}]

    ((start, end, written, _),) = spans(mask, b"abc def")  # type: ignore[arg-type]
    assert (start, end, written) == (0, 7, b"[p]")


@given(st.lists(st.sampled_from([b"abc", b"\x1b[1m", b"\x1b[K", b" \r", b"d", b"\n", b"\0"]), max_size=12))
def test_offsets_of_what_is_seen_lead_back_to_its_bytes(parts: list[bytes]) -> None:
    raw = b"".join(parts)
    view = View(raw)
    for at, sign in enumerate(view.text):
        assert raw[view.raw(at)] in (sign, 0)
        assert view.raw(at + 1, end=True) == view.raw(at) + 1
