"""A connection: all that the file says of it reaches the gateway, and what cannot be meant is told with its place."""

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from pyrage import x25519

from gateway import settings as parts
from gateway.settings import (
    Access,
    AccessRequests,
    ClientCredentials,
    ClientsOwn,
    Connection,
    Credential,
    FixedCredential,
    MaskingRules,
    Quota,
    Rate,
    Sealing,
    SecretSource,
    TokenExchange,
    ToolSettings,
    UpstreamTls,
)
from masking import PROFILES, profile_from
from masking.forms import Form
from processors.deadline import Deadline
from processors.masks import masks
from sluicegate.settings import Settings, SettingsError, load
from sluicegate.settings.connection import AccessBlock, ToolsBlock, UpstreamTlsBlock
from sluicegate.settings.masking import Profile

NONE = "identity: {mode: none}\n"
OIDC = (
    'identity: {mode: oidc, public_url: "https://gw.example.com", '
    'issuers: [{name: a, issuer: "https://id.example.com"}]}\n'
)
SECRET = "hunter2secret"


def loaded(folder: Path, text: str, *, files: bool = False) -> Settings:
    (folder / "s.yaml").write_text(text, "utf-8")
    return load(folder / "s.yaml", {"HIDDEN": SECRET}, files=files)


def one(
    folder: Path, rest: str, identity: str = OIDC, upstream: str = "https://up.example/mcp"
) -> Connection:
    """The connection that reaches the gateway."""
    text = f"{identity}connections:\n- name: a\n  upstream: {upstream}\n  {rest}\n"
    (connection,) = loaded(folder, text).gateway_settings().connections
    return connection


@pytest.fixture(autouse=True)
def files_there(tmp_path: Path) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    (tmp_path / "policy.yaml").write_text("default: deny\n")
    (tmp_path / "rules.toml").write_text('[[rule]]\nid = "acme"\npattern = "acme_[a-z0-9]{32}"\n')
    (tmp_path / "bad.toml").write_text('[[rule]]\nid = "a"\npattern = "x{3}"\nexamples = ["y"]\n')


def test_who_may_use_it_and_how_much_reaches_the_gateway(tmp_path: Path) -> None:
    connection = one(
        tmp_path,
        """host: Tools.example.com
  owner: platform
  labels: {env: prod}
  access: {groups: [sre], subjects: [ann], when: 'principal.email.endsWith("@example.com")'}
  policy: policy.yaml
  quota: {rate: {per_second: 2.5}, concurrent: 4, total_rate: {per_second: 9, burst: 50}, total_concurrent: 40}
  tools: {on_change: deny, filter_list: false}
  tls: {ca_file: ca.pem, certificate_file: cert.pem, key_file: key.pem, server_name: Tools.internal}
  trace_user_agent: true
  masking_by_group: {contractors: strict+pii, sre: secrets}""",
    )
    assert connection == Connection(
        "a",
        host="tools.example.com",
        owner="platform",
        labels={"env": "prod"},
        access=Access(("sre",), ("ann",), 'principal.email.endsWith("@example.com")'),
        policy_file=tmp_path / "policy.yaml",
        quota=Quota(Rate(2.5, 3), 4, Rate(9, 50), 40),
        tools=ToolSettings("deny", filter_list=False),
        tls=UpstreamTls(
            tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem", server_name="tools.internal"
        ),
        trace_user_agent=True,
        upstream="https://up.example/mcp",
        masking_by_group=(("contractors", "strict+pii"), ("sre", "secrets")),
    )


