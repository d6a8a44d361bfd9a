"""What rules and the record know of a request beside its place: options, commands, who is impersonated."""

import pytest

from gateway.kubernetes import NotReadError, read
from gateway.policy.facts import KUBERNETES
from tests.gateway.kubernetes.shapes import CONFIGMAPS, DEPLOYMENT, POD, call, request

JSON = "application/json"


def test_all_fields_are_always_there_and_of_their_kind() -> None:
    shapes = [
        call("GET", POD),
        call("GET", "/version"),
        call("POST", CONFIGMAPS, {"metadata": {"name": "a"}}, JSON),
        call("DELETE", CONFIGMAPS, {"gracePeriodSeconds": 0}, JSON),
        call("POST", f"{POD}/exec?command=id", headers=[(b"impersonate-user", b"ann")]),
    ]
    kinds = {name: type(value) for name, value in KUBERNETES.items()}
    for each in shapes:
        assert {name: type(value) for name, value in each.facts.items()} == kinds


def test_a_request_that_says_nothing_more_has_blank_fields() -> None:
    said = {"verb", "apiVersion", "resource", "namespace", "name", "path", "resourceRequest", "cluster"}
    facts = call("GET", POD).facts
    assert {name: facts[name] for name in facts if name not in said} == {
        name: KUBERNETES[name] for name in KUBERNETES if name not in said
    }


# -- dry run


@pytest.mark.parametrize(
    ("method", "target", "body", "dry"),
    [
        ("POST", f"{CONFIGMAPS}?dryRun=All", {}, True),
        ("PUT", f"{CONFIGMAPS}/a?dryRun=All", {}, True),
        ("POST", f"{CONFIGMAPS}?dryRun=All&dryRun=All", {}, True),
        ("POST", CONFIGMAPS, {}, False),
        ("POST", f"{CONFIGMAPS}?dryRun=", {}, False),
        ("POST", f"{CONFIGMAPS}?dryRun=all", {}, False),
        ("POST", f"{CONFIGMAPS}?dryRun=All&dryRun=none", {}, False),
        ("POST", f"{CONFIGMAPS}?DryRun=All", {}, False),
        ("DELETE", f"{CONFIGMAPS}/a?dryRun=All", b"", True),
        ("DELETE", f"{CONFIGMAPS}/a", {"dryRun": ["All"]}, True),
        ("DELETE", CONFIGMAPS, {"dryRun": ["All"]}, True),
        ("DELETE", f"{CONFIGMAPS}/a", {"dryRun": "All"}, False),
        ("DELETE", f"{CONFIGMAPS}/a", {"dryRun": []}, False),
        ("POST", f"{POD}/eviction", {"deleteOptions": {"dryRun": ["All"]}}, True),
        ("POST", f"{POD}/eviction?dryRun=All", {"deleteOptions": {"gracePeriodSeconds": 1}}, True),
        ("POST", f"{POD}/eviction", {"metadata": {"name": "web-0"}}, False),
        ("POST", f"{POD}/binding?dryRun=All", {}, True),
    ],
)
def test_a_dry_run_is_one_that_the_api_server_makes(
    method: str, target: str, body: object, dry: bool
) -> None:
    found = call(method, target, body, JSON)
    assert found.facts["dryRun"] is dry
    assert found.attributes.get("k8s.dryRun", "") == ("All" if dry else "")


def test_a_delete_whose_body_says_nothing_of_it_is_no_dry_run_whatever_its_query_says() -> None:
    assert call("DELETE", f"{CONFIGMAPS}/a?dryRun=All", {}, JSON).facts["dryRun"] is False
    assert (
        call("DELETE", f"{CONFIGMAPS}?dryRun=All", {"propagationPolicy": "Orphan"}, JSON).facts["dryRun"]
        is False
    )


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/api/v1/namespaces/prod/serviceaccounts/ci/token?dryRun=All"),
        ("POST", f"{POD}/exec?command=id&dryRun=All"),
        ("GET", f"{POD}/exec?command=id&dryRun=All"),
        ("POST", f"{POD}/proxy/stop?dryRun=All"),
        ("GET", f"{POD}?dryRun=All"),
    ],
)
def test_what_knows_no_dry_run_is_none(method: str, target: str) -> None:
    assert call(method, target).facts["dryRun"] is False


