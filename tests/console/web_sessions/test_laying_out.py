"""Bodies laid out: JSON and YAML as they were written, redactions where they stand, two of them compared."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from console.web.pages.replay_body import body_of, is_binary
from console.web.pages.replay_diff import difference
from console.web.pages.replay_lines import as_text, laid_out
from console.web.pages.replay_marks import Marker
from sinks.readers import Frame, Redaction

PLAIN = Marker(b"", ())
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn", "Co")), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | NAMES
    | st.sampled_from(["a\nb\n", "a\nb", "a\n\n", " a\nb", "\n"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def frame(
    body: bytes, content_type: str = "application/json", redactions: list[Redaction] | None = None
) -> Frame:
    """As far as a body is looked at."""
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        from base64 import b64encode  # noqa: PLC0415

        text, encoded = b64encode(body).decode(), True
    known: Any = {
        "body": text,
        "body_base64": encoded,
        "content_type": content_type,
        "redactions": redactions or [],
    }
    return known  # type: ignore[no-any-return]


def row(body: bytes, pseudonym: str, path: str = "", moved: int = 0) -> Redaction:
    """The redaction of the first pseudonym in `body`, as if it had stood `moved` bytes elsewhere."""
    start = body.index(pseudonym.encode()) + moved
    return {"path": path, "rule": "r", "start": start, "end": start + len(pseudonym), "pseudonym": pseudonym}


def marked(
    body: bytes, *redactions: Redaction, form: str = "", content_type: str = ""
) -> list[tuple[str, int]]:
    """What is marked of a body, with its numbers."""
    found = body_of(frame(body, content_type or "application/json", list(redactions)), form)
    return [(piece.text, piece.mark) for line in found.layout.lines for piece in line if piece.mark]


@given(VALUES)
def test_json_laid_out_is_the_same_json(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        shown = laid_out(text, PLAIN)
        assert json.loads(shown.text) == value


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_yaml_laid_out_says_the_same(value: dict[str, Any]) -> None:
    shown = laid_out(json.dumps(value), PLAIN, "yaml")
    assert yaml.safe_load(shown.text + "\n") == value


def test_numbers_keep_their_digits_and_keys_that_come_twice_stay() -> None:
    shown = laid_out('{"a":1.000,"a":2e+5,"b":-0,"c":12345678901234567890123}', PLAIN)
    assert shown.text.split() == [
        "{",
        '"a":',
        "1.000,",
        '"a":',
        "2e+5,",
        '"b":',
        "-0,",
        '"c":',
        "12345678901234567890123",
        "}",
    ]


def test_a_redaction_is_marked_in_json_yaml_events_and_text() -> None:
    secret = "[masked:token:0a1b2c]"
    body = b'{"a":"x %s y","b":1}' % secret.encode()
    assert marked(body, row(body, secret)) == [(secret, 1)]
    assert marked(body, row(body, secret), form="yaml") == [(secret, 1)]
    event = b"event: message\r\ndata: " + body + b"\r\n\r\n"
    assert marked(event, row(event, secret), content_type="text/event-stream") == [(secret, 1)]
    text = b"key: %s\nmore" % secret.encode()
    assert marked(text, row(text, secret), content_type="text/plain") == [(secret, 1)]


def test_a_redaction_that_moved_is_found_again_and_one_that_is_nowhere_is_still_explained() -> None:
    secret, gone = "[masked:token:0a1b2c]", "[masked:other:ffffff]"
    body = b'{"a":"x %s y"}' % secret.encode()
    far: Redaction = {"path": "$.b", "rule": "r", "start": 2, "end": 4, "pseudonym": gone}
    found = body_of(frame(body, redactions=[row(body, secret, moved=7), far]))
    assert [(mark.number, mark.placed) for mark in found.marks] == [(1, True), (2, False)]
    assert found.marks[1].where == "$.b"


def test_a_fixed_text_in_place_of_a_secret_is_marked_by_its_offsets() -> None:
    body = b'{"card":"**** 4242"}'
    written: Redaction = {
        "path": "$.card",
        "rule": "card",
        "start": 9,
        "end": 18,
        "pseudonym": "[masked:card:aaaaaa]",
    }
    assert marked(body, written) == [("**** 4242", 1)]


def test_a_secret_in_base64_and_one_in_quotes_are_marked() -> None:
    from base64 import b64encode  # noqa: PLC0415

    secret = "[masked:k8s-secret:0a1b2c]"
    coded = b64encode(secret.encode()).decode()
    body = b'{"data":{"token":"%s"}}' % coded.encode()
    at = body.index(coded.encode())
    assert marked(
        body, {"path": "", "rule": "r", "start": at, "end": at + len(coded), "pseudonym": secret}
    ) == [(coded, 1)]
    quoted = b'a: "[masked:token:0a1b2c]"\n'
    assert marked(
        quoted,
        {"path": "$.a", "rule": "r", "start": 3, "end": 26, "pseudonym": "[masked:token:0a1b2c]"},
        content_type="text/yaml",
    ) == [("[masked:token:0a1b2c]", 1)]


@given(st.binary(max_size=60), st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=4))
def test_marks_lose_nothing_whatever_the_offsets_say(body: bytes, spans: list[tuple[int, int]]) -> None:
    redactions: list[Redaction] = [
        {"path": "", "rule": "r", "start": start, "end": end, "pseudonym": "[masked:x:000000]"}
        for start, end in spans
    ]
    marker = Marker(body, redactions)
    whole = "".join(text for text, _ in marker.pieces(marker.text))
    assert whole.replace("\ufffd", "") == marker.bare.replace("\ufffd", "")


def test_a_body_cannot_fake_a_mark() -> None:
    body = '{"a":"\ufdd01;[masked:x:000000]\ufdd1;", "b":"\\ufdd01;no\\ufdd1;"}'.encode()
    assert marked(body) == []


def test_what_is_no_text_is_told_from_text_with_a_few_wrong_bytes() -> None:
    assert is_binary(b"\x7fELF\0\0")
    assert is_binary(bytes(range(128, 256)) * 4)
    assert not is_binary(b"caf\xe9 in latin-1, mostly readable all the same")
    assert not is_binary(b"\x1b[31mred\x1b[0m\r\n")


def test_an_event_shows_its_fields_and_joins_its_data() -> None:
    found = body_of(
        frame(b'id: 7\nevent: message\ndata: {"a":\ndata: 1}\n: a comment\n\n', "text/event-stream")
    )
    assert found.kind == "event"
    assert found.fields == [("id", "7"), ("event", "message"), ("comment", "a comment")]
    assert json.loads(found.layout.text) == {"a": 1}


def test_what_a_tool_said_comes_first_and_json_in_it_is_laid_out() -> None:
    answer = {
        "jsonrpc": "2.0",
        "id": 1,
        "result": {
            "content": [
                {"type": "text", "text": '{"pods":["a"]}'},
                {"type": "image", "mimeType": "image/png", "data": "aGk="},
                {"type": "resource", "resource": {"uri": "file:///x", "text": "hello"}},
            ]
        },
    }
    said = body_of(frame(json.dumps(answer).encode())).said
    assert [each.label for each in said] == ["text", "image", "resource file:///x"]
    assert json.loads(said[0].layout.text) == {"pods": ["a"]}
    assert said[1].layout.text == "image/png, 4 characters of Base64; not shown"
    assert said[2].layout.text == "hello"


@pytest.mark.parametrize(
    "text", ['{"a":' * 5_000 + "1" + "}" * 5_000, "[" * 100_000, '{"a":', "{}" * 3, "{'a':1}"]
)
def test_what_is_no_json_is_shown_as_it_is(text: str) -> None:
    assert laid_out(text, PLAIN).form in ("text", "json")


def test_a_comparison_says_what_differs_and_leaves_out_what_is_the_same() -> None:
    left = as_text("\n".join(f"line {number}" for number in range(50)), PLAIN)
    right = as_text(
        "\n".join(f"line {number}" for number in range(50) if number != 20).replace("line 30", "LINE 30"),
        PLAIN,
    )
    found = difference(left, right)
    assert found.changes == 2
    assert [row.sign for row in found.rows].count("-") == 1
    assert [row.words for row in found.rows if row.sign == "~"] == ["changed"]
    assert sum(row.skipped for row in found.rows) + sum(1 for row in found.rows if row.sign != "…") == 50
    assert difference(left, left).changes == 0
