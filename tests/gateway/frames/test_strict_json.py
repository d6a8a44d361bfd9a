"""Bodies that two parsers could read differently, and those that cost more than their length."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.frames.strict_json import VALUES_MAX, fault, read

CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","arguments":{"name":"x","n":[1,{}]}}}'


def test_an_ordinary_call_has_no_fault_and_comes_decoded() -> None:
    assert read(CALL, 128) == ("", json.loads(CALL))


@pytest.mark.parametrize(
    "body",
    [
        b'{"method":"tools/list","method":"tools/call"}',
        b'{"method":"tools/list","meth\\u006fd":"tools/call"}',
        b'{"params":{"name":"a","name":"b"}}',
        b'{"params":{"name":"a"},"params":{"name":"a"}}',
        b'{"params":{"arguments":{"a":{"b":[{"c":1,"c":1}]}}}}',
        b'{"a":"\\u003a","b":1,"b":2}',
        b'{"a":"\\u003A\\u003A","b":1,"b":":"}',
        b'[{"id":1},{"id":1,"id":2}]',
        b'{"":1,"":2}',
        b'{"a\\\\":1,"a\\\\":2}',
        '{"é":1,"\\u00e9":2}'.encode(),
    ],
)
def test_abuse_55_a_name_that_stands_twice_is_found_at_any_level_however_it_is_escaped(body: bytes) -> None:
    assert fault(body, 128) == "json_duplicate_key"


@pytest.mark.parametrize(
    "body",
    [
        b'[{"name":"a"},{"name":"b"}]',
        b'{"a":{"a":{"a":[{"a":1},{"a":2}]}}}',
        b'{"text":"\\"a\\":1,\\"a\\":2 \\u003a :::: {[{["}',
        b'{"A\\u003a":1,"a":":"}',
        '{"e\u0301":1,"\u00e9":2}'.encode(),  # not the same text, however alike they look
    ],
)
def test_names_that_differ_or_stand_in_different_objects_are_no_fault(body: bytes) -> None:
    assert fault(body, 128) == ""


@pytest.mark.parametrize(
    "body",
    [
        b'{"Method":"tools/call"}',
        b'{"method":"tools/list","METHOD":"tools/call"}',
        '{"method":"tools/list","param\u017f":{}}'.encode(),  # a long s, which Go folds to s
        b'{"method":"tools/call","params":{"name":"get","Name":"delete"}}',
        b'{"method":"tools/call","params":{"Arguments":{}}}',
        b'{"method":"tools/call","params":{"arguments":{"namespace":"a","Namespace":"b"}}}',
        b'[{"method":"ping"},{"Method":"ping"}]',
    ],
)
def test_abuse_55_names_that_differ_from_those_that_decide_in_case_only_are_found(body: bytes) -> None:
    assert fault(body, 128) == "json_look_alike_key"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "json_invalid"),
        (b"{", "json_invalid"),
        (b"{}{}", "json_invalid"),
        (b'{"a":1,}', "json_invalid"),
        (b"{'a':1}", "json_invalid"),
        (b'{"a":NaN}', "json_number"),
        (b'{"a":Infinity}', "json_number"),
        (b'{"a":-Infinity}', "json_number"),
        (b'{"a":01}', "json_invalid"),
        (b'{"a":+1}', "json_invalid"),
        (b'{"a":"\n"}', "json_invalid"),
        (b'{"a":"\\x"}', "json_invalid"),
        (b'{"a":"\\ud83d\\ude00" 1}', "json_invalid"),
        (b"{}\x00", "json_invalid"),
        (b'{"a":1e400}', "json_number"),
        (b"1" * 5_000, "json_number"),
        (b'{"a":"\xff"}', "json_not_utf8"),
        (b'{"\xc0\xaf":1}', "json_not_utf8"),
        (b'{"a":"\xed\xa0\x80"}', "json_not_utf8"),
        (b"\xef\xbb\xbf{}", "json_not_utf8"),
        ('{"a":1}'.encode("utf-16"), "json_not_utf8"),
        (b'{"a":"\\ud800"}', "json_lone_surrogate"),
        (b'{"\\uDC00":1}', "json_lone_surrogate"),
        (b'{"a":"\\ud83d\\ude00\\ud83d"}', "json_lone_surrogate"),
        (b"[" * 129 + b"]" * 129, "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
    ],
)
def test_abuse_25_what_is_no_json_for_every_parser_has_its_reason(body: bytes, reason: str) -> None:
    assert fault(body, 128) == reason


def test_a_pair_of_surrogates_and_the_greatest_depth_are_no_fault() -> None:
    assert fault(b'{"a":"\\ud83d\\ude00 \\\\ud800"}', 128) == ""
    assert fault(b"[" * 128 + b"]" * 128, 128) == ""


M = 8 * 1024 * 1024
HOSTILE = {
    "open brackets": b"[" * M,
    "closed brackets": b"[" * (M // 2) + b"]" * (M // 2),
    "open objects": b'{"a":' * (M // 5),
    "millions of lists": b"[" + b"[]," * (M // 3) + b"1]",
    "near the limit all along": b"[" + (b"[" * 126 + b"]" * 126 + b",") * (M // 253) + b"1]",
    "millions of numbers": b"[" + b"1," * (M // 2) + b"1]",
    "millions of empty strings": b"[" + b'"",' * (M // 3) + b"1]",
    "millions of members": b"{" + b'"b":1,' * (M // 6) + b'"c":1}',
    "brackets in a string": b'"' + b"[" * M + b'"',
    "escapes in a string": b'"' + b'\\"' * (M // 2) + b'"',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_abuse_25_8_mb_of_hostile_json_take_no_longer_than_their_length_asks_for(body: bytes) -> None:
    started = time.process_time()
    found = fault(body, 128)
    assert time.process_time() - started < 0.5  # measured at most 0.06; the test machine may be busy
    assert found == ("" if body.startswith(b'"') else found)
    assert found in ("", "too_deep", "json_too_many_values")


def test_a_large_text_of_commas_and_brackets_is_no_million_of_values() -> None:
    assert fault(b'{"csv":"' + b"1,[{" * VALUES_MAX + b'"}', 128) == ""
    assert fault(b"[" + b"1," * (VALUES_MAX + 1) + b"1]", 128) == "json_too_many_values"


names = st.sampled_from(["a", "b", "A", "method", "x:y", 'q"', "\\", "é", ""])
trees = st.recursive(
    st.none() | st.integers() | st.text('a:"\\{}[],é', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(names, inner), max_size=4).map(tuple),
    max_leaves=20,
)


def written(tree: Any, escape: bool) -> str:
    """JSON of a tree in which a tuple is the members of an object, twins included."""
    if isinstance(tree, tuple):
        members = [f"{spelled(name, escape)} : {written(value, escape)}" for name, value in tree]
        return "{" + ", ".join(members) + "}"
    if isinstance(tree, list):
        return "[" + ",".join([written(item, escape) for item in tree]) + "]"
    return spelled(tree, escape) if isinstance(tree, str) else json.dumps(tree)


def spelled(text: str, escape: bool) -> str:
    if not escape:
        return json.dumps(text, ensure_ascii=False)
    return '"' + "".join([f"\\u{ord(char):04x}" for char in text]) + '"'


def twins(tree: Any) -> bool:
    if isinstance(tree, tuple):
        return len({name for name, _ in tree}) != len(tree) or any(twins(value) for _, value in tree)
    return isinstance(tree, list) and any(map(twins, tree))


def depth(tree: Any) -> int:
    if isinstance(tree, tuple):
        return 1 + max([depth(value) for _, value in tree], default=0)
    return 1 + max(map(depth, tree), default=0) if isinstance(tree, list) else 0


@settings(deadline=None)
@given(trees, st.booleans())
def test_abuse_55_duplicates_and_depth_are_found_as_by_a_walk_over_the_tree(tree: Any, escape: bool) -> None:
    body = written([tree], escape).encode()  # in two lists its names are not those of the protocol
    body = b"[" + body + b"]"
    assert fault(body, depth(tree) + 2) == ("json_duplicate_key" if twins(tree) else "")
    assert fault(body, depth(tree) + 1) == ("json_duplicate_key" if twins(tree) else "too_deep")


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text('[]{}",:\\ \n1au', max_size=60).map(str.encode))
def test_any_bytes_at_all_get_an_answer(body: bytes) -> None:
    found, value = read(body, 3)
    if not found:
        assert json.loads(body) == value
