"""A kubeconfig is read by kubectl's rules; what cannot be used is told with what, where and what to do, all of it at
once, and with no secret of the file."""

from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from gateway.edge.credentials.kubeconfig import resolved
from gateway.edge.credentials.kubeconfig_file import FILE_BYTES_MAX, KubeConfigError, read_context
from gateway.edge.credentials.kubeconfig_user import V1, V1BETA1, ExecPlugin
from gateway.settings import Connection, ConnectionKind, KubeConfig, UpstreamTls
from tests.gateway.kube_credentials.conftest import EXEC, Kube, inline
from tests.support.certificates import Authority

SECRET = "cAnArY-5e7a91d3"
PEM = b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode()


def test_the_connection_gets_address_and_tls_of_its_context(kube: Kube, authority: Authority) -> None:
    ours = authority.issue("gateway")
    kube.cluster = {"server": "https://10.0.0.1:6443", "certificate-authority-data": inline(authority.ca)}
    kube.cluster["tls-server-name"] = "kubernetes"
    connection = kube.connection(
        **{"client-certificate-data": inline(ours.certificate), "client-key-data": inline(ours.key)}
    )
    there = resolved(connection)
    assert there.upstream == "https://10.0.0.1:6443"
    assert there.tls == UpstreamTls(
        server_name="kubernetes",
        ca_data=authority.ca.read_text(),
        certificate_data=ours.certificate.read_text(),
        key_data=ours.key.read_text(),
    )
    assert "PRIVATE KEY" not in repr(there)
    assert there.kubeconfig == connection.kubeconfig
    assert there.name == "prod"


def test_a_connection_without_kubeconfig_is_left_alone() -> None:
    connection = Connection("prod", ConnectionKind.KUBERNETES, upstream="https://10.0.0.1:6443")
    assert resolved(connection) is connection


def test_paths_are_relative_to_the_file(kube: Kube, authority: Authority) -> None:
    ours = authority.issue("gateway")
    kube.cluster["certificate-authority"] = authority.ca.name
    (kube.folder / "token").write_text("t0ken")
    context = read_context(
        kube.write(
            **{
                "client-certificate": str(ours.certificate),  # an absolute one stays
                "client-key": ours.key.name,
                "tokenFile": "./token",
            }
        )
    )
    assert context.tls == UpstreamTls(
        kube.folder / authority.ca.name, ours.certificate, kube.folder / ours.key.name
    )
    assert context.user.token_file == kube.folder / "token"


@pytest.mark.parametrize(
    ("command", "found"), [("aws", "aws"), ("./bin/login", "FOLDER/bin/login"), ("/opt/login", "/opt/login")]
)
def test_a_program_by_name_is_looked_for_and_one_by_path_is_relative(
    kube: Kube, command: str, found: str
) -> None:
    context = read_context(kube.write(exec=EXEC | {"command": command}))
    assert context.user.plugin == ExecPlugin(found.replace("FOLDER", str(kube.folder)))


def test_all_that_a_program_is_given(kube: Kube) -> None:
    kube.cluster["extensions"] = [
        {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "eu"}}
    ]
    context = read_context(
        kube.write(
            exec={
                "apiVersion": V1BETA1,
                "command": "login",
                "args": ["--for", "7"],
                "env": [{"name": "A", "value": "b"}, {"name": "EMPTY", "value": ""}],
                "provideClusterInfo": True,
                "installHint": "get it at the portal",
            }
        )
    )
    assert context.user.plugin == ExecPlugin(
        "login", ("--for", "7"), (("A", "b"), ("EMPTY", "")), V1BETA1, True, "get it at the portal"
    )
    assert context.extension == {"audience": "eu"}


def test_another_context_than_the_current_can_be_named(kube: Kube) -> None:
    kube.more = {
        "contexts": [
            {"name": "prod", "context": {"cluster": "eu", "user": "gateway"}},
            {"name": "test", "context": {"cluster": "us", "user": "gateway", "namespace": "x"}},
        ],
        "clusters": [
            {"name": "eu", "cluster": {"server": "https://eu.example"}},
            {"name": "us", "cluster": {"server": "https://us.example"}},
        ],
    }
    kube.write()
    assert read_context(KubeConfig(kube.file)).server == "https://eu.example"
    assert read_context(KubeConfig(kube.file, "test")).server == "https://us.example"


def test_what_looks_like_a_number_stays_text(kube: Kube) -> None:
    kube.file.write_text(
        "current-context: prod\ncontexts: [{name: prod, context: {cluster: eu, user: 7}}]\n"
        "clusters: [{name: eu, cluster: {server: 'https://10.0.0.1'}}]\n"
        "users: [{name: 7, user: {token: 0123456789, exec: null}}]\n"
    )
    assert read_context(KubeConfig(kube.file)).user.token == "0123456789"


