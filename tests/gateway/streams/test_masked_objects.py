"""Objects of Kubernetes in every form in which an API server answers: nothing of a Secret's data passes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gateway.effects import Answer, Connect
from gateway.kubernetes.masked import holds_pseudonym
from masking import Masker
from tests.gateway.playbook import Saw, forwarded, frame, recorded
from tests.gateway.streams.plays import PODS, Play, asked

MASKER = Masker(b"0123456789abcdef", "secrets")
PLAIN = "plain words of no form"
CODED = base64.b64encode(PLAIN.encode()).decode()
SHORT = base64.b64encode(b"x7").decode()
SECRET: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "db", "managedFields": [{"fieldsV1": {"f:data": {"f:password": {}}}}]},
    "data": {"password": CODED, "user": SHORT},
    "type": "Opaque",
}
APPLIED = json.dumps({"kind": "Secret", "data": {"password": CODED}, "stringData": {"p": PLAIN}}) + "\n"
ANNOTATED = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": APPLIED}}
BARE = {name: value for name, value in SECRET.items() if name not in ("kind", "apiVersion")}


def table(of: dict[str, Any]) -> dict[str, Any]:
    """A Table with one row, as kubectl asks for it."""
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "columnDefinitions": [{"name": "Name", "type": "string"}],
        "rows": [{"cells": ["db", "Opaque", 2, "3d"], "object": of}],
    }


PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": ANNOTATED}
FORMS: dict[str, dict[str, Any]] = {
    "a Secret": SECRET,
    "a Secret that was applied": {**SECRET, "metadata": ANNOTATED},
    "a SecretList": {"kind": "SecretList", "apiVersion": "v1", "items": [BARE, BARE]},
    "a List": {"kind": "List", "apiVersion": "v1", "items": [SECRET, SECRET]},
    "a watch event": {"type": "ADDED", "object": SECRET},
    "a watch event of a Table": {"type": "MODIFIED", "object": table(SECRET)},
    "a Table of whole objects": table(SECRET),
    "a Table of metadata": table(PARTIAL),
    "metadata alone": PARTIAL,
    "a kind behind the data": {"data": {"p": CODED}, "stringData": {"q": PLAIN}, "kind": "Secret"},
    "a review": {"kind": "AdmissionReview", "request": {"object": SECRET, "oldObject": SECRET}},
    "a manifest in a ConfigMap": {
        "kind": "ConfigMap",
        "data": {
            "s.yaml": f"kind: Secret\ndata:\n  p: {CODED}\nstringData:\n  q: {PLAIN}\n",
            "s.json": APPLIED,
        },
    },
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("form", FORMS)
def test_nothing_of_a_secrets_data_passes_and_the_json_stays_json(form: str, indent: int | None) -> None:
    body = json.dumps(FORMS[form], indent=indent).encode() + b"\n"
    masked = MASKER.mask(body).text
    for value in (PLAIN, CODED, f'"{SHORT}"'):
        assert value.encode() not in masked
    assert json.loads(masked).keys() == FORMS[form].keys()


def test_what_lists_are_read_on_by_stays() -> None:
    token = base64.urlsafe_b64encode(
        b'{"v":"meta.k8s.io/v1","rv":12345,"start":"prod/web-7b8dcd5846\\u0000"}'
    )
    body = json.dumps(
        {"kind": "SecretList", "metadata": {"continue": token.decode()}, "items": [BARE]}
    ).encode()
    assert token in MASKER.mask(body).text


@pytest.mark.parametrize("written", ["as it was read", "in base64", "in protobuf", "in YAML"])
def test_a_pseudonym_is_known_however_it_is_written_back(written: str) -> None:
    pod = {
        "kind": "Pod",
        "spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": "Tr0ub4dor&3xyz"}]}]},
    }
    masked = MASKER.mask(json.dumps(pod).encode()).text
    name = masked[masked.index(b"[masked:") :].partition(b"]")[0] + b"]"
    body = {
        "as it was read": masked,
        "in base64": b'{"kind":"Secret","data":{"p":"%b"}}' % base64.b64encode(name),
        "in protobuf": b"k8s\0\x0a\x04" + name,
        "in YAML": b"kind: Secret\ndata:\n  p: %b\n" % base64.b64encode(name),
    }[written]
    assert holds_pseudonym(body)


@pytest.mark.parametrize(
    "body", [b"", b"[masked:", b'{"a":"[masked:...]"}', b'"W21hc2tlZDo="', b"W21hc2tlZDpub3RoaW5n"]
)
def test_what_only_looks_like_one_is_none(body: bytes) -> None:
    assert not holds_pseudonym(body)


def test_a_write_of_a_pseudonym_is_refused_before_the_api_server_sees_it() -> None:
    request = asked(f"{PODS}/web", method="PUT", headers=[(b"content-type", b"application/json")])
    request.body = b'{"kind":"Pod","metadata":{"name":"web"},"spec":{"x":"[masked:assignment:0a1b2c]"}}'
    play = Play(request) << recorded(frame("request", outcome="refused", reason_code="masked_value")) >> True
    assert isinstance(play.effect, Answer)
    assert play.effect.status == 400
    assert b"patch other fields alone" in play.effect.body
    request.body = request.body.replace(b"[masked:assignment:0a1b2c]", b"plain")
    _ = Play(request) << recorded(frame("request", outcome="pending")) >> True << forwarded(method="PUT")


SECRETS = "/api/v1/namespaces/prod/secrets"


@pytest.mark.parametrize("kind", ["copy", "move"])
def test_no_json_patch_takes_a_secrets_data_to_where_it_would_not_be_masked(kind: str) -> None:
    """An API server tells in plain text which value cannot be a label."""
    request = asked(
        f"{SECRETS}/db", method="PATCH", headers=[(b"content-type", b"application/json-patch+json")]
    )
    operation = {"op": kind, "from": "/data/password", "path": "/metadata/labels/x"}
    request.body = json.dumps([operation]).encode()
    play = Play(request) << recorded(frame("request", outcome="refused", reason_code="unmasked_copy")) >> True
    assert isinstance(play.effect, Answer)
    assert play.effect.status == 400
    request.body = b'[{"op":"add","path":"/metadata/labels/x","value":"y"}]'
    _ = Play(request) << recorded(frame("request", outcome="pending")) >> True << forwarded(method="PATCH")


def test_a_watch_by_websocket_is_asked_for_in_json_too() -> None:
    """In protobuf the data of Secrets stands in plain bytes."""
    accept = b"application/vnd.kubernetes.protobuf;stream=watch, application/vnd.kubernetes.protobuf"
    request = asked(SECRETS, headers=[(b"accept", accept)])
    request.query, request.subprotocols = "watch=true", ()
    joins = Saw(Connect, fields={"headers": [(b"accept", b"application/json")]})
    _ = Play(request) << recorded(frame("request", outcome="pending")) >> True << joins
