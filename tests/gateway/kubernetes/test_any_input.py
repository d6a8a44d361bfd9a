"""Whatever comes: it is read or refused, and a target and its normal form are read alike."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.frames.target import TargetError, normal_path
from gateway.kubernetes import KubernetesCall, NotReadError, protobuf_to_object, read, request_info
from gateway.policy.facts import KUBERNETES
from tests.gateway.kubernetes.shapes import request

METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "PROPFIND", ""])
SEGMENTS = st.sampled_from(
    [
        "api",
        "apis",
        "v1",
        "apps",
        "watch",
        "proxy",
        "namespaces",
        "prod",
        "pods",
        "status",
        "finalize",
        "exec",
        "web-0",
    ]
) | st.text(max_size=4)
TARGETS = st.one_of(
    st.lists(SEGMENTS, max_size=8).map(lambda parts: "/" + "/".join(parts)),
    st.sampled_from(["/api/v1/", "/apis/apps/v1/", "/api/v1/namespaces/p/"]).flatmap(
        lambda start: st.text("abz%2FeE./:-_;\\@?#é", max_size=12).map(lambda rest: start + rest)
    ),
    st.text(max_size=20),
)
QUERIES = st.lists(
    st.sampled_from(
        [
            "watch=1",
            "watch",
            "fieldSelector=metadata.name%3Dx",
            "fieldSelector=%5C",
            "labelSelector=a,b",
            "dryRun=All",
            "command=a",
            "gracePeriodSeconds=9e9",
            "limit=%2B1",
            "force",
        ]
    )
    | st.text("watch=&%;+0\\ÿ", max_size=10),
    max_size=4,
).map("&".join)
TYPES = st.sampled_from(
    [
        "",
        "application/json",
        "application/yaml",
        "application/vnd.kubernetes.protobuf",
        "application/json-patch+json",
        "application/merge-patch+json",
        "application/strategic-merge-patch+json",
        "application/apply-patch+yaml",
        "text/plain",
    ]
)
KEYS = st.sampled_from(
    ["kind", "metadata", "name", "spec", "$patch", "$retainKeys", "op", "path", "from", "value", "a.b"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["add", "replace", "/a/0", "/a/-"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)
BODIES = st.binary(max_size=60) | st.text("{}[]:,-&*!|>'\"\n ab01~", max_size=40).map(str.encode) | VALUES
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"impersonate-user", b"impersonate-extra-a%2", b"impersonate-x", b"kubectl-command", b"accept"]
        ),
        st.binary(max_size=5),
    ),
    max_size=3,
)


def outcome(*given_: Any) -> KubernetesCall | str:
    try:
        return read(request(*given_), "c")
    except NotReadError as error:
        return error.reason_code


@settings(max_examples=400, deadline=None)
@given(METHODS, TARGETS, QUERIES, BODIES, TYPES, HEADERS)
def test_every_request_is_read_or_refused(
    method: str, target: str, query: str, body: Any, content_type: str, headers: list[tuple[bytes, bytes]]
) -> None:
    found = outcome(method, f"{target}?{query}", body, content_type, headers)
    if isinstance(found, KubernetesCall):
        assert found.facts.keys() == KUBERNETES.keys()
        assert all(type(value) is str and value for value in found.attributes.values())
    else:
        assert found in ("bad_target", "unreadable_request")


@settings(max_examples=300, deadline=None)
@given(METHODS, TARGETS)
def test_a_target_and_its_normal_form_are_read_alike(method: str, target: str) -> None:
    path = target.partition("?")[0]
    try:
        normal = normal_path(path.encode("ascii", "surrogatepass"))
    except (TargetError, UnicodeEncodeError):
        assert outcome(method, path) == "bad_target"
        return
    assert outcome(method, path) == outcome(method, normal)


@settings(max_examples=300, deadline=None)
@given(METHODS, st.text(max_size=30), st.text(max_size=20))
def test_request_info_raises_nothing_else(method: str, target: str, query: str) -> None:
    try:
        info = request_info(method, target, query)
    except NotReadError:
        return
    assert info.resource_request == bool(info.parts)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"k8s\0", b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12"]))
def test_bytes_that_are_no_protobuf_are_refused(body: bytes, start: bytes) -> None:
    size = bytes([len(body)]) if start.endswith(b"\x12") else b""
    try:
        found = protobuf_to_object(start + size + body)
    except NotReadError:
        return
    assert isinstance(found, dict)
