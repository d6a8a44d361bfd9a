"""Protobuf bodies: real bytes to the objects that they were made of, and broken ones refused.

`protobuf.jsonl` has objects, and their bytes as k8s.io/client-go v0.36.3 writes them; the last three were recorded
from kubectl and kubernetes-mcp-server.
"""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from gateway.kubernetes import NotReadError, protobuf_to_object
from gateway.kubernetes.fields import table
from gateway.kubernetes.protobuf import MAGIC, UnknownKindError, known_object
from tests.gateway.kubernetes.shapes import CONFIGMAPS, POD, call

EXAMPLES = [
    json.loads(line) for line in Path(__file__).with_name("protobuf.jsonl").read_text("utf-8").splitlines()
]
PROTOBUF = "application/vnd.kubernetes.protobuf"


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def body_of(kind: str, raw: bytes, api_version: str = "v1", more: bytes = b"") -> bytes:
    type_meta = field(1, api_version.encode()) + field(2, kind.encode())
    return MAGIC + field(1, type_meta) + field(2, raw) + more


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["object"]["kind"])
def test_real_bytes_are_the_object_that_they_were_made_of(example: dict[str, Any]) -> None:
    assert known_object(b64decode(example["body"])) == (example["object"], True)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each["object"]["kind"])
def test_bytes_that_are_cut_off_or_changed_are_refused_or_another_object(example: dict[str, Any]) -> None:
    whole = b64decode(example["body"])
    for at in range(len(MAGIC), len(whole), 3):
        for broken in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]):
            try:
                assert isinstance(protobuf_to_object(broken), dict)
            except NotReadError:
                continue


@pytest.mark.parametrize(
    "kind",
    [
        *(
            f"v1/{kind}"
            for kind in ("Pod", "Secret", "ConfigMap", "Service", "Namespace", "Node", "Event", "Endpoints")
        ),
        *(
            f"v1/{kind}"
            for kind in ("ServiceAccount", "PersistentVolumeClaim", "ReplicationController", "LimitRange")
        ),
        *(
            f"apps/v1/{kind}"
            for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ControllerRevision")
        ),
        *(
            f"rbac.authorization.k8s.io/v1/{kind}"
            for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
        ),
        *(
            f"authorization.k8s.io/v1/{kind}AccessReview"
            for kind in ("Subject", "SelfSubject", "LocalSubject")
        ),
        *(
            "authentication.k8s.io/v1/TokenReview",
            "authentication.k8s.io/v1/TokenRequest",
            "policy/v1/Eviction",
        ),
        *("batch/v1/Job", "batch/v1/CronJob", "coordination.k8s.io/v1/Lease", "autoscaling/v1/Scale"),
        *(
            "networking.k8s.io/v1/Ingress",
            "apiregistration.k8s.io/v1/APIService",
            "scheduling.k8s.io/v1/PriorityClass",
        ),
        *("v1/DeleteOptions", "apps/v1/DeleteOptions", "meta.k8s.io/v1/DeleteOptions", "v1/PodList"),
    ],
)
def test_a_kind_has_a_table(kind: str) -> None:
    api_version, _, name = kind.rpartition("/")
    assert table().message_of(api_version, name)


def test_every_type_in_the_table_is_there() -> None:
    known = table().messages
    missing = {
        each.kind for fields in known.values() for each in fields.values() if "." in each.kind
    } - known.keys()
    assert missing == set()


def test_real_bytes_of_every_kind_are_as_their_makers_say() -> None:
    """The module k8s.io/api has an example of each kind in both forms; Go keeps it where it was fetched."""
    folder = Path.home() / "go/pkg/mod/k8s.io/api@v0.36.3/testdata/HEAD"
    if not folder.is_dir():
        pytest.skip("Go has not fetched k8s.io/api v0.36.3")
    compared = 0
    for file in sorted(folder.glob("*.pb")):
        try:
            found, known = known_object(file.read_bytes())
        except UnknownKindError:
            continue
        assert known, file.stem
        assert filled(found) == filled(json.loads(file.with_suffix(".json").read_text("utf-8"))), file.stem
        compared += 1
    assert compared > 120


def filled(value: Any) -> Any:
    """Without what is empty: Go's JSON keeps some of it."""
    if isinstance(value, dict):
        members = {key: filled(each) for key, each in value.items()}
        return {key: each for key, each in members.items() if each or each is False}
    return [filled(each) for each in value] if isinstance(value, list) else value


