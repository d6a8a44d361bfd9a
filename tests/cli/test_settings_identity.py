"""Who may call: what the file says of it reaches the gateway, and what cannot be meant is told with its place."""

import dataclasses
from pathlib import Path

import pytest

from gateway.settings import ClaimMapping, IdentitySettings, Issuer, ServerTls, SessionTokens, Telemetry
from sluicegate.settings import Settings, SettingsError, load
from sluicegate.settings.identity import ClaimsBlock, IssuerBlock, SessionTokensBlock
from sluicegate.settings.keys import KeyFileError, masking_key, session_key
from sluicegate.settings.model import TelemetryBlock

CONNECTIONS = 'connections: [{name: demo, upstream: "http://127.0.0.1:9000/mcp"}]\n'
ISSUER = (
    'identity: {mode: oidc, public_url: "https://gw.example.com", '
    'issuers: [{name: people, issuer: "https://id.example.com/"}]}\n'
)
IDENTITY = """\
identity:
  mode: oidc
  public_url: https://Gateway.example.com:8443/
  issuers:
    - name: people
      issuer: https://id.example.com/realms/main
      audiences: [sluicegate]
      algorithms: [ES256, EdDSA]
      jwks_url: https://keys.example.com/jwks
      origins: ["https://keys.example.com/"]
      ca_file: ca.pem
      claims: {groups: realm_access.roles, client_id: client}
      scopes_required: [mcp]
      types: ["at+jwt"]
      leeway_seconds: 0
    - {name: here, issuer: "http://127.0.0.1:9400", jwks_file: jwks.json, id_tokens: true}
  session_tokens: {ttl_seconds: 600, purpose_required: true}
"""


def loaded(folder: Path, text: str) -> Settings:
    (folder / "s.yaml").write_text(text, "utf-8")
    return load(folder / "s.yaml", {})


@pytest.fixture(autouse=True)
def files_there(tmp_path: Path) -> None:
    for name in ("ca.pem", "jwks.json", "cert.pem", "key.pem"):
        (tmp_path / name).touch()


def test_issuers_reach_the_gateway_as_they_are_written(tmp_path: Path) -> None:
    identity = loaded(tmp_path, IDENTITY + CONNECTIONS).gateway_settings().identity
    assert identity == IdentitySettings(
        mode="oidc",
        public_url="https://gateway.example.com:8443",
        issuers=(
            Issuer(
                name="people",
                issuer="https://id.example.com/realms/main",
                audiences=("sluicegate",),
                algorithms=("ES256", "EdDSA"),
                jwks_url="https://keys.example.com/jwks",
                origins=("https://keys.example.com",),
                ca_file=tmp_path / "ca.pem",
                claims=ClaimMapping(groups="realm_access.roles", client_id="client"),
                scopes_required=("mcp",),
                types=("at+jwt",),
                leeway_seconds=0,
            ),
            Issuer("here", "http://127.0.0.1:9400", jwks_file=tmp_path / "jwks.json", id_tokens=True),
        ),
        session_tokens=SessionTokens(session_key(tmp_path / "var"), 600, purpose_required=True),
    )


def test_with_identity_the_gateway_may_be_reached_from_elsewhere_under_its_names(tmp_path: Path) -> None:
    tls = "{certificate_file: cert.pem, key_file: key.pem}"
    gateway = f'gateway: {{listen: "0.0.0.0:8443", hosts: [GW.internal], tls: {tls}}}\n'
    settings = loaded(tmp_path, ISSUER + gateway + CONNECTIONS).gateway_settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 8443)
    assert settings.hosts == ("gw.internal", "gw.example.com")
    assert settings.tls == ServerTls(tmp_path / "cert.pem", tmp_path / "key.pem")


def test_without_session_tokens_no_key_for_them_is_made(tmp_path: Path) -> None:
    assert loaded(tmp_path, ISSUER + CONNECTIONS).gateway_settings().identity.session_tokens is None
    assert not (tmp_path / "var" / "keys" / "session.key").exists()


