"""Credentials of clouds: what the file says of them reaches the gateway, and what cannot be meant is told."""

import re
import shutil
from pathlib import Path

import pytest

from gateway.settings import (
    AwsIdentity,
    AwsRole,
    Connection,
    EksToken,
    GoogleToken,
    OwnSessionToken,
    ServiceAccount,
    SigV4,
)
from sluicegate.settings import SettingsError, load
from tests.support.certificates import Authority

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"

NONE = "identity: {mode: none}\n"
OIDC = (
    'identity: {mode: oidc, public_url: "https://gw.example.com", session_tokens: {}, '
    'issuers: [{name: a, issuer: "https://id.example.com"}]}\n'
)
ROLE = "arn:aws:iam::111111111111:role/gateway"
EKS = "kind: eks, cluster: c, region: eu-west-1"
OTHER = "arn:aws:iam::222222222222:role/teams/prod-access"


def one(folder: Path, credential: str, kind: str = "kubernetes", identity: str = OIDC) -> Connection:
    """The connection that reaches the gateway."""
    file = folder / "s.yaml"
    file.write_text(
        f"{identity}connections:\n- name: a\n  kind: {kind}\n  upstream: https://up.example\n"
        f"  credential: {{{credential}}}\n- {{name: b, upstream: 'https://b.example/mcp'}}\n",
        "utf-8",
    )
    return load(file, {}).gateway_settings().connections[0]


def told(folder: Path, credential: str, kind: str = "kubernetes", identity: str = OIDC) -> str:
    """What is wrong."""
    with pytest.raises(SettingsError) as caught:
        one(folder, credential, kind, identity)
    return str(caught.value)


def test_a_cluster_of_eks_takes_roles_one_after_the_other(tmp_path: Path) -> None:
    credential = one(
        tmp_path,
        f"kind: eks, cluster: prod, region: eu-west-1, web_identity_token_file: token, roles: [{{arn: '{ROLE}'}}, "
        f"{{arn: '{OTHER}', session_name: 'sluicegate-{{subject}}', external_id: x-1, seconds: 900}}]",
    ).credential
    roles = (AwsRole(ROLE), AwsRole(OTHER, "sluicegate-{subject}", "x-1", 900))
    assert credential == EksToken("prod", AwsIdentity("eu-west-1", roles, tmp_path / "token"))


def test_an_api_of_aws_takes_what_the_machine_has_where_nothing_else_is_named(tmp_path: Path) -> None:
    credential = one(tmp_path, "kind: aws_sigv4, service: s3, region: us-gov-west-1", "http").credential
    assert credential == SigV4("s3", AwsIdentity("us-gov-west-1"))


def test_a_profile_and_an_endpoint_of_sts_reach_the_gateway(tmp_path: Path) -> None:
    text = (
        "kind: aws_sigv4, service: s3, region: eu-west-1, profile: dev, sts_endpoint: 'https://sts.example'"
    )
    credential = one(tmp_path, text, "http").credential
    identity = AwsIdentity("eu-west-1", profile="dev", sts_endpoint="https://sts.example")
    assert credential == SigV4("s3", identity)


def test_google_takes_a_file_an_account_to_impersonate_scopes_and_a_project(tmp_path: Path) -> None:
    text = (
        "kind: google, file: key.json, impersonate: 'gw@prod-1.iam.gserviceaccount.com', scopes: ['s'], "
        "quota_project: prod-1"
    )
    credential = one(tmp_path, text).credential
    account = "gw@prod-1.iam.gserviceaccount.com"
    assert credential == GoogleToken(tmp_path / "key.json", account, ("s",), "prod-1")


def test_google_without_more_is_the_metadata_server_and_the_whole_platform(tmp_path: Path) -> None:
    platform = "https://www.googleapis.com/auth/"
    scopes = (f"{platform}cloud-platform", f"{platform}userinfo.email")
    assert one(tmp_path, "kind: google").credential == GoogleToken(scopes=scopes)


def test_a_service_account_is_that_of_the_pod_or_of_a_file(tmp_path: Path) -> None:
    assert one(tmp_path, "kind: service_account").credential == ServiceAccount()
    named = one(tmp_path, "kind: service_account, token_file: token").credential
    assert named == ServiceAccount(tmp_path / "token")


