"""Approvals and findings: all that the file says of them reaches its part, and what cannot be meant is told."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.integrations import settings as vendors
from console.settings import ConsoleSettings, PersonEntry
from gateway.settings import Holding, SecretSource
from processors.alerts.settings import AlertSettings, Responses, Route, Silence
from processors.anomaly.settings import AnomalySettings
from schemas.control import Lowered
from schemas.signatures import SigningKey
from sluicegate.names import PROCESSORS
from sluicegate.settings import Settings, SettingsError, load
from sluicegate.settings.approvals import approval_settings, machine_key, signing_seed, trusted_keys
from sluicegate.settings.approvals_block import ApprovalsBlock, WaitBlock
from sluicegate.settings.console import console_settings, integration_settings
from sluicegate.settings.findings import SecretAwayError, alert_settings, anomaly_settings
from sluicegate.settings.findings_block import ResponsesBlock
from sluicegate.settings.integration_blocks import RetriesBlock
from sluicegate.settings.keys import KeyFileError
from sluicegate.settings.probes import probes_of

ISSUER = "https://id.example.com"
NONE = "identity: {mode: none}\n"
OIDC = (
    'identity: {mode: oidc, public_url: "https://gw.example.com", '
    f'issuers: [{{name: a, issuer: "{ISSUER}", audiences: [agents]}}], session_tokens: {{}}}}\n'
)
CONNECTIONS = 'connections:\n- {name: a, upstream: "https://up.example/mcp"}\n'


def loaded(folder: Path, text: str, identity: str = NONE) -> Settings:
    """`text` begins on the second line."""
    (folder / "s.yaml").write_text(identity + text + "\n" + CONNECTIONS, "utf-8")
    return load(folder / "s.yaml", {})


def told(folder: Path, text: str, identity: str = NONE) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        loaded(folder, text, identity)
    return str(raised.value).replace(f"{folder}/", "").splitlines()


def test_without_a_word_the_parts_have_their_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    seeds = {"signing_seed": signing_seed(tmp_path / "var", "gateway")}
    machine = {"machine_public": machine_key(tmp_path / "var").public}
    assert settings.gateway_settings().holding == Holding(**seeds, **machine)
    console = console_settings(settings)
    usual = ConsoleSettings(console.keys)
    for name in ("host", "port", "people", "auditor_groups", "revoker_groups", "tls", "desk", "api"):
        assert getattr(console, name) == getattr(usual, name)
    assert integration_settings(settings) == vendors.IntegrationSettings()
    assert alert_settings(settings, 0).responses == Responses()
    assert RetriesBlock().model_dump() == dataclasses.asdict(vendors.Retries())


def test_how_callers_wait_reaches_the_gateway(tmp_path: Path) -> None:
    wait = "{stream: 1h, poll: 5s, keep_alive: 2s, calls_max: 9, calls_by_caller_max: 3}"
    text = f"approvals: {{wait: {wait}, status_url: 'https://see.example.com/{{id}}'}}"
    holding = loaded(tmp_path, text).gateway_settings().holding
    assert (holding.stream_seconds, holding.poll_seconds, holding.keep_alive_seconds) == (3600.0, 5.0, 2.0)
    assert (holding.waiting_max, holding.waiting_by_principal_max) == (9, 3)
    assert holding.status_url == "https://see.example.com/{id}"


def test_the_gateway_believes_the_key_that_the_processor_settles_with(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")
    machine = SigningKey(approval_settings(settings, 0).signing_seed)
    assert settings.gateway_settings().holding.machine_public == machine.public
    assert console_settings(settings).keys.machine_public == machine.public


NAMES = (f"{ISSUER}|ann", "terminal:ann@pc", "slack:T1/U1", "mail:ann@example.com")
PEOPLE = f"people: [{{names: {list(NAMES)}, groups: [security]}}]"


def test_what_is_asked_without_identity_is_approved_only_where_the_file_says_so(tmp_path: Path) -> None:
    assert not approval_settings(loaded(tmp_path, ""), 0).anonymous
    assert approval_settings(loaded(tmp_path, "approvals: {anonymous: allow}"), 0).anonymous


def test_a_machine_without_the_seeds_of_others_believes_their_public_keys(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    trusted = trusted_keys(here)
    (there / "keys").mkdir(parents=True)
    for name in ("gateway", "cli", "console"):
        shutil.copy(here / "keys" / f"approvals-{name}.pub", there / "keys")
    assert trusted_keys(there) == trusted
    assert sorted(file.suffix for file in (there / "keys").iterdir()) == [".pub"] * 3


def test_a_public_key_of_another_seed_is_told(tmp_path: Path) -> None:
    signing_seed(tmp_path, "gateway")
    file = tmp_path / "keys" / "approvals-gateway.pub"
    for content, fault in (
        ("00" * 32, "is not the public key of"),
        ("00", "has 1 bytes"),
        ("x", "64 hex digits"),
    ):
        file.write_text(content)
        with pytest.raises(KeyFileError, match=fault):
            signing_seed(tmp_path, "gateway")


def test_people_and_groups_reach_all_who_judge_by_them(tmp_path: Path) -> None:
    text = f"approvals: {{revoker_groups: [soc], auditor_groups: [audit], {PEOPLE}}}"
    settings = loaded(tmp_path, text, OIDC)
    names = (f"{ISSUER}|ann", "|ann@pc", "slack:T1/U1", "mail:ann@example.com")
    machine = approval_settings(settings, 0)
    assert (machine.people, machine.revoker_groups) == ([names], ("soc",))
    console = console_settings(settings)
    assert console.people == (PersonEntry(names, ("security",)),)
    assert (console.revoker_groups, console.auditor_groups) == (("soc",), ("audit",))


def test_tokens_of_agents_are_for_another_place_than_those_of_people(tmp_path: Path) -> None:
    text = "approvals: {listen: '0.0.0.0:9000', public_url: 'https://approve.example.com', hosts: [b.example.com]}"
    settings = loaded(tmp_path, text, OIDC)
    console = console_settings(settings)
    (issuer,) = console.identity.issuers
    assert (console.identity.public_url, issuer.audiences) == ("https://approve.example.com", ())
    assert console.identity.session_tokens is None
    assert (console.host, console.port) == ("0.0.0.0", 9000)
    assert console.hosts == ("b.example.com", "approve.example.com")
    assert settings.gateway_settings().identity.issuers[0].audiences == ("agents",)
    own = loaded(tmp_path, text.replace("hosts:", "audiences: [reviewers], hosts:"), OIDC)
    assert console_settings(own).identity.issuers[0].audiences == ("reviewers",)


def test_on_this_machine_the_address_itself_is_whom_tokens_are_for(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "approvals: {listen: '127.0.0.1:9000'}", OIDC)
    assert console_settings(settings).identity.public_url == "http://127.0.0.1:9000"


def source(name: str) -> SecretSource:
    return SecretSource(env=name)


def test_every_integration_reaches_the_console(tmp_path: Path) -> None:
    text = """
