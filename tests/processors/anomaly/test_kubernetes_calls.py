"""Requests to an API server as observations: what they touch, and that scans over kubectl are found."""

from typing import Any

import pytest

from processors.anomaly.detector import Detector
from processors.anomaly.load import load_rules
from processors.anomaly.observation import Observation
from processors.anomaly.observing import observations_of
from processors.anomaly.state import State
from tests.processors.anomaly.making import SECOND_US, START_US, frame, request_fields, response_fields
from tests.processors.anomaly.test_observing import observed as by_tool

SHARED = {
    "protocol": "kubernetes",
    "method": "",
    "jsonrpc_type": "none",
    "user_agent": "kubectl/v1.36.3 (linux/amd64)",
}


def ref(
    verb: str, resource: str, namespace: str = "", name: str = "", subresource: str = ""
) -> dict[str, str]:
    found = {"resource": resource, "namespace": namespace, "name": name, "subresource": subresource}
    named = {f"k8s.objectRef.{key}": value for key, value in found.items() if value}
    return {"k8s.verb": verb, "k8s.cluster.name": "eu", **named}


def exchange(attributes: dict[str, str], path: str = "/k8s/prod/x", **told: Any) -> list[Observation]:
    shared = request_fields(1, "", **SHARED, attributes=attributes, http_path=path)
    response = response_fields(**{"jsonrpc_type": "none", "tool_is_error": None, **told})
    return observations_of(frame(2, b"", **shared), [frame(3, b"{}", **{**shared, **response})])


def observed(*about: str, path: str = "/k8s/prod/x", **told: Any) -> Observation:
    (seen,) = exchange(ref(*about), path, **told)
    return seen


@pytest.mark.parametrize(
    ("about", "told"),
    [
        (("get", "secrets", "shop", "db"), ("get", "shop/Secret/db", "shop", True, False)),
        (("list", "secrets", "shop"), ("list", "shop/Secret", "shop", True, False)),
        (("list", "secrets"), ("list", "*/Secret", "*", True, False)),
        (("watch", "secrets"), ("watch", "*/Secret", "*", True, False)),
        (("delete", "secrets", "shop", "db"), ("delete", "shop/Secret/db", "shop", False, False)),
        (("create", "secrets", "shop", "db"), ("create", "shop/Secret/db", "shop", False, False)),
        (("list", "pods"), ("list", "*/Pod", "*", False, False)),
        (("get", "pods", "shop", "web", "log"), ("get", "shop/Pod/web", "shop", False, False)),
        (("patch", "deployments", "shop", "web"), ("update", "shop/Deployment/web", "shop", False, False)),
        (("deletecollection", "pods", "shop"), ("delete", "shop/Pod", "shop", False, False)),
        (("create", "pods", "shop", "web", "eviction"), ("delete", "shop/Pod/web", "shop", False, False)),
        (("get", "pods", "shop", "web", "exec"), ("exec", "shop/Pod/web/exec", "shop", True, False)),
        (("create", "pods", "shop", "web", "portforward"), ("exec", "shop/Pod/web/portforward", "shop", True, False)),
        (("create", "nodes", "", "n1", "proxy"), ("exec", "Node/n1/proxy", "", True, False)),
        (("create", "serviceaccounts", "a", "ci", "token"), ("create", "a/ServiceAccount/ci/token", "a", True, True)),
        (("list", "nodes"), ("list", "Node", "", False, False)),
        (("list", "namespaces"), ("list", "*/Namespace", "*", False, False)),
        (("get", "namespaces", "shop", "shop"), ("get", "Namespace/shop", "", False, False)),
        (("list", "widgets"), ("list", "*/widgets", "*", False, False)),
    ],
)  # fmt: skip
def test_what_a_request_touches(about: tuple[str, ...], told: tuple[Any, ...]) -> None:
    seen = observed(*about)
    assert (seen.verb, seen.object, seen.namespace, seen.sensitive, seen.minted) == told


