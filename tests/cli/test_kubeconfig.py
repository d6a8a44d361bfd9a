"""`sluicegate kubeconfig`: what it says of a connection, and that a file loses nothing by it."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from sluicegate.cli.app import app
from sluicegate.cli.kubeconfig_entries import Reach, entries
from sluicegate.cli.kubeconfig_file import KubeconfigError, merged, usual_file, written
from tests.support.certificates import Authority

OURS = entries(Reach("prod", "https://gate.example.com"), "sluicegate-prod")
OTHERS = """\
# clusters of mine
apiVersion: v1
kind: Config
clusters:
- name: old
  cluster: {server: "https://old:6443", insecure-skip-tls-verify: yes}
users:
- name: old
  user:
    token: 0123456
    expiry: 2026-01-01
contexts:
- name: old
  context: &same
    cluster: old
    user: old
- name: old-web
  context:
    <<: *same
    namespace: web
current-context: old
extensions: [{name: ours, extension: {a: 1e3}}]
"""


def run(*words: str, **variables: str) -> Result:
    return CliRunner().invoke(app, ["kubeconfig", *words], env=variables)


def configuration(folder: Path, identity: str, gateway: str = "") -> str:
    file = folder / "sluicegate.yaml"
    file.write_text(
        f"{identity}\n{gateway}\nconnections:\n"
        "  - {name: prod, kind: kubernetes, upstream: 'https://127.0.0.1:6443'}\n"
        "  - {name: tools, upstream: 'http://127.0.0.1:9/mcp'}\n",
        encoding="utf-8",
    )
    return str(file)


def loaded(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    content = yaml.safe_load(result.stdout)
    assert isinstance(content, dict)
    return content


def test_a_connection_is_a_cluster_a_user_who_logs_in_by_itself_and_a_context() -> None:
    content = loaded(
        run("prod", "--url", "https://gate.example.com/", "--namespace", "web", "--purpose", "look")
    )
    assert content["clusters"] == [
        {"name": "sluicegate-prod", "cluster": {"server": "https://gate.example.com/k8s/prod"}}
    ]
    plugin = content["users"][0]["user"]["exec"]
    assert plugin["args"] == [
        *("exec-credential", "prod", "--gateway", "https://gate.example.com", "--purpose", "look")
    ]
    assert (plugin["command"], plugin["apiVersion"]) == ("sluicegate", "client.authentication.k8s.io/v1")
    assert (plugin["interactiveMode"], plugin["provideClusterInfo"]) == ("IfAvailable", True)
    assert "install" in plugin["installHint"]
    context = {"cluster": "sluicegate-prod", "user": "sluicegate-prod", "namespace": "web"}
    assert content["contexts"] == [{"name": "sluicegate-prod", "context": context}]
    assert content["current-context"] == "sluicegate-prod"


def test_the_configuration_says_where_the_gateway_is_and_who_gives_tokens(tmp_path: Path) -> None:
    config = configuration(
        tmp_path,
        "identity: {mode: oidc, public_url: 'https://gate.example.com', "
        "issuers: [{name: people, issuer: 'https://id.example.com'}]}",
    )
    content = loaded(run("prod", "--config", config))
    assert content["clusters"][0]["cluster"] == {"server": "https://gate.example.com/k8s/prod"}
    assert content["users"][0]["user"]["exec"]["args"][-2:] == ["--issuer", "https://id.example.com"]
    tools = run("tools", "--config", config)
    assert (tools.exit_code, "it has: prod" in tools.output) == (2, True)
    assert "it has: people" in run("prod", "--config", config, "--issuer", "nobody").output


def test_where_nobody_is_asked_who_they_are_no_user_is_needed(tmp_path: Path) -> None:
    config = configuration(tmp_path, "identity: {mode: none}", "gateway: {listen: '127.0.0.1:8099'}")
    content = loaded(run("prod", "--config", config))
    assert content["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:8099/k8s/prod"}
    assert content["users"] == [{"name": "sluicegate-prod", "user": {}}]
    asked = loaded(run("prod", "--url", "https://gate.example.com", "--anonymous"))
    assert asked["users"][0]["user"] == {
        "username": "anonymous"
    }  # kubectl would ask for a name and a password


def test_a_connection_with_a_host_name_of_its_own_is_reached_there(tmp_path: Path) -> None:
    config = configuration(tmp_path, "identity: {mode: none}", "gateway: {listen: '127.0.0.1:8099'}")
    text = Path(config).read_text().replace("{name: prod,", "{name: prod, host: prod.example.com,")
    Path(config).write_text(text)
    content = loaded(run("prod", "--config", config))
    assert content["clusters"][0]["cluster"] == {"server": "http://prod.example.com:8099"}


def test_certificates_that_vouch_for_the_gateway_are_in_it_and_nothing_else_of_their_file(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("127.0.0.1")
    both = tmp_path / "both.pem"
    both.write_bytes(pair.key.read_bytes() + authority.ca.read_bytes())
    content = loaded(run("prod", "--url", "https://gate.example.com", "--ca-file", str(both)))
    data = base64.b64decode(content["clusters"][0]["cluster"]["certificate-authority-data"])
    assert data == authority.ca.read_bytes()
    assert "holds no certificates" in run("prod", "--url", "https://a.b", "--ca-file", str(pair.key)).output
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pair.certificate.read_bytes() + authority.ca.read_bytes())
    config = configuration(
        tmp_path,
        "identity: {mode: none}",
        f"gateway: {{tls: {{certificate_file: '{chain}', key_file: '{pair.key}'}}}}",
    )
    own = loaded(run("prod", "--config", config))["clusters"][0]["cluster"]
    assert own["server"] == "https://127.0.0.1:8080/k8s/prod"
    assert base64.b64decode(own["certificate-authority-data"]) == authority.ca.read_bytes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--url", "http://gate.example.com"), "no token over plain HTTP"),
        (("--url", "gate.example.com"), "must look like"),
        (("--url", "https://u:p@gate.example.com"), "must look like"),
        (("--url", "https://gate.example.com", "--issuer", "people"), "by its URL"),
        (("--url", "https://gate.example.com", "--merge", "--write", "x"), "one of them"),
    ],
)
def test_what_cannot_work_is_told(words: tuple[str, ...], said: str) -> None:
    result = run("prod", *words)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_a_file_keeps_all_that_it_had_to_the_letter(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(OTHERS)
    file.chmod(0o644)
    kept = written(file, OURS, use=False)
    after = file.read_text()
    for line in ("    token: 0123456", "    expiry: 2026-01-01", "insecure-skip-tls-verify: yes", "a: 1e3"):
        assert line in after
    before, now = yaml.safe_load(OTHERS), yaml.safe_load(after)
    for section in ("clusters", "users", "contexts"):
        assert now[section][:-1] == before[section]
        assert now[section][-1]["name"] == "sluicegate-prod"
    assert now["current-context"] == "old"
    assert now["extensions"] == before["extensions"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept is not None  # comments do not outlive a change, so the file as it was is kept
    assert kept.read_text() == OTHERS
    assert sorted(each.name for each in tmp_path.iterdir()) == ["config", "config.before-sluicegate"]


def test_writing_again_changes_our_entries_alone_and_keeps_what_was_added_to_them() -> None:
    once = merged("", entries(Reach("prod", "https://gate.example.com", "PEM"), "p", "web"), use=True)
    assert yaml.safe_load(once)["contexts"][0]["context"]["namespace"] == "web"
    touched = once.replace("    namespace: web", "    namespace: web\n    extensions: []")
    twice = yaml.safe_load(merged(touched, entries(Reach("prod", "https://new.example.com"), "p"), use=False))
    assert [len(twice[section]) for section in ("clusters", "users", "contexts")] == [1, 1, 1]
    assert twice["clusters"][0]["cluster"] == {"server": "https://new.example.com/k8s/prod"}
    assert twice["contexts"][0]["context"]["namespace"] == "web"
    assert twice["contexts"][0]["context"]["extensions"] == []


def test_an_entry_of_that_name_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(OTHERS)
    for context in ("old", "old-web"):
        result = run("prod", "--url", "https://gate.example.com", "--write", str(file), "--context", context)
        assert (result.exit_code, "choose another name with --context" in result.output) == (1, True)
    assert file.read_text() == OTHERS
    assert [each.name for each in tmp_path.iterdir()] == ["config"]


@pytest.mark.parametrize("text", ["a: [", "- a", "kind: Pod", "a: 1\n---\nb: 2", "kind: Config\nclusters: 5"])
def test_what_is_no_kubeconfig_is_not_changed(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(KubeconfigError, match="nothing was changed"):
        written(file, OURS, use=True)
    assert file.read_text() == text


def test_the_lock_of_kubectl_is_respected_and_a_link_is_followed(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    link.symlink_to(real)
    assert written(link, OURS, use=True) is None
    assert link.is_symlink()
    assert yaml.safe_load(real.read_text())["current-context"] == "sluicegate-prod"
    (tmp_path / "real.lock").touch()
    with pytest.raises(KubeconfigError, match=r"real\.lock is there"):
        written(link, OURS, use=True)


def test_merging_goes_into_the_file_that_kubectl_changes(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "one", tmp_path / "two"
    result = run("prod", "--url", "https://gate.example.com", "--merge", KUBECONFIG=f"{first}:{second}")
    assert (result.exit_code, result.stdout) == (0, "")
    assert yaml.safe_load(first.read_text())["current-context"] == "sluicegate-prod"
    assert not second.exists()
    assert usual_file("") == Path.home() / ".kube" / "config"


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"]))
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz-", min_size=1), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(
    extra=st.dictionaries(st.text("abcxyz", min_size=1).map(lambda name: f"x-{name}"), _values, max_size=3),
    clusters=st.lists(_values, max_size=3),
    flow=st.sampled_from([True, False, None]),
)
def test_nothing_that_stands_in_a_file_is_lost(
    extra: dict[str, Any], clusters: list[Any], flow: bool | None
) -> None:
    before = {"apiVersion": "v1", "kind": "Config", "clusters": clusters, **extra}
    text = yaml.safe_dump(before, default_flow_style=flow)
    after = yaml.safe_load(merged(text, OURS, use=False))
    assert after["clusters"][: len(clusters)] == clusters
    assert {name: after[name] for name in extra} == extra
    assert after["clusters"][-1]["name"] == "sluicegate-prod"