TOKENS = 'token_url: "https://id.example.com/token", client_id: gw, secret: {env: GW}, scopes: [a, b], audience: up'
CREDENTIALS: dict[str, tuple[str, str, Callable[[Path], Credential]]] = {
    "bearer": (
        NONE,
        "{kind: bearer, secret: {env: TOKEN}}",
        lambda _: FixedCredential("bearer", SecretSource(env="TOKEN")),
    ),
    "bearer from a file": (
        NONE,
        "{kind: bearer, secret: {file: token}}",
        lambda folder: FixedCredential("bearer", SecretSource(file=folder / "token")),
    ),
    "basic": (
        NONE,
        "{kind: basic, username: app, secret: {env: TOKEN}}",
        lambda _: FixedCredential("basic", SecretSource(env="TOKEN"), username="app"),
    ),
    "header": (
        NONE,
        "{kind: header, header: X-Api-Key, secret: {env: TOKEN}}",
        lambda _: FixedCredential("header", SecretSource(env="TOKEN"), header="x-api-key"),
    ),
    "client credentials": (
        NONE,
        f"{{kind: client_credentials, {TOKENS}, ca_file: ca.pem}}",
        lambda folder: ClientCredentials(
            "https://id.example.com/token",
            "gw",
            SecretSource(env="GW"),
            ("a", "b"),
            "up",
            folder / "ca.pem",
        ),
    ),
    "token exchange": (
        OIDC,
        f"{{kind: token_exchange, {TOKENS}, resource: 'https://up.example'}}",
        lambda _: TokenExchange(
            "https://id.example.com/token",
            "gw",
            SecretSource(env="GW"),
            ("a", "b"),
            "up",
            "https://up.example",
        ),
    ),
    "the client's own": (NONE, "{kind: client}", lambda _: ClientsOwn()),
}


@pytest.mark.parametrize(("identity", "written", "credential"), CREDENTIALS.values(), ids=CREDENTIALS.keys())
def test_each_kind_of_credential_reaches_the_gateway(
    tmp_path: Path, identity: str, written: str, credential: Callable[[Path], Credential]
) -> None:
    assert one(tmp_path, f"credential: {written}", identity).credential == credential(tmp_path)


def test_a_block_of_masking_is_what_the_masking_takes(tmp_path: Path) -> None:
    connection = one(
        tmp_path,
        """masking:
    profile: strict
    rules: [rules.toml, {id: own, pattern: "own_[a-z]{8}", examples: [own_abcdefgh], names: [x]}]
    allow: ["acme_0{32}"]
    leave: [password-hash]""",
    )
    assert connection.masking == "strict"
    rules = connection.masking_rules
    assert rules == MaskingRules(
        (
            {"id": "acme", "pattern": "acme_[a-z0-9]{32}"},
            {"id": "own", "pattern": "own_[a-z]{8}", "examples": ["own_abcdefgh"], "names": ["x"]},
        ),
        ("acme_0{32}",),
        ("password-hash",),
    )
    assert rules
    profile = profile_from(connection.masking, rules.rules, rules.allow, rules.leave)
    assert [rule.id for rule in profile.rules] == ["acme", "own"]
    assert (profile.strict, profile.leave) == (True, frozenset({"password-hash"}))


def test_the_deep_pass_has_the_rules_and_exceptions_too(tmp_path: Path) -> None:
    text = f"""{NONE}connections:
- {{name: a, upstream: "http://127.0.0.1:1/", masking: {{rules: [rules.toml], allow: ["acme_0{{32}}"]}}}}
- {{name: b, upstream: "http://127.0.0.1:1/", masking: strict}}
"""
    settings = loaded(tmp_path, text).processor_settings()
    use = masks(settings, Deadline(5))
    secret, known, other = b"acme_0123456789abcdef0123456789abcdef", b"acme_" + b"0" * 32, b"plain"
    masked = use("a", ()).mask(b"%b %b %b" % (secret, known, other), ()).text
    assert secret not in masked
    assert known in masked
    assert other in masked
    assert settings.profiles["b"] == "strict"