def test_a_file_that_a_cluster_renews_is_named_by_the_link_that_it_is(tmp_path: Path) -> None:
    (tmp_path / "..2026_01").mkdir()
    (tmp_path / "..2026_01" / "token").touch()
    (tmp_path / "token").symlink_to("..2026_01/token")
    named = one(tmp_path, "kind: service_account, token_file: ./x/../token").credential
    assert named == ServiceAccount(tmp_path / "token")


def test_a_token_of_this_gateway_is_for_another_of_its_connections(tmp_path: Path) -> None:
    assert one(tmp_path, "kind: session_token, connection: b", "mcp").credential == OwnSessionToken("b")


@pytest.mark.parametrize(
    ("credential", "fault"),
    [
        ("kind: eks, region: eu-west-1", "cluster"),
        ("kind: eks, cluster: prod", "region"),
        ("kind: eks, cluster: prod, region: Ireland", "must be a region of AWS"),
        ("kind: eks, cluster: 'a/b', region: eu-west-1", "must be the name of an EKS cluster"),
        ("kind: eks, cluster: c, region: eu-west-1, roles: [{arn: gateway}]", "must be a role's ARN"),
        (
            f"kind: eks, cluster: c, region: eu-west-1, roles: [{{arn: '{ROLE}', session_name: 'a b'}}]",
            "must be letters, digits",
        ),
        ("kind: eks, cluster: c, region: eu-west-1, web_identity_token_file: t", "name it in `roles`"),
        (
            f"{EKS}, web_identity_token_file: t, profile: p, roles: [{{arn: '{ROLE}'}}]",
            "keep one",
        ),
        (
            f"{EKS}, roles: [{{arn: '{ROLE}'}}, {{arn: '{OTHER}', seconds: 7200}}]",
            "3600 seconds at most",
        ),
        (
            f"kind: eks, cluster: c, region: eu-west-1, roles: [{{arn: '{ROLE}', seconds: 60}}]",
            "must be at least 900",
        ),
        ("kind: eks, cluster: c, region: eu-west-1, sts_endpoint: 'http://sts.example'", "must be https"),
        ("kind: google, impersonate: gateway", "must be a service account"),
        ("kind: google, quota_project: 'a b'", "must be the id of a project"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, credential: str, fault: str) -> None:
    assert fault in told(tmp_path, credential)


@pytest.mark.parametrize("guide", ["eks", "gke"])
def test_the_configuration_of_a_guide_loads(tmp_path: Path, guide: str) -> None:
    """The file that it shows, with the connection that it shows beside."""
    blocks = re.findall(r"```yaml\n# (.*?)\n(.*?)```", (GUIDES / f"{guide}.md").read_text("utf-8"), re.DOTALL)
    shown = dict(blocks)
    pair = Authority(tmp_path).issue("gateway.example.com")
    (tmp_path / "tls").mkdir()
    for name, content in (
        ("gateway.pem", pair.certificate),
        ("gateway.key", pair.key),
        ("prod-ca.pem", pair.certificate),
    ):
        shutil.copy(content, tmp_path / "tls" / name)
    (tmp_path / "prod-policy.yaml").write_text(shown["prod-policy.yaml"])
    (tmp_path / "s.yaml").write_text(shown["sluicegate.yaml"] + shown["in connections"])
    cluster, api = load(tmp_path / "s.yaml", {}, files=True).gateway_settings().connections
    assert isinstance(cluster.credential, EksToken if guide == "eks" else GoogleToken)
    assert isinstance(api.credential, SigV4 if guide == "eks" else GoogleToken)


def test_a_session_of_each_caller_needs_callers(tmp_path: Path) -> None:
    text = f"kind: eks, cluster: c, region: eu-west-1, roles: [{{arn: '{ROLE}', session_name: 'gw-{{subject}}'}}]"
    assert "everyone is `anonymous`" in told(tmp_path, text, identity=NONE)


def test_a_token_of_this_gateway_needs_the_connection_callers_and_tokens(tmp_path: Path) -> None:
    assert "no such connection" in told(tmp_path, "kind: session_token, connection: c", "mcp")
    assert "this connection itself" in told(tmp_path, "kind: session_token, connection: a", "mcp")
    assert "no caller" in told(tmp_path, "kind: session_token, connection: b", "mcp", NONE)
    without = OIDC.replace("session_tokens: {}, ", "")
    assert "identity.session_tokens" in told(tmp_path, "kind: session_token, connection: b", "mcp", without)