def test_a_request_has_a_name_that_is_new_where_it_never_was_done() -> None:
    assert observed("create", "pods", "shop", "web", "exec").tool == "create pods/exec"
    assert observed("get", "secrets", "shop", "db").tool == "get secrets"


def test_a_command_in_a_pod_that_is_after_credentials_is_told() -> None:
    path = "/k8s/prod/api/v1/namespaces/shop/pods/web/exec?command=cat&command=%2Fvar%2Frun%2Fsecrets%2Fx&stdout=true"
    assert observed("create", "pods", "shop", "web", "exec", path=path).prompt
    plain = "/k8s/prod/api/v1/namespaces/shop/pods/web/exec?command=ls"
    assert not observed("create", "pods", "shop", "web", "exec", path=plain).prompt
    assert not observed("create", "pods", "shop", "web", "exec", path="/x?" + "a=b&" * 300).prompt


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({}, "ok"),
        ({"http_status": 101}, "ok"),
        ({"http_status": 403}, "denied"),
        ({"http_status": 404}, "failed"),
        ({"http_status": 502, "outcome": "upstream_failed"}, "error"),
    ],
)
def test_how_it_ended(told: dict[str, Any], outcome: str) -> None:
    assert observed("get", "secrets", "shop", "db", **told).outcome == outcome


def test_what_kubectl_asks_about_the_api_itself_is_no_observation_unless_it_is_refused() -> None:
    discovery = {"k8s.verb": "get", "k8s.cluster.name": "eu"}
    assert exchange(discovery, "/k8s/prod/openapi/v3") == []
    (refused,) = exchange(discovery, "/k8s/prod/api", http_status=403)
    assert (refused.outcome, refused.object, refused.client) == ("denied", "", "kubectl")


def test_secrets_read_by_kubectl_and_by_a_tool_are_the_same_objects() -> None:
    tool = by_tool("resources_get", {"kind": "Secret", "namespace": "shop", "name": "db"})
    kubectl = observed("get", "secrets", "shop", "db")
    assert (kubectl.object, kubectl.verb, kubectl.namespace) == (tool.object, tool.verb, tool.namespace)
    assert kubectl.sensitive == tool.sensitive


def reads(attributes: list[dict[str, str]], every_s: int) -> list[Observation]:
    """One exchange after the other, by one principal."""
    found = []
    for number, each in enumerate(attributes):
        at = {"recorded_at": START_US + number * every_s * SECOND_US}
        shared = request_fields(number, "", **SHARED, attributes=each, http_path="/k8s/prod/x", **at)
        told = response_fields(jsonrpc_type="none", tool_is_error=None)
        found += observations_of(
            frame(2 * number, b"", **shared), [frame(2 * number + 1, b"{}", **{**shared, **told})]
        )
    return found


def findings(seen: list[Observation]) -> set[str]:
    detector = Detector(load_rules(), State())
    return {finding.rule for each in seen for finding in detector.observe(each)}


def test_secrets_read_one_after_the_other_by_kubectl_are_found() -> None:
    secrets = [ref("get", "secrets", "shop", f"s{number}") for number in range(130)]
    assert "repeated-secret-reads" in findings(reads(secrets, 20))
    pods = [ref("get", "pods", "shop", f"p{number}") for number in range(130)]
    assert "repeated-secret-reads" not in findings(reads(pods, 20))


def test_lists_of_the_whole_cluster_by_kubectl_are_found() -> None:
    lists = [ref("list", resource) for resource in ("pods", "secrets", "configmaps", "services") * 10]
    assert "cluster-wide-listing" in findings(reads(lists, 30))


def test_tokens_made_one_after_the_other_are_found() -> None:
    tokens = [ref("create", "serviceaccounts", "shop", f"sa{number}", "token") for number in range(140)]
    assert "token-surge" in findings(reads(tokens, 20))


def test_whoever_may_not_go_into_a_pod_and_looks_at_it_goes_no_way_around() -> None:
    calls = [
        observed("create", "pods", "shop", "web", "exec", http_status=403),
        observed("get", "pods", "shop", "web"),
    ]
    assert findings(calls) == set()