def test_the_deep_pass_has_the_profiles_of_groups_with_the_rules_of_the_connection(tmp_path: Path) -> None:
    text = f"""{OIDC}connections:
- {{name: a, upstream: "https://up.example", masking: {{rules: [rules.toml]}}, masking_by_group: {{hr: secrets+pii}}}}
"""
    use = masks(loaded(tmp_path, text).processor_settings(), Deadline(5))
    card, secret = b"4111 1111 1111 1111", b"acme_0123456789abcdef0123456789abcdef"
    both = b"card %b, %b" % (card, secret)
    assert card in use("a", ("sre",)).mask(both, ()).text
    assert card not in use("a", ("sre", "hr")).mask(both, ()).text
    assert secret not in use("a", ("hr",)).mask(both, ()).text


def test_a_rule_may_write_a_text_or_keep_a_few_characters(tmp_path: Path) -> None:
    connection = one(
        tmp_path,
        """masking:
    rules:
    - {id: own, pattern: "own_[a-z]{8}", replacement: "***"}
    - {id: other, pattern: "other_[a-z]{20}", keep_first: 4, keep_last: 2}""",
    )
    own = connection.masking_rules
    assert own
    first, second = profile_from("secrets", own.rules).rules
    assert first.form
    assert (first.form.text, second.form) == ("***", Form(first=4, last=2))


def test_what_is_written_for_findings_of_any_rule_can_be_chosen(tmp_path: Path) -> None:
    own = one(tmp_path, "masking: {forms: {jwt: {replacement: '***'}, card: {keep_last: 2}}}").masking_rules
    assert own == MaskingRules(forms={"jwt": {"replacement": "***"}, "card": {"keep_last": 2}})
    assert dict(profile_from("secrets", forms=own.forms).forms).keys() == {"jwt", "card"}


def test_access_may_be_lent_and_changed_tools_approved(tmp_path: Path) -> None:
    connection = one(
        tmp_path,
        "access: {groups: [sre], requests: {reviewers: [leads, terminal:ann@pc], for_max: 2h, expires: 1d, "
        "comment: required}}\n  tools: {reviewers: [leads]}",
    )
    assert connection.access_requests == AccessRequests(((("leads", "|ann@pc"), 1),), 7_200, 86_400, True)
    assert connection.tool_change_reviewers == ("leads",)
    quorum = one(tmp_path, "access: {groups: [a], requests: {quorum: [{of: [b]}, {of: [c], people: 2}]}}")
    assert quorum.access_requests == AccessRequests(((("b",), 1), (("c",), 2)))
    assert one(tmp_path, "access: {groups: [a]}").access_requests is None


def test_a_block_of_masking_with_nothing_in_it_is_the_usual_profile(tmp_path: Path) -> None:
    connection = one(tmp_path, "masking: {}")
    assert (connection.masking, connection.masking_rules) == ("secrets", MaskingRules())
    assert one(tmp_path, "masking: strict").masking_rules is None


def test_every_profile_can_be_named() -> None:
    assert set(get_args(Profile)) == set(PROFILES)


def test_blocks_have_the_fields_and_defaults_of_their_parts() -> None:
    for block, part in (
        (AccessBlock(), Access()),
        (ToolsBlock(), ToolSettings()),
        (UpstreamTlsBlock(), UpstreamTls()),
    ):
        plain = {
            name: value for name, value in dataclasses.asdict(part).items() if not name.endswith("_data")
        }
        assert block.model_dump(exclude={"requests", "reviewers"}) == plain


def test_settings_go_to_worker_processes_whole(tmp_path: Path) -> None:
    connection = one(tmp_path, "labels: {env: prod}\n  masking: {rules: [rules.toml]}")
    assert pickle.loads(pickle.dumps(connection)) == connection
    assert hash(connection) == hash(pickle.loads(pickle.dumps(connection)))


def test_every_setting_of_a_connection_can_be_written() -> None:
    written = {name.removesuffix("_file") for name in parts.Connection.__dataclass_fields__} - {
        "masking_rules",
        "access_requests",  # within `access`
        "tool_change_reviewers",  # within `tools`
    }
    known = set(Settings.model_fields["connections"].annotation.__args__[0].model_fields)  # type: ignore[union-attr]
    assert written == known - {"in_cluster"}  # is `upstream`, `tls` and `credential` to the gateway


