"""What the API server makes of a request, for some 200 of them: `requests.yaml` has them with what is expected."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.effects import Request
from gateway.kubernetes import NotReadError, read

REQUESTS: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("requests.yaml").read_text("utf-8"))
READ = [each for each in REQUESTS if "expect" in each]
REFUSED = [each for each in REQUESTS if "refused" in each]
NAMES = ("verb", "apiGroup", "apiVersion", "resource", "subresource", "namespace", "name")
SELECTORS = ("labelSelector", "fieldSelector")


def request_of(given: dict[str, Any]) -> Request:
    path, _, query = given["target"].partition("?")
    headers = [(b"content-type", given["content_type"].encode())] if "content_type" in given else []
    body = given.get("body", "").encode()
    return Request(given["method"], f"/k8s/prod{path}", query, headers, body, "127.0.0.1:1", "", target=path)


def label(given: dict[str, Any]) -> str:
    return f"{given['method']} {given['target']} {given.get('body', '')}".strip()


@pytest.mark.parametrize("given", READ, ids=label)
def test_a_request_is_what_the_api_server_takes_it_for(given: dict[str, Any]) -> None:
    expected = {**dict.fromkeys((*NAMES, *SELECTORS), ""), "resourceRequest": True, **given["expect"]}
    facts = read(request_of(given), "c").facts
    assert {name: facts[name] for name in expected} == expected


@pytest.mark.parametrize("given", READ, ids=label)
def test_the_record_names_it_as_the_audit_log_does(given: dict[str, Any]) -> None:
    attributes = read(request_of(given), "c").attributes
    assert attributes.get("k8s.verb", "") == given["expect"].get("verb", "")
    for name in NAMES[1:]:
        assert attributes.get(f"k8s.objectRef.{name}", "") == given["expect"].get(name, "")


@pytest.mark.parametrize("given", REFUSED, ids=label)
def test_a_request_with_two_readings_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(NotReadError) as raised:
        read(request_of(given), "c")
    assert raised.value.reason_code == given["refused"]


def test_there_are_requests_enough_and_each_once() -> None:
    assert len(REQUESTS) >= 150
    assert len({label(each) + each.get("content_type", "") for each in REQUESTS}) == len(REQUESTS)
