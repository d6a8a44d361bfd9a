"""Who calls is told to the API server where the connection says so: no name that a client gives itself, none of
Kubernetes's own, and none that a header would change."""

from dataclasses import replace

import pytest

from gateway.edge.credentials import CredentialError, NoCredential
from gateway.edge.credentials.impersonation import ToCluster, impersonating, named
from gateway.edge.credentials.kubeconfig import kubeconfig_credential, resolved
from gateway.effects import Forward
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import Connection, ConnectionKind, Impersonation, UpstreamTls
from tests.gateway.kube_credentials.conftest import EXEC, ApiServer, Kube, script, way
from tests.support.certificates import Authority

CLUSTER = Connection("prod", ConnectionKind.KUBERNETES, upstream="https://10.0.0.1:6443", cluster="prod-eu")
IMPERSONATING = replace(CLUSTER, impersonate=Impersonation())
UNSENDABLE = ["a\r\nImpersonate-User: b", "a\nb", "a\0b", " a", "a ", "\u202enna", "a" * 3_000, "\ud800"]
CLAIMS = [
    (b"impersonate-user", b"admin"),
    (b"impersonate-group", b"system:masters"),
    (b"impersonate-uid", b"0"),
    (b"impersonate-extra-scopes", b"all"),
]


def request(*headers: tuple[bytes, bytes]) -> Forward:
    return Forward("session", "GET", "", [(b"accept", b"*/*"), *headers], b"", "/api/v1/pods")


async def sent(connection: Connection, principal: Principal, *headers: tuple[bytes, bytes]) -> Headers:
    injector = impersonating(NoCredential(), connection)
    return (await injector.authorize(request(*headers), principal, "")).headers


async def test_the_caller_is_named_with_each_of_its_groups(ann: Principal) -> None:
    assert await sent(IMPERSONATING, ann) == [
        (b"accept", b"*/*"),
        (b"impersonate-user", b"ann"),
        (b"impersonate-group", b"sre"),
        (b"impersonate-group", b"dev"),
    ]


async def test_a_client_that_names_itself_is_not_heard(ann: Principal) -> None:
    headers = await sent(IMPERSONATING, ann, *CLAIMS, (b"authorization", b"Bearer theirs"))
    assert [pair for pair in headers if pair in CLAIMS] == []
    assert headers == await sent(IMPERSONATING, ann)


async def test_without_impersonation_the_exchange_decides_what_passes(ann: Principal) -> None:
    assert await sent(CLUSTER, ann, *CLAIMS) == [(b"accept", b"*/*"), *CLAIMS]
    assert await sent(CLUSTER, ann, (b"authorization", b"Bearer theirs")) == [(b"accept", b"*/*")]


async def test_other_kinds_of_connections_name_nobody(ann: Principal) -> None:
    injector = NoCredential()
    assert impersonating(injector, Connection("tickets", upstream="https://tickets.example")) is injector


async def test_the_record_has_the_name_of_the_cluster() -> None:
    injector = impersonating(NoCredential(), CLUSTER)
    assert injector.known() == {"k8s.cluster.name": "prod-eu"}
    assert impersonating(NoCredential(), replace(CLUSTER, cluster="")).known() == {"k8s.cluster.name": "prod"}


def test_the_record_has_the_user_of_our_certificate(authority: Authority) -> None:
    ours = authority.issue("gateway")
    tls = UpstreamTls(certificate_file=ours.certificate, key_file=ours.key)
    assert impersonating(NoCredential(), replace(CLUSTER, tls=tls)).known()["k8s.user"] == "gateway"
    gone = UpstreamTls(certificate_file=ours.certificate.with_name("gone"))
    assert "k8s.user" not in impersonating(NoCredential(), replace(CLUSTER, tls=gone)).known()


@pytest.mark.parametrize(
    ("terms", "user", "groups"),
    [
        (Impersonation(), b"ann", [b"sre", b"dev"]),
        (Impersonation("email"), b"ann@example.com", [b"sre", b"dev"]),
        (Impersonation("issuer#subject"), b"https://id.example.com#ann", [b"sre", b"dev"]),
        (Impersonation(user_prefix="sso:", groups_prefix="sso:"), b"sso:ann", [b"sso:sre", b"sso:dev"]),
        (Impersonation(groups=False), b"ann", []),
    ],
)
def test_the_settings_say_by_which_name(
    ann: Principal, terms: Impersonation, user: bytes, groups: list[bytes]
) -> None:
    headers = named(ann, terms)
    assert headers == [(b"impersonate-user", user), *((b"impersonate-group", group) for group in groups)]


