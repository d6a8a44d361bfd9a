"""A connection to a Kubernetes API server: what the file says of it reaches the gateway, and each wrong combination
is told with its place and the remedy."""

from pathlib import Path

import pytest

from gateway.edge.credentials.service_account import in_cluster
from gateway.settings import (
    Connection,
    ConnectionKind,
    FixedCredential,
    Impersonation,
    KubeConfig,
    SecretSource,
    ServiceAccount,
    Timeouts,
    UpstreamTls,
)
from sluicegate.settings import SettingsError, load
from tests.support.certificates import Authority

NONE = "identity: {mode: none}\n"
OIDC = (
    'identity: {mode: oidc, public_url: "https://gw.example.com", '
    'issuers: [{name: a, issuer: "https://id.example.com"}]}\n'
)
TWO = OIDC.replace("}]}", '}, {name: b, issuer: "https://other.example.com"}]}')
UPSTREAM = 'upstream: "https://10.0.0.1:6443"'
POD = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture(autouse=True)
def files_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    for name in ("ca.pem", "config"):
        (tmp_path / name).touch()


def one(folder: Path, rest: str, identity: str = OIDC) -> Connection:
    """The connection that reaches the gateway."""
    file = folder / "s.yaml"
    file.write_text(f"{identity}connections:\n- name: prod\n  kind: kubernetes\n  {rest}\n", "utf-8")
    (connection,) = load(file, {}).gateway_settings().connections
    return connection


def test_an_api_server_by_its_url_with_authority_and_token(tmp_path: Path) -> None:
    connection = one(
        tmp_path,
        f"{UPSTREAM}\n  cluster: arn:aws:eks:eu-west-1:1:cluster/prod\n  tls: {{ca_file: ca.pem, server_name: k8s}}\n"
        "  credential: {kind: bearer, secret: {env: TOKEN}}",
    )
    assert connection == Connection(
        "prod",
        ConnectionKind.KUBERNETES,
        cluster="arn:aws:eks:eu-west-1:1:cluster/prod",
        upstream="https://10.0.0.1:6443",
        tls=UpstreamTls(tmp_path / "ca.pem", server_name="k8s"),
        credential=FixedCredential("bearer", SecretSource(env="TOKEN")),
        timeouts=Timeouts(idle_seconds=3900.0),
    )


def test_a_kubeconfig_says_all_of_it(tmp_path: Path) -> None:
    connection = one(tmp_path, "kubeconfig: {file: config, context: prod, exec_seconds: 5}")
    assert connection.kubeconfig == KubeConfig(tmp_path / "config", "prod", 5.0)
    assert (connection.upstream, connection.tls, connection.credential) == (None, None, None)
    assert connection.cluster == "prod", "it is called as the connection is"
    assert one(tmp_path, "kubeconfig: {file: config}").kubeconfig == KubeConfig(tmp_path / "config")


def test_in_a_cluster_the_pod_says_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in POD.items():
        monkeypatch.setenv(name, value)
    connection = one(tmp_path, "in_cluster: true")
    folder = Path("/var/run/secrets/kubernetes.io/serviceaccount")
    assert connection.upstream == "https://10.96.0.1:443"
    assert connection.tls == UpstreamTls(folder / "ca.crt")
    assert connection.credential == ServiceAccount(folder / "token")