def test_the_session_key_is_another_than_the_masking_key_and_for_this_user_alone(tmp_path: Path) -> None:
    key = session_key(tmp_path)
    file = tmp_path / "keys" / "session.key"
    assert len(key) == 32
    assert session_key(tmp_path) == key != masking_key(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    with pytest.raises(KeyFileError, match=r"the session key .* is open to other users; run: chmod 600"):
        session_key(tmp_path)


def test_traces_go_where_the_file_says(tmp_path: Path) -> None:
    telemetry = 'telemetry: {otlp_endpoint: "http://collector:4318/v1/traces", sample_ratio: 0.1}\n'
    settings = loaded(tmp_path, ISSUER + telemetry + CONNECTIONS).gateway_settings()
    assert settings.telemetry == Telemetry("http://collector:4318/v1/traces", "sluicegate", 0.1)


def test_blocks_have_the_fields_and_defaults_of_their_parts() -> None:
    assert ClaimsBlock().model_dump() == dataclasses.asdict(ClaimMapping())
    assert TelemetryBlock().model_dump() == dataclasses.asdict(Telemetry())
    assert IssuerBlock(name="a", issuer="https://a.example").model_dump() == dataclasses.asdict(
        Issuer("a", "https://a.example")
    )
    tokens = dataclasses.asdict(SessionTokens())
    assert SessionTokensBlock().model_dump() == {name: tokens[name] for name in tokens if name != "key"}


BAD = {
    "oidc without issuers": (
        'identity: {mode: oidc, public_url: "https://a.example"}\n',
        "1:18: identity.mode: `oidc` needs `issuers`: ",
    ),
    "oidc without a public URL": (
        'identity: {mode: oidc, issuers: [{name: a, issuer: "https://a.example"}]}\n',
        "1:18: identity.mode: `oidc` needs `public_url`",
    ),
    "a public URL in the clear": (
        ISSUER.replace("https://gw", "http://gw"),
        "1:36: identity.public_url: must be https; http is for loopback addresses only",
    ),
    "a public URL with a path": (
        ISSUER.replace("gw.example.com", "gw.example.com/mcp"),
        "1:36: identity.public_url: must be https://host",
    ),
    "an issuer in the clear": (
        ISSUER.replace("https://id", "http://id"),
        "identity.issuers[0].issuer: must be https; http",
    ),
    "an issuer with a password": (
        ISSUER.replace("https://id", "https://u:p@id"),
        "identity.issuers[0].issuer: must not carry a user or password",
    ),
    "an origin with a path": (
        ISSUER.replace("name: people,", 'name: people, origins: ["https://a.example/keys"],'),
        "identity.issuers[0].origins[0]: must be https://host",
    ),
    "a signature with a shared key": (
        ISSUER.replace("name: people,", "name: people, algorithms: [HS256],"),
        "identity.issuers[0].algorithms[0]: must be 'RS256', ",
    ),
    "no signature": (
        ISSUER.replace("name: people,", "name: people, algorithms: [none],"),
        "identity.issuers[0].algorithms[0]: must be",
    ),
    "no algorithm": (
        ISSUER.replace("name: people,", "name: people, algorithms: [],"),
        "identity.issuers[0].algorithms: must have at least one entry",
    ),
    "keys from two places": (
        ISSUER.replace("name: people,", 'name: people, jwks_url: "https://a.example", jwks_file: jwks.json,'),
        "identity.issuers[0].jwks_file: keys come from either",
    ),
    "a file of keys that is not there": (
        ISSUER.replace("name: people,", "name: people, jwks_file: jwsk.json,"),
        "identity.issuers[0].jwks_file: there is no such file",
    ),
    "keys stale before they are old": (
        ISSUER.replace("name: people,", "name: people, keys_stale_seconds: 5,"),
        "identity.issuers[0].keys_stale_seconds: is less than",
    ),
    "a misspelt claim": (
        ISSUER.replace("name: people,", "name: people, claims: {group: roles},"),
        "identity.issuers[0].claims.group: unknown setting; did you mean `groups`?",
    ),
    "two issuers of one name": (
        ISSUER.replace("]}", ', {name: people, issuer: "https://b.example"}]}'),
        "identity.issuers[1].name: an issuer of this name stands above",
    ),
    "one issuer twice": (
        ISSUER.replace("]}", ', {name: b, issuer: "https://id.example.com/"}]}'),
        "identity.issuers[1].issuer: stands above already",
    ),
    "issuers of which nobody is asked": (
        'identity: {mode: none, issuers: [{name: a, issuer: "https://a.example"}]}\n',
        "1:33: identity.issuers: with `mode: none` nobody is asked",
    ),
    "session tokens that nobody needs": (
        "identity: {mode: none, session_tokens: {}}\n",
        "1:40: identity.session_tokens: with `mode: none`",
    ),
    "a console that others reach": (
        ISSUER + 'console: {listen: "0.0.0.0:8081"}\n',
        "2:19: console.listen: the query API asks nobody",
    ),
    "a certificate that is not there": (
        ISSUER + "gateway: {tls: {certificate_file: no.pem, key_file: key.pem}}\n",
        "2:35: gateway.tls.certificate_file: there is no such file",
    ),
    "a certificate without key": (
        ISSUER + "gateway: {tls: {certificate_file: cert.pem}}\n",
        "2:16: gateway.tls.key_file: is missing",
    ),
    "TLS under a public URL without": (
        ISSUER.replace("https://gw.example.com", "http://127.0.0.1:8080")
        + "gateway: {tls: {certificate_file: cert.pem, key_file: key.pem}}\n",
        "1:36: identity.public_url: is http, and `gateway.tls` makes",
    ),
    "a name with a port": (
        ISSUER + 'gateway: {hosts: ["gw:8080"]}\n',
        "2:19: gateway.hosts[0]: must be a host name such as",
    ),
    "a collector that is none": (
        ISSUER + "telemetry: {otlp_endpoint: collector}\n",
        "2:28: telemetry.otlp_endpoint: must be a URL",
    ),
    "more traces than all": (
        ISSUER + "telemetry: {sample_ratio: 2}\n",
        "2:27: telemetry.sample_ratio: must be at most 1",
    ),
}


@pytest.mark.parametrize(("text", "told"), BAD.values(), ids=BAD.keys())
def test_identity_that_cannot_be_meant_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        loaded(tmp_path, text + CONNECTIONS)
    lines = str(raised.value).replace(f"{tmp_path}/s.yaml:", "").splitlines()
    assert any(told in line for line in lines), lines
    assert len(lines) == 1