CLUSTERS: dict[str, tuple[dict[str, Any], str]] = {
    "left unverified": (
        {"server": "https://a", "insecure-skip-tls-verify": True},
        "cluster `eu`: `insecure-skip-tls-verify` would let anybody be the cluster; remove it and give "
        "`certificate-authority-data`",
    ),
    "perhaps left unverified": (
        {"server": "https://a", "insecure-skip-tls-verify": "perhaps"},
        "cluster `eu`: `insecure-skip-tls-verify` would let anybody be the cluster",
    ),
    "behind a proxy": (
        {"server": "https://a", "proxy-url": f"http://u:{SECRET}@proxy:3128"},
        "cluster `eu`: `proxy-url` is not supported; let the gateway reach the server itself",
    ),
    "of no server": ({}, "cluster `eu`: has no `server`; give it the URL"),
    "without scheme": ({"server": "10.0.0.1:6443"}, "cluster `eu`: `server` is no URL such as"),
    "of another scheme": ({"server": "ftp://10.0.0.1"}, "cluster `eu`: `server` is no URL such as"),
    "with a port that is none": ({"server": "https://a:x"}, "cluster `eu`: `server` is no URL such as"),
    "with a password": (
        {"server": f"https://a:{SECRET}@b"},
        "cluster `eu`: `server` has a user, a `?` or a `#`",
    ),
    "in the clear": ({"server": "http://10.0.0.1"}, "cluster `eu`: `server` is http, where anybody"),
    "of two authorities": (
        {"server": "https://a", "certificate-authority": "config", "certificate-authority-data": PEM},
        "cluster `eu`: has `certificate-authority` and `certificate-authority-data`; keep one",
    ),
    "of an authority that is not there": (
        {"server": "https://a", "certificate-authority": "ca.pem"},
        "cluster `eu`: `certificate-authority` names a file that is not there (paths are relative",
    ),
    "of an authority that is none": (
        {"server": "https://a", "certificate-authority-data": "AAAA"},
        "cluster `eu`: `certificate-authority-data` is no PEM in base64; write it anew",
    ),
    "of an authority in no base64": (
        {"server": "https://a", "certificate-authority-data": "-----BEGIN CERTIFICATE-----"},
        "cluster `eu`: `certificate-authority-data` is no PEM in base64",
    ),
}
USERS: dict[str, tuple[dict[str, Any], str]] = {
    "with nothing to show": ({}, "user `gateway`: has no credential; give it a token"),
    "with an empty token": ({"token": ""}, "user `gateway`: has no credential"),
    "with a password": (
        {"username": "a", "password": SECRET},
        "user `gateway`: passwords are taken by no API server since Kubernetes 1.19; give it a token",
    ),
    "of an auth provider": (
        {"auth-provider": {"name": "gcp", "config": {"access-token": SECRET}}},
        "user `gateway`: `auth-provider` is no longer a part of Kubernetes; give it `exec`",
    ),
    "who is another": (
        {"token": SECRET, "as": "admin"},
        "user `gateway`: `as` would name one user for all callers; write `impersonate` at the connection",
    ),
    "in another group": (
        {"token": SECRET, "as-groups": ["system:masters"]},
        "user `gateway`: `as-groups` would name groups for all callers",
    ),
    "with a token of two lines": (
        {"token": f"a\n{SECRET}"},
        "user `gateway`: `token` holds characters that no",
    ),
    "with a token file that is not there": (
        {"tokenFile": "no"},
        "user `gateway`: `tokenFile` names a file that",
    ),
    "with a certificate alone": (
        {"client-certificate-data": PEM},
        "user `gateway`: has `client-certificate` and no `client-key`; give both",
    ),
    "with a key alone": (
        {"client-key-data": PEM},
        "user `gateway`: has `client-key` and no `client-certificate`",
    ),
    "with two certificates": (
        {"client-certificate-data": PEM, "client-certificate": "config", "client-key-data": PEM},
        "user `gateway`: has `client-certificate` and `client-certificate-data`; keep one",
    ),
    "with a program and a token": (
        {"token": SECRET, "exec": EXEC | {"command": "a"}},
        "user `gateway`: has `exec` and another credential beside it; keep one",
    ),
    "with a program that is none": ({"exec": "aws"}, "user `gateway`: `exec` is no block"),
    "with a program of no command": ({"exec": EXEC}, "user `gateway`: `exec` has no `command`"),
    "with a program of long ago": (
        {"exec": EXEC | {"command": "a", "apiVersion": "client.authentication.k8s.io/v1alpha1"}},
        "user `gateway`: `exec` has `apiVersion: client.authentication.k8s.io/v1alpha1`, which Kubernetes 1.24",
    ),
    "with a program of no version": (
        {"exec": {"command": "a", "interactiveMode": "Never"}},
        f"user `gateway`: `exec` needs `apiVersion: {V1}`",
    ),
    "with a program that asks": (
        {"exec": EXEC | {"command": "a", "interactiveMode": "Always"}},
        "user `gateway`: `exec` has `interactiveMode: Always`, and nobody sits at a terminal here",
    ),
    "with a program that may ask or not": (
        {"exec": {"command": "a", "apiVersion": V1}},
        "user `gateway`: `exec` needs `interactiveMode: Never` or `IfAvailable`",
    ),
    "with a program of wrong arguments": (
        {"exec": EXEC | {"command": "a", "args": "b"}},
        "user `gateway`: `exec` has `args` that are no list of text",
    ),
    "with a program of a wrong environment": (
        {"exec": EXEC | {"command": "a", "env": {"TOKEN": SECRET}}},
        "user `gateway`: `exec` has an `env` that is no list of `name` and `value`",
    ),
    "with a program of a variable of no name": (
        {"exec": EXEC | {"command": "a", "env": [{"name": "A=B", "value": SECRET}]}},
        "user `gateway`: `exec` has an `env` that is no list",
    ),
}
FILES: dict[str, tuple[str, str]] = {
    "empty": ("", "it is no kubeconfig: `clusters`, `users` and `contexts` are missing"),
    "a list": ("- a", "it is no kubeconfig"),
    "no YAML": (f"a: [\nb: {SECRET}", "it is not YAML at line 2"),
    "no text": ("\x00", "it is not YAML"),
    "too deep": ("[" * 5_000, "it is not YAML as kubectl reads it"),
    "with aliases": (f"a: &a {SECRET}\nb: *a", "it is not YAML at line 2: aliases are not read here"),
    "with a key that stands twice": (
        "kind: Config\nkind: Config",
        "it is not YAML at line 2: a key stands twice",
    ),
    "of another kind": ("kind: Secret\napiVersion: v1", "it is no kubeconfig, which is of `kind: Config`"),
    "of no context": (
        "kind: Config",
        "it has no `current-context`; write `context` beside `file`: there is none",
    ),
    "with no current context": (
        "contexts: [{name: a}, {name: b}]",
        "it has no `current-context`; write `context` beside `file`: there is `a`, `b`",
    ),
    "with a context that is not there": (
        "current-context: prd\ncontexts: [{name: prod}]",
        "there is no context `prd` among its `contexts`; did you mean `prod`?",
    ),
    "with a context that stands twice": (
        "current-context: a\ncontexts: [{name: a}, {name: a}]",
        "context `a` stands there 2 times; keep one",
    ),
    "with a context of nothing": (
        "current-context: a\ncontexts: [{name: a}]",
        "context `a` has no block `context`; write the file anew",
    ),
    "with a context of no user": (
        "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]",
        "context `a` names no `user`; give it one",
    ),
    "with a cluster that is not there": (
        "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
        "users: [{name: u, user: {token: t}}]",
        "there is no cluster `c` among its `clusters`; there is none",
    ),
}


