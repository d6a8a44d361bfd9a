"""`sluicegate policy`: files checked and tested, recorded requests explained and judged anew."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from sluicegate.cli.app import app
from tests.cli.conftest import Asked
from tests.sinks.records import Trail

pytestmark = pytest.mark.timeout(300)  # the whole stack starts here, perhaps on a busy machine

POLICY = """default: deny
rules:
  - name: sre
    when: "'sre' in principal.groups && tool.name == 'get_pod'"
    allow: true
packs: [kubernetes]
"""
EXPECTED = """policy: policy.yaml
given:
  connection: {name: prod, labels: {env: prod}}
  principal: {subject: ada, groups: [sre]}
expect:
  - name: the sre team reads pods
    call: {tool: get_pod, arguments: {name: web-0}}
    verdict: allow
    rule: sre
  - name: nobody deletes
    call: {tool: pods_delete, principal: {groups: [dev]}}
    verdict: deny
    rule: kubernetes/destructive-tool
    reason_code: policy_denied
  - name: what is ambiguous is refused
    call: {body: '{"method":"ping","Method":"tools/call"}'}
    verdict: deny
    reason_code: unreadable_request
  - name: a notification
    call: {request: {method: notifications/initialized}, now: 2026-07-28T12:00:00Z, session: {calls: 3}}
    verdict: deny
    rule: default
"""


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["policy", *words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "expected.yaml").write_text(EXPECTED)
    return tmp_path


def test_a_good_policy_is_told_with_its_version(folder: Path) -> None:
    answer = run("check", str(folder / "policy.yaml"))
    assert answer.exit_code == 0
    assert "good, 9 rules, version " in answer.stdout


def test_check_tells_who_has_to_agree_to_what_is_held(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("""default: allow
rules:
  - name: deletes
    when: true
    hold:
      reason: r
      quorum: [{of: [security]}, {of: [owners, terminal:ann@pc], people: 2}]
      comment: required
      hours: mon-fri 08:00-18:00 UTC
      expires: 90m
      grant: {for: 8h, uses: 5, when: "tool.name\n == 'x'"}
      break_glass: {groups: [oncall]}
packs: [git, {pack: sql, reviewers: [dba]}]
""")
    answer = run("check", str(tmp_path / "p.yaml"))
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.splitlines()[1:] == [
        "held by deletes:",
        "    needs 1 of security and 2 of owners, |ann@pc, with a comment, in the hours mon-fri 08:00-18:00 UTC, "
        "within 90m",
        "    an approval lets 5 such calls run for 8h where tool.name == 'x'",
        "    oncall may break the glass; reviewed within 1d",
        "held by git/delete-ref:",
        "    nobody can approve it: give `reviewers` where its pack is taken",
        "held by sql/unseen:",
        "    needs 1 of dba, within 15m",
    ]


def test_everything_wrong_in_all_files_is_told_and_the_exit_code_is_2(folder: Path) -> None:
    (folder / "bad.yaml").write_text("default: maybe\nrules: [{name: a, when: tool.nam == 'x', deny: no}]")
    answer = run("check", str(folder / "bad.yaml"), str(folder / "away.yaml"), str(folder / "policy.yaml"))
    assert answer.exit_code == 2
    assert f"{folder}/bad.yaml:1:10: must say `allow` or `deny`" in answer.stderr
    assert f"{folder}/bad.yaml:2:30: `tool` has no `nam`; did you mean `name`?" in answer.stderr
    assert f"{folder}/away.yaml: cannot be read" in answer.stderr


def test_a_masking_profile_that_there_is_not_is_told(folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        "default: deny\nrules: [{name: a, when: true, allow: true, mask: secretz}]"
    )
    answer = run("check", str(folder / "bad.yaml"))
    assert "there is no masking profile `secretz`; did you mean `secrets`?" in answer.stderr


def test_the_policies_among_the_examples_are_good_and_do_as_expected() -> None:
    examples = Path(__file__).parents[2] / "examples" / "policy"
    policies = [file for file in sorted(examples.glob("*.yaml")) if file.name != "expected.yaml"]
    checked = run("check", *map(str, policies))
    assert (checked.exit_code, checked.stdout.count(": good, ")) == (0, len(policies)), checked.output
    assert "nobody can approve it" not in checked.stdout
    assert run("test", str(examples)).exit_code == 0


def test_expectations_that_hold_are_counted(folder: Path) -> None:
    answer = run("test", str(folder))
    assert (answer.exit_code, answer.stdout) == (0, "4 as expected, 0 not\n")


def test_an_expectation_that_does_not_hold_is_shown_as_a_difference(folder: Path) -> None:
    (folder / "expected.yaml").write_text(EXPECTED.replace("rule: sre", "rule: other"))
    answer = run("test", str(folder))
    assert answer.exit_code == 1
    assert answer.stdout.splitlines() == [
        f"{folder}/expected.yaml:6: the sre team reads pods",
        "  - rule: other",
        "  + rule: sre",
        "3 as expected, 1 not",
    ]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("policy: policy.yaml", "polcy: policy.yaml", "1:1: there is no `polcy` here; did you mean `policy`?"),
        ("groups: [sre]", "grups: [sre]", "expected.yaml:4:29: there is no `grups` here; did you mean `groups`?"),
        ("verdict: allow", "verdict: yes", "expected.yaml:8:14: `verdict` must be allow, deny or hold"),
        ("policy: policy.yaml", "policy: gone.yaml", "gone.yaml: cannot be read"),
        ("now: 2026-07-28T12:00:00Z", "now: noon", "`now` must be an ISO time"),
        ("call: {tool: get_pod, arguments: {name: web-0}}", "call: get_pod", "`call` must say what is called"),
    ],
)  # fmt: skip
def test_expectations_that_cannot_be_read_are_told(folder: Path, was: str, becomes: str, told: str) -> None:
    (folder / "expected.yaml").write_text(EXPECTED.replace(was, becomes))
    answer = run("test", str(folder))
    assert answer.exit_code == 2
    assert told in answer.stderr


KUBERNETES = """policy: policy.yaml
given: {connection: {name: prod}}
expect:
  - name: everything at once
    call: {kubernetes: "DELETE /api/v1/namespaces/dev/pods?labelSelector=a"}
    verdict: deny
    rule: kubernetes-api/delete-collection
  - name: a shell in production
    call: {kubernetes: "POST /api/v1/namespaces/prod/pods/web-0/exec?command=sh", principal: {groups: [dev]}}
    verdict: hold
  - name: a privileged pod
    call:
      kubernetes: PATCH /apis/apps/v1/namespaces/dev/deployments/web
      content_type: application/json-patch+json
      body: '[{"op":"add","path":"/spec/template/spec/hostPID","value":true}]'
    verdict: hold
    rule: kubernetes-api/host-access
  - name: the auditor reads as others
    call: {kubernetes: GET /api/v1/pods, impersonate: ann}
    verdict: allow
    rule: as-others
  - name: what has two readings is refused
    call: {kubernetes: "GET /api/v1/namespaces/dev//pods"}
    verdict: deny
    reason_code: unreadable_request
