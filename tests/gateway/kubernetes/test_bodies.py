"""Bodies in JSON and YAML: read as the API server reads them, or refused."""

from typing import Any

import pytest

from gateway.kubernetes import NotReadError
from tests.gateway.kubernetes.shapes import CONFIGMAPS, DEPLOYMENT, call

YAML = "application/yaml"
JSON = "application/json"


def of_yaml(text: str) -> Any:
    return call("POST", CONFIGMAPS, text.encode(), YAML).facts["object"]


def refused(body: bytes, content_type: str = JSON, method: str = "POST", target: str = CONFIGMAPS) -> str:
    with pytest.raises(NotReadError) as raised:
        call(method, target, body, content_type)
    assert raised.value.reason_code == "unreadable_request"
    return str(raised.value)


def test_yaml_is_read_as_the_api_server_reads_it() -> None:
    text = """
metadata:
  name: a
  labels: {1: one, 'yes': quoted, a.b/c: "x"}
data:
  text: |
    line
  date: 2026-11-21
  address: 10.0.0.1
  version: 1.2.3
  nothing: ~
  empty:
spec: {number: 3, negative: -1, part: 1.5, on_: true, off_: False, list: [a, 'b', {c: null}]}
"""
    assert of_yaml(text) == {
        "metadata": {"name": "a", "labels": {"1": "one", "yes": "quoted", "a.b/c": "x"}},
        "data": {
            "text": "line\n",
            "date": "2026-11-21",
            "address": "10.0.0.1",
            "version": "1.2.3",
            "nothing": None,
            "empty": None,
        },
        "spec": {
            "number": 3,
            "negative": -1,
            "part": 1.5,
            "on_": True,
            "off_": False,
            "list": ["a", "b", {"c": None}],
        },
    }


def test_json_is_yaml_too() -> None:
    assert of_yaml('{"metadata":{"name":"a"},"data":{"n":1,"t":"caf\\u00e9"}}')["data"] == {
        "n": 1,
        "t": "café",
    }


@pytest.mark.parametrize(
    "value",
    [
        "yes",
        "No",
        "ON",
        "off",
        "y",
        "010",
        "0x1F",
        "0o7",
        "0b1",
        "1_000",
        "+1",
        ".5",
        "5.",
        "1.0e+3",
        ".inf",
        ".NaN",
        "1.10e3",
        "1e5",
        "12:30:00",
    ],
)
def test_plain_text_that_versions_of_yaml_read_in_two_ways_is_refused_but_not_in_quotes(value: str) -> None:
    assert "put it in quotes" in refused(f"spec: {{a: {value}}}".encode(), YAML)
    assert of_yaml(f"spec: {{a: '{value}'}}") == {"spec": {"a": value}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x [1]\nb: *x", "anchors or aliases"),
        ("a: &x 1", "anchors or aliases"),
        ("a: {<<: {b: 1}}", "put it in quotes"),
        ("a: !!binary aGk=", "YAML tags"),
        ("a: !x 1", "YAML tags"),
        ("a: 1\na: 2", "has a key twice"),
        ("a: {1: x, '1': y}", "has a key twice"),
        ("? [a]\n: 1", "a key of a YAML body must be text"),
        ("true: 1", "a key of a YAML body must be text"),
        ("null: 1", "a key of a YAML body must be text"),
        ("a: 1\n---\nb: 2", "a second YAML document"),
        ("a: [1", "is not YAML"),
        ("- 1", "the body is no object"),
        ("a: " + "[" * 200 + "]" * 200, "levels deep"),
        ("apiversion: v1", "another spelling"),
        ("KIND: Pod", "another spelling"),
    ],
)
def test_yaml_that_is_more_than_a_plain_object_is_refused(text: str, told: str) -> None:
    assert told in refused(text.encode(), YAML)


def test_yaml_of_a_great_size_is_refused_unless_it_is_json() -> None:
    filler = "x" * 300_000
    assert "send JSON" in refused(f"data: {{a: {filler}}}".encode(), YAML)
    assert of_yaml(f'{{"data":{{"a":"{filler}"}}}}') == {"data": {"a": filler}}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"a":1,"a":2}', "has a key twice"),
        (b'{"spec":{"x":1,"\\u0078":2}}', "has a key twice"),
        (b'{"Kind":"Pod"}', "another spelling"),
        (b'{"APIVERSION":"v1"}', "another spelling"),
        (b"\xff", "is not UTF-8"),
        (b'{"a":"\\ud800"}', "half a character"),
        (b'{"a":1e999}', "a number that no parser holds"),
        (b'{"a":NaN}', "a number that no parser holds"),
        (b'{"a":' + b"[" * 200 + b"]" * 200 + b"}", "levels deep"),
        (b"{}{}", "is not JSON"),
        (b"a: 1", "is not JSON"),
        (b"null", "is no object"),
        (b'"text"', "is no object"),
    ],
)
def test_json_with_two_readings_is_refused(body: bytes, told: str) -> None:
    assert told in refused(body)


def test_members_that_mean_something_in_json_rpc_mean_nothing_here() -> None:
    body = b'{"kind":"Widget","Method":"x","Result":{"Params":1},"ID":5}'
    assert call("POST", "/apis/example.com/v1/widgets", body, JSON).facts["object"]["Method"] == "x"
    deep = b'{"Method":' + b"[" * 200 + b"]" * 200 + b"}"
    assert "levels deep" in refused(deep)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/cbor", "application/xml", "json", "text/yaml"]
)
def test_a_body_of_another_type_is_refused(content_type: str) -> None:
    assert "application/json" in refused(b"{}", content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "",
        "APPLICATION/MERGE-PATCH+JSON",
        "application/apply-patch+cbor",
    ],
)
def test_a_patch_has_its_type_as_the_api_server_spells_it(content_type: str) -> None:
    assert "a patch has one of the content types" in refused(b"{}", content_type, "PATCH", DEPLOYMENT)


def test_a_request_that_reads_has_no_body() -> None:
    assert "has no body" in refused(b"{}", JSON, "GET")


def test_what_people_are_shown_is_json() -> None:
    assert (
        call("POST", CONFIGMAPS, b"kind: ConfigMap\ndata: {a: b}\n", YAML).shown
        == b'{"kind":"ConfigMap","data":{"a":"b"}}'
    )
    assert call("POST", CONFIGMAPS, b'{"data": {"a" : "b"}}', JSON).shown == b'{"data": {"a" : "b"}}'


def test_texts_of_refusals_show_nothing_of_a_broken_body() -> None:
    assert "hunter2" not in refused(b"password: [hunter2", YAML)
    assert "hunter2" not in refused(b'{"password":"hunter2"', JSON)