# -- two readings


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"kind":"Pod"}', "does not begin with k8s"),
        (b"", "does not begin with k8s"),
        (body_of("ConfigMap", b"\xff"), "cut off or broken"),
        (body_of("ConfigMap", b"\x0a\x05ab"), "cut off or broken"),
        (body_of("ConfigMap", field(1 << 32 | 2, b"")), "cut off or broken"),  # which Go takes for field 2
        (body_of("Pod", field(2, field(25, 1 << 32))), "cut off or broken"),  # which Go takes for 0
        (body_of("ConfigMap", b"\x0b"), "cut off or broken"),
        (body_of("ConfigMap", b"\x00"), "cut off or broken"),
        (body_of("ConfigMap", b"\x08" + b"\xff" * 11), "cut off or broken"),
        (body_of("ConfigMap", field(1, 5)), "cut off or broken"),
        (body_of("ConfigMap", field(1, field(1, b"a") + field(1, b"b"))), "a field twice"),
        (body_of("ConfigMap", field(1, field(1, b"a")) + field(1, field(3, b"b"))), "a field twice"),
        (body_of("ConfigMap", field(1, field(1, b"\xff"))), "no UTF-8"),
        (body_of("ConfigMap", field(2, field(1, b"k")) + field(2, field(1, b"k"))), "a key twice"),
        (body_of("ConfigMap", field(2, field(1, b"k") + field(2, b"a") + field(2, b"b"))), "a field twice"),
        (body_of("ConfigMap", b"", more=field(2, b"")), "a field twice"),
        (body_of("ConfigMap", b"", more=field(3, b"gzip")), "packed in another form"),
        (body_of("ConfigMap", b"", more=field(4, b"application/json")), "packed in another form"),
        (
            body_of("ConfigMap", field(2, field(1, b"k")) * 1 + b"".join(field(9, 0) for _ in range(50_001))),
            "fields",
        ),
        (body_of("Pod", field(1, field(8, field(1, 2**62)))), "a time that no calendar has"),
    ],
)
def test_bytes_with_two_readings_or_none_are_refused(body: bytes, told: str) -> None:
    with pytest.raises(NotReadError) as raised:
        protobuf_to_object(body)
    assert told in str(raised.value)


def test_a_field_that_a_newer_api_server_may_know_is_left_out_and_told() -> None:
    assert known_object(body_of("ConfigMap", field(1, field(1, b"a")) + field(99, b"x")))[1] is False
    found = call(
        "POST", CONFIGMAPS, body_of("ConfigMap", field(1, field(1, b"a")) + field(99, b"x")), PROTOBUF
    )
    assert (found.facts["object_known"], found.facts["name"]) == (False, "a")


def test_json_within_protobuf_that_is_none_is_told() -> None:
    found, known = known_object(body_of("ControllerRevision", field(2, field(1, b"k8s\0\xff")), "apps/v1"))
    assert ("data" in found, known) == (False, False)


def test_numbers_keep_their_sign_and_lists_of_them_may_be_packed() -> None:
    minus = body_of("Scale", field(2, field(1, 2**64 - 1)), "autoscaling/v1")
    assert protobuf_to_object(minus)["spec"] == {"replicas": -1}
    groups = varint(7) + varint(300)
    context = field(14, field(4, groups))  # spec.securityContext.supplementalGroups
    assert protobuf_to_object(body_of("Pod", field(2, context)))["spec"]["securityContext"] == {
        "supplementalGroups": [7, 300]
    }


# -- in requests


def test_a_protobuf_body_gives_the_facts_that_its_json_would() -> None:
    secret = next(each for each in EXAMPLES if each["object"].get("metadata", {}).get("name") == "protosec")
    found = call("POST", "/api/v1/namespaces/prod/secrets", b64decode(secret["body"]), PROTOBUF)
    assert (found.facts["kind"], found.facts["name"], found.facts["changes"]) == (
        "Secret",
        "protosec",
        ["data.password"],
    )
    assert json.loads(found.shown) == secret["object"]
    assert found.object == "secrets prod/protosec"


def test_an_eviction_in_protobuf_is_a_dry_run_where_it_says_so() -> None:
    eviction = next(each for each in EXAMPLES if each["object"]["kind"] == "Eviction")
    found = call("POST", f"{POD}/eviction", b64decode(eviction["body"]), PROTOBUF)
    assert (found.facts["dryRun"], found.facts["gracePeriodSeconds"]) == (True, 0)


def test_a_kind_without_a_table_has_its_name_and_no_more() -> None:
    raw = field(1, field(1, b"w") + field(3, b"prod")) + field(2, b"\xff\xff")
    found = call(
        "POST",
        "/apis/example.com/v1/namespaces/prod/widgets",
        body_of("Widget", raw, "example.com/v1"),
        PROTOBUF,
    )
    assert (found.facts["kind"], found.facts["name"], found.facts["object_known"]) == ("Widget", "w", False)
    assert (found.facts["changes"], found.shown) == ([], b"")
