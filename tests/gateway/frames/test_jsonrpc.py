"""What is said of a JSON-RPC body: a table, and what holds for any body at all."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.frames.jsonrpc import (
    NOTHING,
    VERSION_META_KEY,
    Look,
    TooDeepError,
    _loose,
    error_body,
    look,
)

TABLE = {
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}': Look("request", "1", "ping"),
    b'{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t"}}': Look(
        "request", '"a"', "tools/call", tool="t"
    ),
    b'{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///x"}}': Look(
        "request", "1", "resources/read", resource="file:///x"
    ),
    b'{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"p"}}': Look(
        "request", "1", "prompts/get", resource="p"
    ),
    b'{"jsonrpc":"2.0","method":"notifications/initialized"}': Look(
        "notification", method="notifications/initialized"
    ),
    b'{"jsonrpc":"2.0","id":null,"method":"ping"}': Look("request", "null", "ping"),
    b'{"jsonrpc":"2.0","id":1,"result":{}}': Look("response", "1"),
    b'{"jsonrpc":"2.0","id":1,"result":{"isError":true}}': Look("response", "1", is_error=True),
    b'{"jsonrpc":"2.0","id":1,"result":"text"}': Look("response", "1"),
    b'{"jsonrpc":"2.0","id":1,"result":null}': Look("response", "1"),
    b'{"jsonrpc":"2.0","id":1,"result":{},"error":null}': Look("response", "1"),
    b'{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":""}}': Look("error", "1", error_code=-32601),
    b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}': Look("error", "null", error_code=-32700),
    b'{"jsonrpc":"2.0","id":1,"error":{"code":"x"}}': Look("error", "1"),
    b'{"jsonrpc":"2.0","id":1,"error":{"code":true}}': Look("error", "1"),
    b'{"jsonrpc":"2.0","id":1,"error":{"code":9223372036854775808}}': Look("error", "1"),
    b'{"jsonrpc":"2.0","id":1,"error":{"code":' + b"9" * 40 + b"}}": Look("error", "1"),
    b'{"jsonrpc":"2.0","id":1,"error":"text"}': Look("error", "1"),
    b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}': Look("request", "1", "ping"),
    b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}': Look("request", "1", "tools/call"),
    b'{"jsonrpc":"2.0","id":1,"method":5}': NOTHING,
    b' \n{"jsonrpc":"2.0","id":1,"method":"ping"}\n': Look("request", "1", "ping"),
    b"[]": Look("batch"),
    b"{}": NOTHING,
    b"": NOTHING,
    b"null": NOTHING,
    b"5": NOTHING,
    b"not json": NOTHING,
    b'{"id":1,"method":"ping"} trailing': NOTHING,
    b'{"id":"\xff","method":"ping"}': NOTHING,
    b'{"id":1,"method":"tools/call","params":{"name":"\\ud800"}}': NOTHING,
}


@pytest.mark.parametrize("body", TABLE, ids=lambda body: body.decode("latin-1")[:60])
def test_the_facts_of_a_body(body: bytes) -> None:
    assert look(body)._replace(arguments=None) == TABLE[body]


def test_a_batch_joins_the_facts_of_its_members_without_repeats() -> None:
    said = look(
        b'[{"id":1,"method":"tools/call","params":{"name":"a"}},'
        b'{"id":2,"method":"tools/call","params":{"name":"b"}},'
        b'{"method":"tools/call","params":{"name":"a"}},{"id":9,"error":{"code":-1}}, [], 5]'
    )
    assert (said.kind, said.id, said.method, said.tool) == ("batch", "1,2,9", "tools/call", "a,b")
    assert said.error_code == -1
    assert [member.kind for member in said.members] == [
        "request", "request", "notification", "error", "none", "none",
    ]  # fmt: skip


def test_g12_a_batch_above_the_limit_is_counted_and_not_looked_into() -> None:
    body = b"[" + b'{"id":1,"method":"x"},' * 4 + b"{}]"
    assert look(body, members_max=4) == Look("batch", members=(NOTHING,) * 5)
    assert look(body, members_max=5).method == "x"


def test_a_batch_within_a_batch_is_no_member() -> None:
    assert look(b'[[{"id":1,"method":"x"}]]') == Look("batch", members=(NOTHING,))


names = st.sampled_from(["id", "method", "params", "result", "error", "jsonrpc", "name", "uri", "code"])
names |= st.sampled_from(["isError", "arguments", "_meta", VERSION_META_KEY])
words = st.sampled_from(["tools/call", "resources/read", "ping", "é€", 'a"b\\', "\x7f", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)
calls = st.fixed_dictionaries(
    {"method": words | values},
    optional={
        "id": words | st.integers(-5, 5) | values,
        "params": st.dictionaries(names, words | values, max_size=4),
    },
)
answers = st.fixed_dictionaries(
    {"id": words | st.integers(-5, 5) | values},
    optional={
        "result": st.dictionaries(names, values, max_size=3) | values,
        "error": st.dictionaries(names, values, max_size=3) | values,
    },
)
messages = calls | answers | values


def facts(said: Look) -> Look:
    """A look with its arguments parsed, so that spelling does not count."""
    raw = bytes(said.arguments or b"")
    return said._replace(arguments=json.loads(raw) if raw else None)


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text('[]{}",:\\ \n1a', max_size=60).map(str.encode))
def test_any_bytes_at_all_are_looked_at_without_an_error(body: bytes) -> None:
    assert look(body).kind in ("none", "request", "notification", "response", "error", "batch")


@settings(deadline=None)
@given(messages)
def test_the_fast_path_and_the_forgiving_one_agree(message: Any) -> None:
    if not isinstance(message, list):
        fast, forgiving = facts(look(json.dumps(message).encode())), facts(_loose(message))
        assert fast._replace(id="") == forgiving._replace(id="")
        assert json.loads(fast.id or "0") == json.loads(forgiving.id or "0")


@settings(deadline=None)
@given(messages, st.randoms(use_true_random=False))
def test_key_order_escapes_and_blanks_change_no_fact(message: Any, random: Any) -> None:
    def shuffled(node: Any) -> Any:
        if isinstance(node, dict):
            keys = list(node)
            random.shuffle(keys)
            return {key: shuffled(node[key]) for key in keys}
        return [shuffled(item) for item in node] if isinstance(node, list) else node

    if isinstance(message, list):
        return
    plain = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
    other = json.dumps(shuffled(message), ensure_ascii=True, indent=1).encode()
    if isinstance(message, dict) and not isinstance(message.get("id"), dict | list | float):
        assert facts(look(plain)) == facts(look(other))


def test_g12_nesting_that_no_parser_follows_is_told_apart() -> None:
    for body in (b"[" * 100_000 + b"]" * 100_000, b'{"params":' * 50_000 + b"1" + b"}" * 50_000):
        with pytest.raises(TooDeepError):
            look(body)


HOSTILE = {
    "an open string of escaped quotes": b"{}" * 200 + b'"' + b'\\"' * 2_000_000,
    "an open string of backslashes": b"{}" * 200 + b'"' + b"\\" * 4_000_001,
    "nothing but quotes": b"{" * 100 + b'"' * 4_000_000 + b"}" * 200,
    "a batch of millions": b"[" + b"{}," * 1_300_000 + b"{}]",
    "a batch of batches": b"[" + b"[" * 90 + b"{}," * 1_300_000 + b"{}]" + b"]" * 90,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_g12_a_hostile_body_of_4_mb_takes_no_longer_than_its_length_asks_for(body: bytes) -> None:
    started = time.process_time()
    look(body, members_max=100)
    assert time.process_time() - started < 4  # measured at most 0.9; not in proportion means minutes


def test_an_own_error_is_json_with_the_requests_id_as_it_was_written() -> None:
    assert json.loads(error_body('"a\\u0041"', -32080, "no", reason="x")) == {
        "jsonrpc": "2.0",
        "id": "aA",
        "error": {"code": -32080, "message": "no", "data": {"reason": "x"}},
    }
    assert json.loads(error_body("", -1, ""))["id"] is None
