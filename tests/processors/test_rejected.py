"""Dead letters."""

from processors.masking_step import Rejected
from processors.records import Incoming
from processors.rejected import dead_letter
from schemas.codec import codec

WHY = Rejected("undecodable", "not a frame")


def test_a_dead_letter_tells_where_it_came_from_and_keeps_the_record_as_it_was() -> None:
    letter = dead_letter(Incoming("frames", 2, 9, b"k", b"nonsense"), WHY, 1_000_000)
    assert (letter.topic, letter.partition, letter.key) == ("dead-letters", 0, b"frames-2-9")
    assert codec("dead_letter").decode(letter.value) == {
        "topic": "frames",
        "partition": 2,
        "offset": 9,
        "component": "processors.masking",
        "reason_code": "undecodable",
        "reason": "not a frame",
        "key": b"k",
        "value": b"nonsense",
    }


def test_a_value_that_does_not_fit_is_left_out_and_the_reason_says_so() -> None:
    letter = dead_letter(Incoming("frames", 2, 9, None, b"x" * 10_000), WHY, 8_000)
    record = codec("dead_letter").decode(letter.value)
    assert record["value"] == b""
    assert record["reason"] == "not a frame; the value (10000 bytes) is too large to be kept here"