def faults(folder: Path, text: str, *, files: bool = False) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        loaded(folder, text, files=files)
    assert SECRET not in str(raised.value)
    return str(raised.value).replace(f"{folder}/", "").splitlines()


BAD = {
    "a secret in the clear": (
        NONE,
        f"credential: {{kind: bearer, secret: {SECRET}}}",
        "4:38: connections[0].credential.secret: a secret does not stand in this file: write `{env: NAME}` or",
    ),
    "a secret by reference": (
        NONE,
        "credential: {kind: bearer, secret: '${HIDDEN}'}",
        "4:38: connections[0].credential.secret: a secret does not stand in this file",
    ),
    "a number for a secret": (
        NONE,
        "credential: {kind: bearer, secret: 12345}",
        "4:38: connections[0].credential.secret: a secret does not stand in this file",
    ),
    "a secret from nowhere": (
        NONE,
        "credential: {kind: bearer, secret: {}}",
        "4:38: connections[0].credential.secret: needs one of `env` (a variable's name) and `file`",
    ),
    "a secret from two places": (
        NONE,
        "credential: {kind: bearer, secret: {env: A, file: b}}",
        "4:38: connections[0].credential.secret: needs one of",
    ),
    "a credential of no kind": (
        NONE,
        "credential: {secret: {env: A}}",
        "4:15: connections[0].credential: needs `kind`, one of bearer, basic, header, client_credentials,",
    ),
    "a credential of another kind": (
        NONE,
        "credential: {kind: baerer, secret: {env: A}}",
        "4:15: connections[0].credential: needs `kind`, one of bearer",
    ),
    "text for a credential": (NONE, f"credential: {SECRET}", "4:15: connections[0].credential: needs `kind`"),
    "a setting of another kind": (
        NONE,
        "credential: {kind: bearer, username: u, secret: {env: A}}",
        "4:30: connections[0].credential.username: unknown setting; known here: kind, secret",
    ),
    "a misspelt setting": (
        NONE,
        "credential: {kind: header, header: X-A, secret: {evn: A}}",
        "4:52: connections[0].credential.secret.evn: unknown setting; did you mean `env`?",
    ),
    "a header of the protocol": (
        NONE,
        "credential: {kind: header, header: Mcp-Session-Id, secret: {env: A}}",
        "4:38: connections[0].credential.header: is a header of the protocol itself",
    ),
    "a header that is none": (
        NONE,
        'credential: {kind: header, header: "X-A: b", secret: {env: A}}',
        "4:38: connections[0].credential.header: must be the name of a header",
    ),
    "a user with a colon": (
        NONE,
        'credential: {kind: basic, username: "a:b", secret: {env: A}}',
        "4:39: connections[0].credential.username: must not be empty and must not hold `:`",
    ),
    "tokens asked for in the clear": (
        NONE,
        "credential: {kind: client_credentials, token_url: 'http://id.example/t', client_id: a, secret: {env: A}}",
        "4:53: connections[0].credential.token_url: must be https; http is for loopback",
    ),
    "an exchange without identity": (
        NONE,
        "credential: {kind: token_exchange, token_url: 'https://id.example/t', client_id: a, secret: {env: A}}",
        "4:22: connections[0].credential.kind: without identity there is no token to exchange",
    ),
    "the client's own beside identity": (
        OIDC,
        "credential: {kind: client}",
        "4:22: connections[0].credential.kind: what the client sends is for this gateway here and never goes on",
    ),
    "a CA that is not there": (
        NONE,
        "tls: {ca_file: no.pem}",
        "4:18: connections[0].tls.ca_file: there is no such file",
    ),
    "a key without certificate": (
        NONE,
        "tls: {key_file: key.pem}",
        "4:19: connections[0].tls.key_file: belongs to a certificate",
    ),
    "groups without identity": (
        NONE,
        "access: {groups: [a]}",
        "4:20: connections[0].access.groups: without identity everyone is `anonymous`",
    ),
    "a condition that is none": (
        NONE,
        "access: {when: 'principal.grups == 1'}",
        "4:18: connections[0].access.when: at character ",
    ),
    "a policy that is not there": (
        NONE,
        "policy: polcy.yaml",
        "4:11: connections[0].policy: there is no such file (paths are relative",
    ),
    "no rate": (
        NONE,
        "quota: {rate: {per_second: 0}}",
        "4:30: connections[0].quota.rate.per_second: must be more than 0",
    ),
    "less for all than for one": (
        NONE,
        "quota: {rate: {per_second: 5}, total_rate: {per_second: 2}}",
        "4:46: connections[0].quota.total_rate: is less than `rate`",
    ),
    "fewer of all than of one": (
        NONE,
        "quota: {concurrent: 5, total_concurrent: 4}",
        "4:44: connections[0].quota.total_concurrent: is less than `concurrent`",
    ),
    "a burst that never gives the rate": (
        NONE,
        "quota: {rate: {per_second: 100000, burst: 1}}",
        "4:45: connections[0].quota.rate.burst: is so small that",
    ),
    "the gateway's own name": (
        OIDC,
        "host: GW.example.com",
        "4:9: connections[0].host: is the gateway's own; give the connection another name",
    ),
    "this machine's name": (NONE, "host: localhost", "4:9: connections[0].host: is the gateway's own"),
    "a host with a port": (NONE, "host: 'a.example:80'", "4:9: connections[0].host: must be a host name"),
    "an unknown profile": (
        NONE,
        "masking: {profile: none}",
        "4:22: connections[0].masking.profile: must be 'secrets', ",
    ),
    "a number for masking": (NONE, "masking: 5", "4:12: connections[0].masking: must be a block"),
    "rules that are not there": (
        NONE,
        "masking: {rules: [no.toml]}",
        "4:21: connections[0].masking.rules[0]: there is no such file",
    ),
    "rules that are no TOML": (
        NONE,
        "masking: {rules: [rules.toml, s.yaml]}",
        "4:33: connections[0].masking.rules[1]: ",
    ),
    "a rule whose example it misses": (
        NONE,
        f"masking: {{rules: [{{id: a, pattern: 'x{{3}}', examples: [xxx, {SECRET}]}}]}}",
        "4:21: connections[0].masking.rules[0]: masking rule 'a': its example number 2 does not match its pattern",
    ),
    "a rule without pattern": (
        NONE,
        "masking: {rules: [{id: a}]}",
        "4:21: connections[0].masking.rules[0].pattern: is missing",
    ),
    "a misspelt field of a rule": (
        NONE,
        "masking: {rules: [{id: a, patern: x, pattern: y}]}",
        "4:29: connections[0].masking.rules[0].patern: unknown setting; did you mean `pattern`?",
    ),
    "a pattern that does not compile": (
        NONE,
        "masking: {allow: ['(']}",
        "4:21: connections[0].masking.allow[0]: is not a regular expression",
    ),
    "a rule in a file, told with its line": (
        NONE,
        "masking: {rules: [bad.toml]}",
        "4:21: connections[0].masking.rules[0]: bad.toml:4: masking rule 'a': its example number 1",
    ),
    "a rule that writes and keeps": (
        NONE,
        "masking: {rules: [{id: a, pattern: 'x{8}', replacement: '***', keep_last: 2}]}",
        "4:21: connections[0].masking.rules[0]: masking rule 'a': has a `replacement` and keeps characters too",
    ),
    "a rule that keeps too much": (
        NONE,
        "masking: {rules: [{id: a, pattern: 'x{8}', keep_last: 9}]}",
        "4:57: connections[0].masking.rules[0].keep_last: must be at most 8",
    ),
    "an unknown rule that stays": (
        NONE,
        "masking: {leave: [password-hash, jwtt]}",
        "4:36: connections[0].masking.leave[1]: there is no rule 'jwtt'; did you mean 'jwt'?",
    ),
    "a form of an unknown rule": (
        NONE,
        "masking: {forms: {jwtt: {replacement: x}}}",
        "4:27: connections[0].masking.forms.jwtt: there is no rule 'jwtt'; did you mean 'jwt'?",
    ),
    "a form that says two things": (
        NONE,
        "masking: {forms: {jwt: {replacement: x, keep_last: 2}}}",
        "4:26: connections[0].masking.forms.jwt: has a `replacement` and keeps characters too: remove one of both",
    ),
    "an unknown setting of a form": (
        NONE,
        "masking: {forms: {jwt: {replacment: x}}}",
        "4:27: connections[0].masking.forms.jwt.replacment: unknown setting; did you mean `replacement`?",
    ),
    "requests for what everyone has": (
        OIDC,
        "access: {requests: {reviewers: [a]}}",
        "4:22: connections[0].access.requests: everyone may use this connection, so nobody has to ask",
    ),
    "requests by nobody": (
        NONE,
        "access: {when: 'true', requests: {reviewers: [a]}}",
        "4:36: connections[0].access.requests: without identity everyone is `anonymous`",
    ),
    "requests to nobody": (
        OIDC,
        "access: {groups: [a], requests: {for_max: 1h}}",
        "4:35: connections[0].access.requests: needs one of `reviewers`",
    ),
    "requests to two kinds of reviewers": (
        OIDC,
        "access: {groups: [a], requests: {reviewers: [b], quorum: [{of: [c]}]}}",
        "4:35: connections[0].access.requests: needs one of `reviewers`",
    ),
    "requests to too few": (
        OIDC,
        "access: {groups: [a], requests: {quorum: [{of: ['terminal:a@b', '|a@b'], people: 2}]}}",
        "4:84: connections[0].access.requests.quorum[0].people: asks for 2 of 1, who would never be enough",
    ),
    "requests to too many": (
        OIDC,
        "access: {groups: [a], requests: {quorum: [{of: [b], people: 5}, {of: [c], people: 4}]}}",
        "4:44: connections[0].access.requests.quorum: asks for more than 8 people",
    ),
    "access for longer than anything": (
        OIDC,
        "access: {groups: [a], requests: {reviewers: [b], for_max: 31d}}",
        "4:61: connections[0].access.requests.for_max: is at most 30d",
    ),
    "a duration of no unit": (
        OIDC,
        "access: {groups: [a], requests: {reviewers: [b], expires: '15'}}",
        "4:61: connections[0].access.requests.expires: write a time such as 90s, 30m, 2h or 7d",
    ),
    "a reviewer by a name elsewhere": (
        NONE,
        "tools: {reviewers: ['slack:T/U']}",
        "4:23: connections[0].tools.reviewers[0]: is a group, or one person",
    ),
    "reviewers of what is not held": (
        NONE,
        "tools: {reviewers: [a], on_change: deny}",
        "4:22: connections[0].tools.reviewers: approve what `on_change: hold` holds, and here it is `deny`",
    ),
    "a reviewer that nobody can be": (
        NONE,
        "tools: {reviewers: ['https://id.example.com|ann']}",
        "4:23: connections[0].tools.reviewers[0]: without identity nobody is this person",
    ),
    "rules where nothing is masked": (
        NONE,
        "masking: {profile: 'off', allow: [a]}",
        "4:22: connections[0].masking.profile: with `off` nothing is masked",
    ),
    "masking by groups that nobody has": (
        NONE,
        "masking_by_group: {a: strict}",
        "4:21: connections[0].masking_by_group: without identity nobody has groups",
    ),
    "an unknown profile of a group": (
        OIDC,
        "masking_by_group: {a: none}",
        "4:25: connections[0].masking_by_group.a: must be 'secrets', ",
    ),
}