"""


def test_requests_to_an_api_server_are_written_as_a_line(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("""default: deny
rules:
  - {name: as-others, when: "kubernetes.impersonates && kubernetes.verb == 'list'", allow: true, impersonation: true}
packs: [{pack: kubernetes-api, reviewers: [leads]}]
""")
    (tmp_path / "expected.yaml").write_text(KUBERNETES)
    answer = run("test", str(tmp_path))
    assert (answer.exit_code, answer.stdout) == (0, "5 as expected, 0 not\n"), answer.output
    (tmp_path / "expected.yaml").write_text(KUBERNETES.replace("GET /api/v1/pods", "pods"))
    answer = run("test", str(tmp_path))
    assert answer.exit_code == 2
    assert "expected.yaml:19:24: a request is written `METHOD /path?query`" in answer.stderr


def test_a_folder_without_expectations_is_told(folder: Path) -> None:
    (folder / "expected.yaml").unlink()
    answer = run("test", str(folder))
    assert (answer.exit_code, "has no expectations" in answer.stderr) == (2, True)


# -- on the trail


def tool_call(tool: str, **arguments: Any) -> bytes:
    params = {"name": tool, "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


@pytest.fixture(scope="module")
def exchanges(trail: Asked) -> dict[str, str]:
    """Exchange ids by what was asked, over a connection of their own, once they are stored."""
    made, session = Trail(lane=f"policy/{uuid4().hex[:8]}/0/0"), str(uuid4())
    shared: dict[str, Any] = {"session_id": session, "connection": "cluster", "attributes": {}}
    listing = {"tools": [{"name": "scale", "annotations": {"destructiveHint": True}, "inputSchema": {}}]}
    ids = {name: str(uuid4()) for name in ("get_pod", "pods_delete", "scale", "unauthenticated")}
    for name, exchange in ids.items():
        asked = {**shared, "exchange_id": exchange, "tool": name}
        if name == "unauthenticated":
            made.frame(tool_call(name), **{**asked, "verdict": "none"})
        else:
            made.frame(tool_call(name, name="web-0"), **asked)
    ids["delete"] = str(uuid4())
    made.frame(b"", **{**shared, "connection": "k8s", "exchange_id": ids["delete"], "tool": "", **DELETE})
    made.frame(
        json.dumps({"jsonrpc": "2.0", "id": 2, "result": listing}).encode(),
        **{**shared, "direction": "response", "method": "tools/list", "tool": "", "outcome": "completed"},
    )
    trail.send(made)
    trail.stored(session, len(made.values))
    return ids


DELETE: dict[str, Any] = {
    "protocol": "kubernetes",
    "method": "",
    "http_method": "DELETE",
    "http_path": "/k8s/k8s/api/v1/namespaces/prod/pods?labelSelector=app",
    "attributes": {
        "k8s.cluster.name": "eu",
        "k8s.verb": "deletecollection",
        "k8s.objectRef.resource": "pods",
        "k8s.objectRef.namespace": "prod",
    },
}


def test_replay_tells_what_would_change_by_rule_with_examples(
    trail: Asked, exchanges: dict[str, str], folder: Path
) -> None:
    words = (
        "policy",
        "replay",
        str(folder / "policy.yaml"),
        "--since",
        "2020-01-01",
        "--connection",
        "cluster",
    )
    answer = trail.run(*words, "--json")
    assert answer.exit_code == 0, answer.output
    changes = [json.loads(line) for line in answer.stdout.splitlines()]
    found = {row["would_be_rule"]: (row["was"], row["would_be"], row["requests"]) for row in changes}
    assert found == {
        "kubernetes/destructive-tool": ("allow", "deny", 1),
        "kubernetes/destructive-hint": ("allow", "deny", 1),  # known from the recorded listing
    }
    by_name = {row["examples"][0]["asked"]: row["examples"][0]["exchange_id"] for row in changes}
    assert by_name["tools/call pods_delete"] == exchanges["pods_delete"]
    told = trail.run(*words).stdout
    assert "3 requests judged, 2 would change" in told
    assert "masked copies" in told


def test_replay_judges_requests_to_an_api_server(
    trail: Asked, exchanges: dict[str, str], folder: Path
) -> None:
    (folder / "policy.yaml").write_text("default: allow\npacks: [kubernetes-api]\n")
    words = (
        "policy",
        "replay",
        str(folder / "policy.yaml"),
        "--since",
        "2020-01-01",
        "--connection",
        "k8s",
        "--json",
    )
    (change,) = [json.loads(line) for line in trail.run(*words).stdout.splitlines()]
    assert (change["would_be"], change["would_be_rule"]) == ("deny", "kubernetes-api/delete-collection")
    assert change["examples"][0]["asked"] == "deletecollection pods prod"
    explained = trail.run("policy", "explain", exchanges["delete"], "--policy", str(folder / "policy.yaml"))
    assert "kubernetes-api/delete-collection: matches" in explained.stdout, explained.output


def test_replay_takes_an_age_and_refuses_what_is_none(trail: Asked, folder: Path) -> None:
    policy = str(folder / "policy.yaml")
    assert "0 requests judged" in trail.run("policy", "replay", policy, "--since", "1s").stdout
    refused = trail.run("policy", "replay", policy, "--since", "yesterday")
    assert (refused.exit_code, "write an age" in refused.stderr) == (2, True)


def test_explain_tells_the_rule_that_decides_and_why_those_before_do_not_match(
    trail: Asked, exchanges: dict[str, str], folder: Path
) -> None:
    answer = trail.run("policy", "explain", exchanges["pods_delete"], "--policy", str(folder / "policy.yaml"))
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    assert "sre: does not match" in lines
    assert "    true    'sre' in principal.groups" in lines
    assert "    false   tool.name == 'get_pod'" in lines
    assert "kubernetes/destructive-tool: matches" in lines
    assert lines[-1].startswith("verdict: deny by kubernetes/destructive-tool: ")
    assert any("then it was another one (p1)" in line for line in lines)


def test_explain_tells_what_a_held_call_needs(
    trail: Asked, exchanges: dict[str, str], tmp_path: Path
) -> None:
    rule = "{name: all, when: true, hold: {reason: looked at, reviewers: [leads], expires: 1h}}"
    (tmp_path / "holding.yaml").write_text(f"default: deny\nrules: [{rule}]")
    answer = trail.run("policy", "explain", exchanges["scale"], "--policy", str(tmp_path / "holding.yaml"))
    assert answer.stdout.splitlines()[-2:] == [
        "verdict: hold by all: looked at",
        "    needs 1 of leads, within 1h",
    ]


def test_explain_of_what_the_trail_has_not_says_so(trail: Asked, folder: Path) -> None:
    answer = trail.run("policy", "explain", str(uuid4()), "--policy", str(folder / "policy.yaml"))
    assert (answer.exit_code, "the trail has no request" in answer.stderr) == (1, True)


def test_explain_without_a_policy_of_the_connection_asks_for_one(
    trail: Asked, exchanges: dict[str, str]
) -> None:
    answer = trail.run("policy", "explain", exchanges["get_pod"])
    assert (answer.exit_code, "give one with --policy" in answer.stderr) == (2, True)
