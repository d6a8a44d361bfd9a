"""The places of a JSON text's parts are where every reader finds them, on the quick way as on the slow one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.tools.spans import (
    Span,
    UnreadableError,
    _walked_elements,
    _walked_members,
    elements,
    may_have,
    members,
    whole,
)


class Pairs(tuple[Any, ...]):
    """An object as its members, some of them twice."""


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=6)
)
KEYS = st.sampled_from(["a", "b", "result", 'q"', "é", "{", "a,b", "\ud800"])
PAIRS: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(KEYS, inner), max_size=4).map(Pairs),
    max_leaves=12,
)
SPACE = st.sampled_from(["", " ", "\n", "\t \r\n"])


def written(value: Any, space: str) -> str:
    """JSON of the value, with this space everywhere."""
    if isinstance(value, Pairs):
        inside = ",".join(
            f"{space}{json.dumps(k)}{space}:{space}{written(v, space)}{space}" for k, v in value
        )
        return "{" + inside + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{space}{written(each, space)}{space}" for each in value) + "]"
    return json.dumps(value)


def read(text: bytes, span: Span) -> Any:
    """The value there, by way of `members` and `elements`."""
    if text[span.start : span.start + 1] == b"{":
        return Pairs((m.key, read(text, m.value)) for m in members(text, span))
    if text[span.start : span.start + 1] == b"[":
        return [read(text, each) for each in elements(text, span)]
    return json.loads(text[span.start : span.end])


@given(PAIRS, SPACE)
@example(Pairs([("b", 1), ("a", 2), ("b", 12)]), "")
def test_every_part_is_where_it_stands(value: Any, space: str) -> None:
    text = f"{space}{written(value, space)}{space}".encode()
    assert repr(read(text, whole(text))) == repr(value)


@given(PAIRS, SPACE)
def test_both_ways_lead_to_the_same_places(value: Any, space: str) -> None:
    text = written([value, Pairs([("k", value)])], space).encode()
    span = whole(text)
    assert list(elements(text, span)) == list(_walked_elements(text, span))
    for each in elements(text, span):
        if text[each.start : each.start + 1] == b"{":
            assert list(members(text, each)) == list(_walked_members(text, each))


@pytest.mark.parametrize(
    "text",
    [
        b'{"b":1,"a":22,"b":{"zz":1,      "a":22}}',
        b'{"b":1,"a":2345,"b":{"z":0,' + b" " * 6 + b'"a":345}}',
        b'{"a":{"x":1},"a":{"x":}}',
        b'{"a":{"x":1},"a":[1,23]}',
        b'{"a":1,"a":12}',
        b'{"a":12,"a":1}',
        b'{"a":"1","a":"1"}',
    ],
)
def test_a_key_that_comes_twice_leads_nobody_astray(text: bytes) -> None:
    try:
        seen = [(m.key, text[m.value.start : m.value.end]) for m in members(text, whole(text))]
    except UnreadableError:
        return
    decoder = json.JSONDecoder(object_pairs_hook=lambda pairs: pairs)
    try:
        known = decoder.decode(text.decode())
    except ValueError:
        return  # the slow way judges no scalars
    assert [key for key, _ in seen] == [key for key, _ in known]
    assert [decoder.decode(raw.decode()) for _, raw in seen] == [value for _, value in known]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b'{"a":1}}',
        b'{"a":1,}',
        b'{"a" 1}',
        b"{,}",
        b"[1,]",
        b"[1 2]",
        b"[1]]",
        b'{"a":[}',
        b'["a]',
        b"[[]",
        b'{"a":1',
        b'{"a":1}{}',
        b'{"a":"\xff","b":NaN}x',
        b"{a:1}",
    ],
)
def test_what_is_no_json_is_told(text: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(text, whole(text))


@given(st.sampled_from(["tools", "requestState", "method"]), st.data())
def test_no_writing_of_a_key_escapes_the_quick_look(key: str, data: st.DataObject) -> None:
    escaped = data.draw(st.sets(st.integers(0, len(key) - 1), min_size=1))
    upper = data.draw(st.booleans())
    form = "\\u{:04X}" if upper else "\\u{:04x}"
    text = "".join(form.format(ord(c)) if i in escaped else c for i, c in enumerate(key))
    assert json.loads(f'"{text}"') == key
    assert may_have(f'{{"{text}":1}}'.encode(), f'"{key}"'.encode())
    assert not may_have('{"é\\u00e9\\u2028\\u003c\\n\\/":1}'.encode(), f'"{key}"'.encode())