@pytest.mark.parametrize(("identity", "rest", "told"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_meant_is_told_with_its_place(
    tmp_path: Path, identity: str, rest: str, told: str
) -> None:
    text = f'{identity}connections:\n- name: a\n  {rest}\n  upstream: "https://up.example/mcp"\n'
    (line,) = faults(tmp_path, text)
    assert line.startswith(f"s.yaml:{told}")


RECIPIENT = str(x25519.Identity.generate().to_public())
MISTYPED = RECIPIENT[:-1] + ("p" if RECIPIENT.endswith("q") else "q")


def test_originals_are_sealed_for_whom_the_file_names(tmp_path: Path) -> None:
    connection = one(tmp_path, f"sealed: {{recipient: {RECIPIENT}, retention_hours: 4}}")
    assert connection.sealed == Sealing(RECIPIENT, 4)
    assert one(tmp_path, f"sealed: {{recipient: {RECIPIENT}}}").sealed == Sealing(RECIPIENT)


@pytest.mark.parametrize("recipient", ["age1abc", MISTYPED, "ssh-ed25519 AAAA", SECRET])
def test_a_recipient_that_nobody_could_open_for_is_told(tmp_path: Path, recipient: str) -> None:
    text = f'{NONE}connections:\n- name: a\n  upstream: "http://127.0.0.1:1/"\n  sealed: {{recipient: {recipient}}}\n'
    assert faults(tmp_path, text) == [
        "s.yaml:5:23: connections[0].sealed.recipient: this is no age recipient; one begins with age1 and comes from "
        "age-keygen"
    ]


FOR_PROGRAMS = {
    "credential: {kind: bearer, secret: {env: A}}": "credential: a program over stdio is sent no headers",
    "tls: {ca_file: ca.pem}": "tls: is for an `upstream` that is https",
    "trace_user_agent: true": "trace_user_agent: a program over stdio is sent no headers",
}


@pytest.mark.parametrize(("rest", "told"), FOR_PROGRAMS.items())
def test_a_program_takes_nothing_that_is_for_http(tmp_path: Path, rest: str, told: str) -> None:
    (line,) = faults(tmp_path, f"{NONE}connections:\n- name: a\n  command: [a]\n  {rest}\n")
    assert f"connections[0].{told}" in line


def test_tls_settings_of_an_upstream_without_tls_are_told(tmp_path: Path) -> None:
    text = f'{NONE}connections:\n- name: a\n  upstream: "http://127.0.0.1:1/"\n  tls: {{ca_file: ca.pem}}\n'
    assert faults(tmp_path, text) == [
        "s.yaml:5:8: connections[0].tls: is for an `upstream` that is https; remove it or change the URL"
    ]


def test_two_connections_of_one_host_are_told(tmp_path: Path) -> None:
    entry = '- {{name: {0}, host: tools.example.com, upstream: "http://127.0.0.1:1/"}}\n'
    (line,) = faults(tmp_path, f"{NONE}connections:\n{entry.format('a')}{entry.format('b')}")
    assert line == (
        "s.yaml:4:19: connections[1].host: is that of connection `a`; give the connection another name"
    )


def test_faults_of_a_policy_are_told_to_who_puts_it_in_force_and_trouble_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(
        "default: deny\nrules:\n- {name: a, when: tool.nam == 'x', allow: true}\n"
    )
    text = f'{NONE}connections:\n- name: a\n  upstream: "http://127.0.0.1:1/"\n  policy: policy.yaml\n'
    assert loaded(tmp_path, text).connections[0].policy == tmp_path / "policy.yaml"
    (line,) = faults(tmp_path, text, files=True)
    assert line.startswith("s.yaml:5:11: connections[0].policy: policy.yaml:3:")
    assert "`tool` has no `nam`" in line