@pytest.mark.parametrize(
    ("environ", "upstream"),
    [
        ({}, "https://kubernetes.default.svc"),
        (POD, "https://10.96.0.1:443"),
        ({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, "https://[fd00::1]:6443"),
    ],
)
def test_the_environment_of_a_pod_names_the_server(environ: dict[str, str], upstream: str) -> None:
    assert in_cluster(environ).upstream == upstream


def test_out_of_a_cluster_who_is_to_use_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(f"{OIDC}connections:\n- {{name: prod, kind: kubernetes, in_cluster: true}}\n")
    assert load(file, {}).connections[0].in_cluster
    with pytest.raises(
        SettingsError, match=r"in_cluster: this is no pod of a cluster \(KUBERNETES_SERVICE_HOST"
    ):
        load(file, {}, files=True)


def test_who_calls_can_be_named_to_the_api_server(tmp_path: Path) -> None:
    assert one(tmp_path, UPSTREAM).impersonate is None
    assert one(tmp_path, f"{UPSTREAM}\n  impersonate: false").impersonate is None
    assert one(tmp_path, f"{UPSTREAM}\n  impersonate: true").impersonate == Impersonation()
    written = (
        '{user: email, user_prefix: "sso:", groups: true, groups_prefix: "sso:", '
        'system_allowed: ["system:serviceaccount:agents:*"]}'
    )
    assert one(tmp_path, f"{UPSTREAM}\n  impersonate: {written}").impersonate == Impersonation(
        "email", "sso:", True, "sso:", ("system:serviceaccount:agents:*",)
    )
    assert one(tmp_path, f'{UPSTREAM}\n  impersonate: {{user: "issuer#subject"}}', TWO).impersonate


def test_who_is_to_use_the_file_is_told_all_that_is_wrong_in_a_kubeconfig(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://10.0.0.1', insecure-skip-tls-verify: true}}]\n"
        "users: [{name: u, user: {username: admin, password: hunter2secret}}]\n"
    )
    file = tmp_path / "s.yaml"
    file.write_text(f"{OIDC}connections:\n- {{name: prod, kind: kubernetes, kubeconfig: {{file: config}}}}\n")
    assert load(file, {}).connections[0].kubeconfig
    with pytest.raises(SettingsError) as raised:
        load(file, {}, files=True)
    told = str(raised.value).replace(f"{tmp_path}/", "").splitlines()
    where = "s.yaml:3:53: connections[0].kubeconfig.file: "
    assert [line.removeprefix(where)[:44] for line in told] == [
        "cluster `c`: `insecure-skip-tls-verify` woul",
        "user `u`: passwords are taken by no API serv",
    ]
    assert "hunter2secret" not in str(raised.value)


def test_a_certificate_in_a_kubeconfig_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours, other = authority.issue("gateway"), authority.issue("other")
    (tmp_path / "config").write_text(
        "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://10.0.0.1'}}]\n"
        f"users: [{{name: u, user: {{client-certificate: {ours.certificate}, client-key: {other.key}}}}}]\n"
    )
    file = tmp_path / "s.yaml"
    file.write_text(f"{OIDC}connections:\n- {{name: prod, kind: kubernetes, kubeconfig: {{file: config}}}}\n")
    with pytest.raises(SettingsError, match=r"kubeconfig\.file: the key is not that of the certificate"):
        load(file, {}, files=True)


KUBERNETES = "kind: kubernetes\n  "
BAD: dict[str, tuple[str, str, str]] = {
    "no way at all": (
        OIDC,
        "kind: kubernetes",
        "[0]: of kind `kubernetes` needs `upstream` (a URL), `kubeconfig` or",
    ),
    "a program": (
        OIDC,
        f"{KUBERNETES}command: [kubectl]",
        "[0].command: speaks MCP; an API server is reached by",
    ),
    "two ways": (
        OIDC,
        f"{KUBERNETES}{UPSTREAM}\n  kubeconfig: {{file: config}}",
        "[0].kubeconfig: says where the API server is, and so does `upstream`; keep one",
    ),
    "a kubeconfig in a pod": (
        OIDC,
        f"{KUBERNETES}in_cluster: true\n  kubeconfig: {{file: config}}",
        "[0].in_cluster: says where the API server is, and so does `kubeconfig`; keep one",
    ),
    "another authority than the kubeconfig's": (
        OIDC,
        f"{KUBERNETES}kubeconfig: {{file: config}}\n  tls: {{ca_file: ca.pem}}",
        "[0].tls: is said by `kubeconfig` already; remove it",
    ),
    "another credential than the pod's": (
        OIDC,
        f"{KUBERNETES}in_cluster: true\n  credential: {{kind: bearer, secret: {{env: A}}}}",
        "[0].credential: is said by `in_cluster` already; remove it",
    ),
    "a kubeconfig that is not there": (
        OIDC,
        f"{KUBERNETES}kubeconfig: {{file: no}}",
        "[0].kubeconfig.file: there is no such file",
    ),
    "no time for a program": (
        OIDC,
        f"{KUBERNETES}kubeconfig: {{file: config, exec_seconds: 0}}",
        "[0].kubeconfig.exec_seconds: must be more than 0",
    ),
    "a misspelt setting of a kubeconfig": (
        OIDC,
        f"{KUBERNETES}kubeconfig: {{file: config, contxt: a}}",
        "[0].kubeconfig.contxt: unknown setting; did you mean `context`?",
    ),
    "an API server in the clear": (
        OIDC,
        f'{KUBERNETES}upstream: "http://10.0.0.1:8080"',
        "[0].upstream: must be https: over http anybody on the way reads the token",
    ),
    "a query in the URL": (
        OIDC,
        f'{KUBERNETES}upstream: "https://10.0.0.1/?a=b"',
        "[0].upstream: must not have a `?`",
    ),
    "a cluster's name with a space": (
        OIDC,
        f"{KUBERNETES}{UPSTREAM}\n  cluster: a b",
        "[0].cluster: must be at most 256 characters of ASCII",
    ),
    "tools": (OIDC, f"{KUBERNETES}{UPSTREAM}\n  tools: {{on_change: deny}}", "[0].tools: are of MCP servers"),
    "a password": (
        OIDC,
        f"{KUBERNETES}{UPSTREAM}\n  credential: {{kind: basic, username: a, secret: {{env: A}}}}",
        "[0].credential.kind: is taken by no API server since Kubernetes 1.19",
    ),
    "a kubeconfig of an MCP server": (
        OIDC,
        f"{UPSTREAM}\n  kubeconfig: {{file: config}}",
        "[0].kubeconfig: is for connections of kind `kubernetes`; write `kind: kubernetes`",
    ),
    "a pod of an HTTP API": (
        OIDC,
        f"kind: http\n  {UPSTREAM}\n  in_cluster: true",
        "[0].in_cluster: is for connections of kind `kubernetes`",
    ),
    "a cluster of an HTTP API": (
        OIDC,
        f"kind: http\n  {UPSTREAM}\n  cluster: a",
        "[0].cluster: is for connections of kind `kubernetes`",
    ),
    "impersonation at an MCP server": (
        OIDC,
        f"{UPSTREAM}\n  impersonate: true",
        "[0].impersonate: is for connections of kind `kubernetes`",
    ),
    "impersonation of nobody": (
        NONE,
        f"{KUBERNETES}{UPSTREAM}\n  impersonate: true",
        "[0].impersonate: without identity there is nobody to name",
    ),
    "two callers of one name": (
        TWO,
        f"{KUBERNETES}{UPSTREAM}\n  impersonate: {{groups: false}}",
        "[0].impersonate: callers of different issuers can have the same subject",
    ),
    "text for impersonation": (
        OIDC,
        f"{KUBERNETES}{UPSTREAM}\n  impersonate: email",
        "[0].impersonate: must be true or false",
    ),
    "an unknown name of the caller": (
        OIDC,
        f"{KUBERNETES}{UPSTREAM}\n  impersonate: {{user: name}}",
        "[0].impersonate.user: must be 'subject', 'email' or 'issuer#subject'",
    ),
    "leave for a name that needs none": (
        OIDC,
        f"{KUBERNETES}{UPSTREAM}\n  impersonate: {{system_allowed: [admins]}}",
        "[0].impersonate.system_allowed[0]: must begin with `system:`",
    ),
    "a prefix of no groups": (
        OIDC,
        f'{KUBERNETES}{UPSTREAM}\n  impersonate: {{groups: false, groups_prefix: "a:"}}',
        "[0].impersonate.groups_prefix: stands before groups, and `groups: false` passes none on",
    ),
    "everyone one of Kubernetes's own": (
        OIDC,
        f'{KUBERNETES}{UPSTREAM}\n  impersonate: {{user_prefix: "system:"}}',
        "[0].impersonate.user_prefix: would make every caller one of Kubernetes's own names",
    ),
    "a prefix that no header takes": (
        OIDC,
        f'{KUBERNETES}{UPSTREAM}\n  impersonate: {{user_prefix: "a\\r\\nb"}}',
        "[0].impersonate.user_prefix: must be at most 256 characters of ASCII",
    ),
    "operations of an API server": (
        OIDC,
        f"{KUBERNETES}{UPSTREAM}\n  openapi: config",
        "[0].openapi: names the operations of an API of kind `http`",
    ),
    "operations that are not there": (
        OIDC,
        f"kind: http\n  {UPSTREAM}\n  openapi: no.json",
        "[0].openapi: there is no such file",
    ),
}


@pytest.mark.parametrize(("identity", "rest", "told"), BAD.values(), ids=BAD.keys())
def test_each_wrong_combination_is_told_with_its_place(
    tmp_path: Path, identity: str, rest: str, told: str
) -> None:
    (tmp_path / "s.yaml").write_text(f"{identity}connections:\n- name: prod\n  {rest}\n", "utf-8")
    with pytest.raises(SettingsError) as raised:
        load(tmp_path / "s.yaml", {})
    (line,) = str(raised.value).splitlines()
    assert f"connections{told}" in line


def test_an_api_server_on_this_machine_may_speak_in_the_clear(tmp_path: Path) -> None:
    assert one(tmp_path, 'upstream: "http://127.0.0.1:8001"').upstream == "http://127.0.0.1:8001"


def test_an_api_of_kind_http_may_name_its_operations(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        f"{OIDC}connections:\n- {{name: a, kind: http, {UPSTREAM}, openapi: config}}\n", "utf-8"
    )
    (connection,) = load(tmp_path / "s.yaml", {}).gateway_settings().connections
    assert connection.openapi_file == tmp_path / "config"


def test_how_long_a_watch_may_be_idle_can_still_be_said(tmp_path: Path) -> None:
    connection = one(tmp_path, f"{UPSTREAM}\n  timeouts: {{idle_seconds: 60}}")
    assert connection.timeouts.idle_seconds == 60.0