approvals:
  public_url: https://approve.example.com
  slack:
    bot_token: {env: A}
    signing_secrets: [{env: B}, {env: C}]
    channels: [{id: C1, connections: [a], reviewers: [sre, terminal:ann@pc]}, {id: C2}]
  teams: {app_id: app, tenant_id: t, app_secret: {env: D}, channels: [{id: "19:x@thread.tacv2"}]}
  webhooks:
    - {name: own, secrets: [{env: E}], url: "https://in.example.com/", decisions: true, connections: [a]}
  jira: {url: "https://x.example.com", token: {env: F}, project: OPS, email: a@b.c, settled: {approved: Done}}
  servicenow:
    {url: "https://y.example.com", username: u, password: {env: G}, settled: {denied: {state: "4"}}, reviewers: [b]}
  retries: {tries: 9}
"""
    found = integration_settings(loaded(tmp_path, text))
    only = vendors.Only(("a",), ("sre", "|ann@pc"))
    assert found == vendors.IntegrationSettings(
        public_url="https://approve.example.com",
        slack=vendors.Slack(
            source("A"), (source("B"), source("C")), (vendors.Target("C1", only), vendors.Target("C2"))
        ),
        teams=vendors.TeamsBot("app", "t", source("D"), (vendors.Target("19:x@thread.tacv2"),)),
        webhooks=(
            vendors.Webhook("own", (source("E"),), "https://in.example.com/", True, vendors.Only(("a",))),
        ),
        jira=vendors.Jira(
            "https://x.example.com", source("F"), "OPS", email="a@b.c", settled={"approved": "Done"}
        ),
        servicenow=vendors.ServiceNow(
            "https://y.example.com",
            "u",
            source("G"),
            settled={"denied": {"state": "4"}},
            only=vendors.Only(reviewers=("b",)),
        ),
        retries=vendors.Retries(tries=9),
    )


def test_a_workflow_of_teams_is_told_by_its_url(tmp_path: Path) -> None:
    text = "approvals: {teams: {url: {env: A}, connections: [a]}}"
    found = integration_settings(loaded(tmp_path, text)).teams
    assert found == vendors.TeamsWorkflow(source("A"), vendors.Only(("a",)))


def test_findings_reach_their_processors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "json://pager.example.com/token")
    (tmp_path / "mail.url").write_text("mailto://user:secret@example.com\n")
    (tmp_path / "rules.yaml").write_text("")
    text = """