def test_options_of_a_delete_come_from_its_body_or_else_from_its_query() -> None:
    by_query = call("DELETE", f"{POD}?propagationPolicy=Orphan&gracePeriodSeconds=0").facts
    assert (by_query["propagationPolicy"], by_query["gracePeriodSeconds"]) == ("Orphan", 0)
    by_body = call(
        "DELETE", f"{POD}?propagationPolicy=Orphan&gracePeriodSeconds=0", {"gracePeriodSeconds": 5}, JSON
    )
    assert (by_body.facts["propagationPolicy"], by_body.facts["gracePeriodSeconds"]) == ("", 5)


def test_server_side_apply_says_who_and_whether_by_force() -> None:
    body = b"apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 2}\n"
    facts = call(
        "PATCH", f"{DEPLOYMENT}?fieldManager=me&force=true", body, "application/apply-patch+yaml"
    ).facts
    assert (facts["fieldManager"], facts["force"], facts["patchType"]) == ("me", True, "apply")
    assert (facts["kind"], facts["object"]["spec"]) == ("Deployment", {"replicas": 2})


# -- inside of pods


def test_a_command_is_its_words_and_its_channels() -> None:
    query = "command=sh&command=-c&command=echo+%24A%3B+id&container=web&stdin=true&stdout=true&tty=1"
    facts = call("GET", f"{POD}/exec?{query}").facts
    assert facts["command"] == ["sh", "-c", "echo $A; id"]
    assert (facts["container"], facts["stdin"], facts["tty"], facts["subresource"]) == (
        "web",
        True,
        True,
        "exec",
    )


@pytest.mark.parametrize(
    ("value", "on"), [("true", True), ("", True), ("no", True), ("0", False), ("False", False)]
)
def test_a_channel_is_open_unless_it_is_said_to_be_closed(value: str, on: bool) -> None:
    assert call("POST", f"{POD}/attach?stdin={value}&tty={value}").facts["stdin"] is on


def test_a_log_is_followed_or_not() -> None:
    assert call("GET", f"{POD}/log?follow=true&container=web").facts["follow"] is True
    assert call("GET", f"{POD}/log").facts["follow"] is False
    assert call("GET", f"{POD}/attach?follow=true").facts["follow"] is False


def test_what_a_proxy_is_asked_for_is_told_and_its_body_is_nobodys_business() -> None:
    found = call("POST", "/api/v1/nodes/n1/proxy/run/prod/web-0/web?watch=1&watch=0", b"cmd=id", "text/plain")
    assert (found.facts["proxyPath"], found.facts["object"], found.shown) == (
        "run/prod/web-0/web",
        {},
        b"cmd=id",
    )


# -- who


def test_whom_the_caller_wants_to_be_is_known() -> None:
    headers = [
        (b"impersonate-user", b"ann"),
        (b"impersonate-group", b"dev"),
        (b"impersonate-group", b"system:masters"),
        (b"impersonate-uid", b"7"),
        (b"impersonate-extra-scopes%2Fa", b"view"),
        (b"impersonate-extra-scopes%2fa", b"edit"),
    ]
    found = call("GET", POD, headers=headers)
    assert found.impersonates
    assert found.facts["impersonate"] == {
        "user": "ann",
        "uid": "7",
        "groups": ["dev", "system:masters"],
        "extra": {"scopes/a": ["view", "edit"]},
    }
    assert found.attributes["k8s.impersonated.user"] == "ann"
    assert found.attributes["k8s.impersonated.groups"] == "dev,system:masters"
    assert not call("GET", POD).impersonates