@pytest.mark.parametrize(
    "group", ["system:masters", "system:authenticated", "system:nodes", "System:Masters", "SYSTEM:masters"]
)
def test_a_group_of_kubernetes_own_is_never_passed_on(ann: Principal, group: str) -> None:
    headers = named(replace(ann, groups=("sre", group)), Impersonation())
    assert headers == [(b"impersonate-user", b"ann"), (b"impersonate-group", b"sre")]


@pytest.mark.parametrize(
    "subject",
    ["system:admin", "system:kube-controller-manager", "system:serviceaccount:kube-system:x", "System:x"],
)
def test_a_caller_called_as_one_of_kubernetes_own_is_refused(ann: Principal, subject: str) -> None:
    with pytest.raises(CredentialError, match="one of Kubernetes's own"):
        named(replace(ann, subject=subject), Impersonation())


def test_a_prefix_does_not_make_such_a_name_out_of_another(ann: Principal) -> None:
    with pytest.raises(CredentialError, match="one of Kubernetes's own"):
        named(replace(ann, subject="tem:admin"), Impersonation(user_prefix="sys"))
    headers = named(replace(ann, groups=("tem:masters",)), Impersonation(groups_prefix="sys"))
    assert headers == [(b"impersonate-user", b"ann")]


def test_behind_a_prefix_such_a_name_is_a_name_as_any(ann: Principal) -> None:
    caller = replace(ann, subject="system:admin", groups=("system:masters",))
    assert named(caller, Impersonation(user_prefix="sso:", groups_prefix="sso:")) == [
        (b"impersonate-user", b"sso:system:admin"),
        (b"impersonate-group", b"sso:system:masters"),
    ]


def test_names_of_kubernetes_own_that_the_settings_allow_are_passed_on(ann: Principal) -> None:
    terms = Impersonation(system_allowed=("system:serviceaccount:agents:*", "system:monitoring"))
    caller = replace(
        ann,
        subject="system:serviceaccount:agents:triage",
        groups=("system:monitoring", "system:masters", "system:monitoring2"),
    )
    assert named(caller, terms) == [
        (b"impersonate-user", b"system:serviceaccount:agents:triage"),
        (b"impersonate-group", b"system:monitoring"),
    ]
    with pytest.raises(CredentialError):
        named(replace(caller, subject="system:serviceaccount:kube-system:x"), terms)


@pytest.mark.parametrize(
    ("terms", "missing"),
    [
        (Impersonation(), "name"),
        (Impersonation("email"), "e-mail address"),
        (Impersonation("issuer#subject"), "name of a provider"),
    ],
)
def test_a_caller_without_the_name_is_refused_and_never_anonymous(terms: Impersonation, missing: str) -> None:
    with pytest.raises(CredentialError, match=f"the caller has no {missing} by which"):
        named(Principal("", "", ""), terms)


@pytest.mark.parametrize("name", UNSENDABLE)
def test_a_name_that_a_header_would_change_is_refused(ann: Principal, name: str) -> None:
    with pytest.raises(CredentialError, match="has a name that no header takes"):
        named(replace(ann, subject=name), Impersonation())
    with pytest.raises(CredentialError, match="has a group that no header takes"):
        named(replace(ann, groups=(name,)), Impersonation())


def test_a_name_in_any_script_goes_as_utf_8(ann: Principal) -> None:
    (header,) = named(replace(ann, subject="Zoë Ōta", groups=()), Impersonation())
    assert header == (b"impersonate-user", "Zoë Ōta".encode())


async def test_a_call_that_is_refused_asks_for_no_credential(kube: Kube, ann: Principal) -> None:
    plugin = script(kube.folder, f"touch {kube.folder}/asked")
    injector = ToCluster(
        kubeconfig_credential(kube.connection(exec=EXEC | {"command": str(plugin)})), "prod", Impersonation()
    )
    with pytest.raises(CredentialError, match="one of Kubernetes's own"):
        await injector.headers(replace(ann, subject="system:admin"), "")
    with pytest.raises(CredentialError, match="one of Kubernetes's own"):
        await injector.authorize(request(), replace(ann, subject="system:admin"), "")
    assert not (kube.folder / "asked").exists()


async def test_the_gateways_own_credential_stands_beside_the_callers_name(
    kube: Kube, server: ApiServer, ann: Principal
) -> None:
    connection = replace(kube.connection(token="ours"), impersonate=Impersonation())
    injector = impersonating(kubeconfig_credential(connection), connection)
    async with way(resolved(connection), injector) as there:
        assert await there.get(ann) == 200
    ((_, headers),) = server.seen
    assert headers.getall("authorization") == ["Bearer ours"]
    assert headers.getall("impersonate-user") == ["ann"]
    assert headers.getall("impersonate-group") == ["sre", "dev"]