def told(source: KubeConfig) -> tuple[str, ...]:
    with pytest.raises(KubeConfigError) as raised:
        read_context(source)
    assert SECRET not in f"{raised.value}{raised.value!r}"
    return raised.value.faults


@pytest.mark.parametrize(("cluster", "fault"), CLUSTERS.values(), ids=CLUSTERS.keys())
def test_a_cluster_that_cannot_be_used_is_told(kube: Kube, cluster: dict[str, Any], fault: str) -> None:
    kube.cluster = cluster
    kube.write()
    (line,) = told(KubeConfig(kube.file))
    assert line.startswith(fault)


@pytest.mark.parametrize(("user", "fault"), USERS.values(), ids=USERS.keys())
def test_a_user_that_cannot_be_used_is_told(kube: Kube, user: dict[str, Any], fault: str) -> None:
    kube.user = user
    (line,) = told(kube.write())
    assert line.startswith(fault)


@pytest.mark.parametrize(("content", "fault"), FILES.values(), ids=FILES.keys())
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, content: str, fault: str) -> None:
    (tmp_path / "config").write_text(content)
    (line,) = told(KubeConfig(tmp_path / "config"))
    assert line.startswith(fault)


def test_all_faults_are_told_at_once(kube: Kube) -> None:
    kube.cluster = {"server": "a", "insecure-skip-tls-verify": True, "proxy-url": "http://p"}
    faults = told(kube.write(username="a", exec=EXEC | {"interactiveMode": "Always"}))
    assert len(faults) == 6
    assert [fault.partition(":")[0] for fault in faults] == ["cluster `eu`"] * 3 + ["user `gateway`"] * 3


def test_a_file_that_is_not_there_a_folder_and_a_huge_one_are_told(tmp_path: Path) -> None:
    assert told(KubeConfig(tmp_path / "no")) == ("it cannot be read: No such file or directory",)
    assert told(KubeConfig(tmp_path)) == ("it is no regular file; write the path of a kubeconfig",)
    (tmp_path / "huge").write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    assert told(KubeConfig(tmp_path / "huge"))[0].startswith("it is larger than")


def test_an_api_server_on_this_machine_may_speak_in_the_clear(kube: Kube) -> None:
    for server in ("http://127.0.0.1:8001", "http://localhost:8001", "http://[::1]:8001"):
        kube.cluster = {"server": server}
        assert read_context(kube.write()).server == server