@pytest.mark.parametrize(
    "headers",
    [
        [(b"impersonate-user", b"ann"), (b"impersonate-user", b"bob")],
        [(b"impersonate-uid", b"1"), (b"impersonate-uid", b"2")],
        [(b"impersonate-user", b""), (b"impersonate-user", b"ann")],
        [(b"content-type", b""), (b"content-type", b"application/yaml")],
        [(b"impersonate-user", b"\xff")],
        [(b"impersonate-role", b"admin")],
        [(b"content-type", b"application/json"), (b"content-type", b"application/yaml")],
        [(b"kubectl-command", b"kubectl get"), (b"kubectl-command", b"kubectl delete")],
    ],
)
def test_headers_that_count_once_are_there_once(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(NotReadError) as raised:
        call("GET", POD, headers=headers)
    assert raised.value.reason_code == "unreadable_request"


@pytest.mark.parametrize("name", [b"impersonate-user", b"impersonate-group", b"impersonate-extra-a"])
def test_nobody_is_impersonated_by_an_empty_name(name: bytes) -> None:
    """The API server takes an empty user for none, and the request for one of the gateway's own."""
    with pytest.raises(NotReadError, match="is empty"):
        call("GET", POD, headers=[(name, b" ")])


def test_what_kubectl_says_of_itself_is_kept_as_text_that_can_be_read() -> None:
    headers = [(b"kubectl-command", b"kubectl apply\x1b[31m" + b"x" * 500), (b"kubectl-session", b"79454e74")]
    found = call("GET", POD, headers=headers)
    assert found.facts["kubectlCommand"] == ("kubectl apply[31m" + "x" * 500)[:256]
    assert (found.attributes["kubectl.session"], found.facts["kubectlSession"]) == ("79454e74", "79454e74")


def test_one_callers_headers_are_not_the_next_ones() -> None:
    call("GET", POD, headers=[(b"kubectl-command", b"kubectl get"), (b"kubectl-session", b"1")])
    assert call("GET", POD).facts["kubectlCommand"] == ""
    assert "kubectl.session" not in call("GET", POD).attributes


# -- for reviewers


@pytest.mark.parametrize(
    ("method", "target", "body", "about"),
    [
        ("GET", POD, b"", "pods prod/web-0"),
        ("DELETE", "/api/v1/namespaces/prod/pods", b"", "pods prod/*"),
        ("GET", "/api/v1/secrets", b"", "secrets *"),
        ("DELETE", "/api/v1/namespaces/prod", b"", "namespaces prod"),
        ("PUT", f"{DEPLOYMENT}/scale", {}, "apps/deployments/scale prod/web"),
        ("POST", CONFIGMAPS, {"metadata": {"name": "a"}}, "configmaps prod/a"),
        ("POST", CONFIGMAPS, {"metadata": {"generateName": "a-"}}, "configmaps prod/a-*"),
        ("GET", "/healthz", b"", "/healthz"),
    ],
)
def test_a_request_is_about_an_object(method: str, target: str, body: object, about: str) -> None:
    assert call(method, target, body).object == about


def test_a_body_can_be_left_undecoded() -> None:
    found = read(request("POST", CONFIGMAPS, b"not json", JSON), "c", body=False)
    assert (found.facts["object_known"], found.facts["object"], found.shown) == (False, {}, b"")


def test_a_cluster_is_named() -> None:
    assert call("GET", POD).facts["cluster"] == "c"
    assert call("GET", POD).attributes["k8s.cluster.name"] == "c"
    assert read(request("GET", POD), "other").facts["cluster"] == "other"


def test_a_name_in_a_body_that_nobody_could_read_is_cut_and_marked_for_people_and_whole_for_rules() -> None:
    name = "web\nprod/ok\u202e" + "x" * 5_000
    found = call("POST", CONFIGMAPS, {"metadata": {"name": name}}, JSON)
    assert found.facts["name"] == name
    assert found.object == ("configmaps prod/web\ufffdprod/ok\ufffd" + "x" * 300)[:300]
    assert len(found.attributes["k8s.objectRef.name"]) == 1_024
