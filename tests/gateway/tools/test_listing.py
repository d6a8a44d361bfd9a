"""Listings are read as clients read them, and what is taken out leaves every other byte as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.frames import sse
from gateway.tools import spans
from gateway.tools.listing import tools_in, without
from tests.gateway.tools.shapes import listing, names, tool

NAMES = st.sampled_from(["a", "b", "c", 'q"uote', "back\\slash", "é", "日本", "[x]", "{y}", "a,b", "secret"])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
TOOLS = st.builds(
    lambda name, more, first: {"name": name, **more} if first else {**more, "name": name},
    NAMES,
    st.dictionaries(st.sampled_from(["description", "inputSchema", "_meta", "x"]), JSON, max_size=3),
    st.booleans(),
)
WRITING = st.fixed_dictionaries(
    {
        "indent": st.sampled_from([None, 0, 2, "\t"]),
        "separators": st.sampled_from([None, (",", ":"), (" , ", " : ")]),
        "ensure_ascii": st.booleans(),
    }
)


@given(st.lists(TOOLS, max_size=6), st.sets(NAMES), WRITING)
def test_what_is_left_is_the_same_tools_and_no_byte_else_has_changed(
    tools: list[dict[str, Any]], refused: set[str], writing: dict[str, Any]
) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools, "z": [1]}}, **writing).encode()
    left = without(body, refused)
    assert json.loads(left)["result"] == {
        "tools": [each for each in tools if each["name"] not in refused],
        "z": [1],
    }
    if not any(each["name"] in refused for each in tools):
        assert left == body
    kept = [body[s:e] for s, e in _items(body) if json.loads(body[s:e])["name"] not in refused]
    assert [left[s:e] for s, e in _items(left)] == kept
    (array,) = spans.at_path(body, spans.whole(body), "result", "tools")
    assert left.startswith(body[: array.start + 1])
    assert left.endswith(body[array.end - 1 :])


def _items(body: bytes) -> list[spans.Span]:
    (array,) = spans.at_path(body, spans.whole(body), "result", "tools")
    return list(spans.elements(body, array))


@given(
    st.lists(TOOLS, max_size=5),
    st.sets(NAMES),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
    st.sampled_from([b"data:", b"data: "]),
)
def test_an_event_of_several_data_lines_stays_an_event_of_the_other_tools(
    tools: list[dict[str, Any]], refused: set[str], end: bytes, field: bytes
) -> None:
    text = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}}, indent=1).encode()
    lines = [b"event: message", b"id: 7", *(field + line for line in text.split(b"\n")), b": note", b"", b""]
    block = end.join(lines)
    left = without(block, refused, event=True)
    seen = sse.fields(left)
    assert json.loads(seen.data)["result"]["tools"] == [t for t in tools if t["name"] not in refused]
    assert seen.id == "7"
    assert left.count(end) == block.count(end)
    assert b": note" in left
    assert tools_in(left, event=True) == tools_in(seen.data)


@given(st.lists(TOOLS, min_size=1, max_size=4), WRITING, WRITING)
def test_the_digest_does_not_depend_on_how_the_json_was_written(
    tools: list[dict[str, Any]], one: dict[str, Any], other: dict[str, Any]
) -> None:
    def digests(**how: Any) -> list[str]:
        body = json.dumps({"id": 1, "result": {"tools": tools}}, **how).encode()
        return [each.digest for each in tools_in(body)]

    assert digests(**one) == digests(**other, sort_keys=True)


def test_a_page_keeps_its_cursor_and_its_lifetime_and_becomes_private() -> None:
    body = listing(
        tool("a"), tool("b"), nextCursor="n1", ttlMs=5000, cacheScope="public", resultType="complete"
    )
    left = json.loads(without(body, {"a"}))["result"]
    assert left == {
        "tools": [tool("b")],
        "nextCursor": "n1",
        "ttlMs": 5000,
        "cacheScope": "private",
        "resultType": "complete",
    }


def test_a_whole_listing_is_private_too_since_the_next_principal_may_get_less() -> None:
    body = listing(tool("a"), cacheScope="public")
    assert without(body, set()) == body.replace(b'"public"', b'"private"')
    private = listing(tool("a"), cacheScope="private")
    assert without(private, set()) == private


def test_an_empty_page_is_left_when_all_tools_are_refused() -> None:
    assert names(without(listing(tool("a"), tool("b")), lambda _: True)) == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"result":{"tools":[{"name":"ok","name":"secret"},{"name":"b"}]}}',
        b'{"result":{"tools":[{"name":"secret","name":"ok"},{"name":"b"}]}}',
        b'{"result":{"tools":[{"name":"s\\u0065cret"},{"name":"b"}]}}',
        b'{"result":{"t\\u006fols":[{"n\\u0061me":"secret"},{"name":"b"}]}}',
        b'\xef\xbb\xbf{"result":{"tools":[{"name":"secret","x":NaN},{"name":"b"}]}}',
    ],
)
def test_no_writing_hides_a_tool_from_the_filter(body: bytes) -> None:
    left = without(body, {"secret"})
    assert b"cret" not in left
    assert b'{"name":"b"}]}}' in left


def test_every_listing_of_a_batch_and_every_repeated_key_is_filtered() -> None:
    one = b'{"id":1,"result":{"tools":[{"name":"a"}],"tools":[{"name":"b"},{"name":"a"}]}}'
    assert (
        without(b"[" + one + b"," + one + b"]", {"a"})
        == b"[" + b",".join([b'{"id":1,"result":{"tools":[],"tools":[{"name":"b"}]}}'] * 2) + b"]"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no",
        b"<html>",
        b'{"result":{"tools":[{"name":"a"},]}}',
        b'{"result":{"tools":[{"name":"a"}}',
        b"{}",
        b'{"result":{"tools":[{"name":"a"}]}} x',
        b'{"result":{"tools":{"name":"a"}}}',
        b'{"id":1,"tools":[{"name":"a"}]}',
    ],
)
def test_what_is_no_listing_passes_as_it_is(body: bytes) -> None:
    assert tools_in(body) == []
    assert without(body, {"a"}) == body


def test_a_listed_tool_says_what_it_is() -> None:
    (seen,) = tools_in(
        listing(tool("t", "reads", annotations={"readOnlyHint": True}, icons=[1], _meta={"v": 1}))
    )
    assert (seen.name, seen.description, seen.annotations) == ("t", "reads", {"readOnlyHint": True})
    assert json.loads(seen.definition) == {
        "annotations": {"readOnlyHint": True},
        "description": "reads",
        "inputSchema": {"type": "object"},
    }


@pytest.mark.parametrize("part", ["title", "description", "inputSchema", "outputSchema", "annotations"])
def test_each_part_of_a_tool_is_digested(part: str) -> None:
    (one,) = tools_in(listing(tool("t")))
    (other,) = tools_in(listing({**tool("t"), part: {"new": 1}}))
    assert one.digest != other.digest


def test_what_readers_disagree_about_is_part_of_the_digest() -> None:
    plain = b'{"result":{"tools":[{"name":"t","description":"b"}]}}'
    twice = plain.replace(b'"description"', b'"description":"a","description"')
    (one,), (other,) = tools_in(plain), tools_in(twice)
    assert one.digest != other.digest
    assert (one.odd, other.odd) == ("", "repeated-key")
    inside = b'{"result":{"tools":[{"name":"t","inputSchema":{"x":1,"x":2}}]}}'
    assert tools_in(inside)[0].digest != tools_in(inside.replace(b'"x":1,', b""))[0].digest


def test_one_and_the_same_number_has_one_digest() -> None:
    def digest(number: bytes) -> str:
        return tools_in(b'{"result":{"tools":[{"name":"t","inputSchema":{"minimum":%b}}]}}' % number)[
            0
        ].digest

    assert digest(b"1") == digest(b"1.0") == digest(b"1e0")
    assert digest(b"1e400") != digest(b"1e401")
    assert digest(b"9" * 5000) != digest(b"9" * 5001)


def test_a_definition_too_deep_to_read_has_a_digest_all_the_same() -> None:
    deep = b'{"result":{"tools":[{"name":"t","inputSchema":%b%b}]}}' % (b"[" * 100_000, b"]" * 100_000)
    (seen,) = tools_in(deep)
    assert (seen.name, seen.odd) == ("t", "too-deep")
    assert names_left(without(deep, {"t"})) == 0


def names_left(body: bytes) -> int:
    """How many tools are in it."""
    return len(tools_in(body))