findings:
  rules: rules.yaml
  responses: {rules: ["scan-*"], exempt: ["|root"], blocks_hour_max: 1, lowered: {per_second: 1, burst: 2}}
  alerts:
    - {name: page, urls: [{env: PAGER}, {file: mail.url}], severities: [critical], rules: ["a*"],
       connections: [a], group: 1m}
  silences: [{until: "2026-07-28T18:00:00Z", by: ann, why: a drill, rule: scan-*}]
"""
    settings = loaded(tmp_path, text)
    var = tmp_path / "var"
    assert anomaly_settings(settings, 0) == AnomalySettings(
        var / "faust" / "anomaly-0",
        rules=tmp_path / "rules.yaml",
        responses=True,
        port_file=var / "run" / "anomaly-0.port",
    )
    urls = ("json://pager.example.com/token", "mailto://user:secret@example.com")
    until = int(datetime(2026, 7, 28, 18, tzinfo=UTC).timestamp() * 1_000_000)
    assert alert_settings(settings, 0) == AlertSettings(
        var / "faust" / "alerts-0",
        routes=(Route("page", urls, ("critical",), ("a*",), ("a",), 60.0, 30),),
        silences=(Silence(until, "ann", "a drill", "scan-*"),),
        responses=Responses(True, ("scan-*",), ("|root",), 1, 60, Lowered(1.0, 2)),
        port_file=var / "run" / "alerts-0.port",
    )


def test_responses_are_off_until_they_are_wanted(tmp_path: Path) -> None:
    for given, on in (("'off'", False), ("'on'", True), ("on", True), ("{}", True)):
        settings = loaded(tmp_path, f"findings: {{responses: {given}}}")
        assert alert_settings(settings, 0).responses == Responses(on=on)
        assert anomaly_settings(settings, 0).responses == on
    usual = ResponsesBlock()
    part = Responses()
    assert (usual.rules, usual.exempt) == (part.rules, part.exempt)
    assert (usual.blocks_hour_max, usual.others_hour_max) == (part.blocks_hour_max, part.others_hour_max)


def test_a_url_of_an_alert_that_cannot_be_read_stops_the_start_and_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAGER", raising=False)
    settings = loaded(tmp_path, "findings: {alerts: [{name: a, urls: [{env: PAGER}]}]}")
    with pytest.raises(SecretAwayError, match="the environment variable PAGER is to hold a URL"):
        alert_settings(settings, 0)
    settings = loaded(tmp_path, "findings: {alerts: [{name: a, urls: [{file: gone}]}]}")
    with pytest.raises(SecretAwayError, match="gone cannot be read"):
        alert_settings(settings, 0)


def test_the_probes_of_all_processors_follow_each_other(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "processors: {workers: 2, listen: '127.0.0.1:9100'}")
    ports = [probes_of(settings, name, worker)[1] for name in PROCESSORS for worker in (0, 1)]
    assert ports == list(range(9100, 9100 + 2 * len(PROCESSORS)))
    assert probes_of(loaded(tmp_path, ""), "alerts", 1) == ("127.0.0.1", 0)


BAD = {
    "an unknown setting": (
        "approvals: {wiat: {}}",
        "2:13: approvals.wiat: unknown setting; did you mean `wait`?",
    ),
    "an address of another part": (
        "approvals: {listen: '127.0.0.1:8080'}",
        "2:21: approvals.listen: is the gateway's address too; give it another port",
    ),
    "probes on an address of another part": (
        "processors: {listen: '127.0.0.1:8079'}",
        "2:22: processors.listen: its ports, one for each worker of 5 processors, reach 127.0.0.1:8080",
    ),
    "an address for all without identity": (
        "approvals: {listen: '0.0.0.0:9000'}",
        "2:21: approvals.listen: `identity: {mode: none}` asks nobody who they are",
    ),
    "audiences without identity": (
        "approvals: {audiences: [a]}",
        "2:24: approvals.audiences: with `mode: none` nobody is asked for a token",
    ),
    "a status page of no approval": (
        "approvals: {status_url: 'https://a.example/'}",
        "2:25: approvals.status_url: must have `{id}` in it",
    ),
    "waiting for days": ("approvals: {wait: {stream: 2d}}", "2:28: approvals.wait.stream: is at most 24h"),
    "signs of life that never come": (
        "approvals: {wait: {stream: 10s, keep_alive: 10s}}",
        "2:45: approvals.wait.keep_alive: is not less than `stream`",
    ),
    "one caller with more than all": (
        "approvals: {wait: {calls_max: 5}}",
        "2:19: approvals.wait.calls_by_caller_max: is more than `calls_max`",
    ),
    "a person in two entries": (
        "approvals: {people: [{names: ['i|a', 'mail:A@x']}, {names: ['i|b', 'mail:a@X']}]}",
        "2:68: approvals.people[1].names[1]: stands in approvals.people[0] already",
    ),
    "a person twice in one entry": (
        "approvals: {people: [{names: ['terminal:a@b', '|A@b']}]}",
        "2:47: approvals.people[0].names[1]: stands in this entry already",
    ),
    "a person by a bare name": (
        "approvals: {people: [{names: [ann]}]}",
        "2:31: approvals.people[0].names[0]: must be `ISSUER|SUBJECT`, `terminal:USER@HOST`, or a name elsewhere",
    ),
    "a person of no provider": (
        "approvals: {people: [{names: ['skype:ann']}]}",
        "2:31: approvals.people[0].names[0]: must be `ISSUER|SUBJECT`",
    ),
    "a person of an issuer that is a chat": (
        "approvals: {people: [{names: ['slack|U1']}]}",
        "2:31: approvals.people[0].names[0]: must be `ISSUER|SUBJECT`",
    ),
    "a group that could pass for a person": (
        "approvals: {people: [{names: ['i|a'], groups: ['i|b']}]}",
        "2:48: approvals.people[0].groups[0]: must be a group's name, which has no `|`",
    ),
    "slack without a signing secret": (
        "approvals: {slack: {bot_token: {env: A}, channels: [{id: C}]}}",
        "2:20: approvals.slack.signing_secrets: is missing: what Slack sends is believed by it",
    ),
    "slack with none": (
        "approvals: {slack: {bot_token: {env: A}, signing_secrets: [], channels: [{id: C}]}}",
        "2:59: approvals.slack.signing_secrets: must have at least one entry",
    ),
    "a secret in the clear": (
        "approvals: {slack: {bot_token: xoxb-1, signing_secrets: [{env: A}], channels: [{id: C}]}}",
        "2:32: approvals.slack.bot_token: a secret does not stand in this file",
    ),
    "a secret from nowhere": (
        "approvals: {slack: {bot_token: {env: A}, signing_secrets: [{}], channels: [{id: C}]}}",
        "2:60: approvals.slack.signing_secrets[0]: needs one of `env` (a variable's name) and `file`",
    ),
    "a channel for a connection that there is not": (
        "approvals: {slack: {bot_token: {env: A}, signing_secrets: [{env: A}], "
        "channels: [{id: C, connections: [b]}]}}",
        "2:104: approvals.slack.channels[0].connections[0]: there is no connection of this name; write one of",
    ),
    "a bot of teams without its secret": (
        "approvals: {teams: {app_id: a, tenant_id: t, channels: [{id: C}]}}",
        "2:20: approvals.teams.app_secret: is missing",
    ),
    "two webhooks of one name": (
        "approvals: {webhooks: [{name: a, secrets: [{env: A}], decisions: true}, "
        "{name: a, secrets: [{env: A}], decisions: true}]}",
        "2:80: approvals.webhooks[1].name: a webhook of this name stands above already",
    ),
    "a webhook for nothing": (
        "approvals: {webhooks: [{name: a, secrets: [{env: A}]}]}",
        "2:24: approvals.webhooks[0]: neither sends nor takes anything",
    ),
    "a url of an alert in the clear": (
        "findings: {alerts: [{name: a, urls: ['slack://token']}]}",
        "2:38: findings.alerts[0].urls[0]: a secret does not stand in this file",
    ),
    "an alert for a connection that there is not": (
        "findings: {alerts: [{name: a, urls: [{env: A}], connections: [b]}]}",
        "2:63: findings.alerts[0].connections[0]: there is no connection of this name",
    ),
    "two alerts of one name": (
        "findings: {alerts: [{name: a, urls: [{env: A}]}, {name: a, urls: [{env: A}]}]}",
        "2:57: findings.alerts[1].name: an alert of this name stands above already",
    ),
    "silence until one day": (
        "findings: {silences: [{until: soon, by: a, why: b}]}",
        "2:31: findings.silences[0].until: must be an ISO time such as",
    ),
    "rules that are not there": ("findings: {rules: gone.yaml}", "2:19: findings.rules: there is no such file"),
    "a response that is neither": (
        "findings: {responses: maybe}",
        "2:23: findings.responses: must be 'on' or 'off'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_meant_is_told_with_its_place(tmp_path: Path, text: str, line: str) -> None:
    (found,) = told(tmp_path, text)
    assert found.startswith(f"s.yaml:{line}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "approvals: {audiences: [agents]}",
            "2:25: approvals.audiences[0]: is an audience of `identity.issuers` too",
        ),
        (
            "approvals: {public_url: 'https://gw.example.com'}",
            "2:25: approvals.public_url: is the gateway's own",
        ),
        ("approvals: {anonymous: allow}", "2:24: approvals.anonymous: with `mode: oidc` nobody is without"),
        ("approvals: {listen: '0.0.0.0:9000'}", "2:21: approvals.listen: is reached from elsewhere"),
    ],
)
def test_what_would_let_an_agent_decide_is_told(tmp_path: Path, text: str, line: str) -> None:
    (found,) = told(tmp_path, text, OIDC)
    assert found.startswith(f"s.yaml:{line}")


def test_blocks_have_the_defaults_of_their_part() -> None:
    wait, part = WaitBlock(), Holding()
    assert (wait.calls_max, wait.calls_by_caller_max) == (part.waiting_max, part.waiting_by_principal_max)
    assert ApprovalsBlock().listen == "127.0.0.1:8082"
