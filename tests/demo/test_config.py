"""What the demo writes where there is no configuration, what it needs of one, and what it tells to try."""

from pathlib import Path

import pytest

from gateway.policy import Call, Verdict, load_policy
from gateway.policy.facts import ConnectionFacts, McpFacts, PrincipalFacts, ToolFacts
from sluicegate.demo.config import (
    CONFIG,
    POLICY,
    POLICY_FILE,
    DemoError,
    gateway_url,
    provider_address,
    server_address,
    write_config,
)
from sluicegate.demo.guide import LESS, next_steps
from sluicegate.demo.parts import extra
from sluicegate.settings import load
from sluicegate.settings.load import STARTER
from tests.demo.configured import settings


def test_an_empty_folder_gets_a_configuration_and_a_policy_that_load(tmp_path: Path) -> None:
    config = tmp_path / "sluicegate.yaml"
    assert write_config(config) == [tmp_path / POLICY_FILE, config]
    written = load(config, files=True)
    assert written.identity.mode == "oidc"
    assert written.connections[0].policy == tmp_path / POLICY_FILE
    assert (server_address(written), provider_address(written)) == (
        ("127.0.0.1", 9000),
        ("127.0.0.1", 9001),
    )


def test_what_somebody_wrote_is_never_overwritten(tmp_path: Path) -> None:
    config, policy = tmp_path / "sluicegate.yaml", tmp_path / POLICY_FILE
    config.write_text("mine")
    assert write_config(config) == []
    assert (config.read_text(), policy.exists()) == ("mine", False)
    config.unlink()
    policy.write_text("mine too")
    assert write_config(config) == [config]
    assert policy.read_text() == "mine too"


@pytest.mark.parametrize(
    "upstream", ["http://example.org:9000/mcp", "https://127.0.0.1:9000/mcp", "http://127.0.0.1:9000/other"]
)
def test_an_upstream_that_the_demo_cannot_be_is_refused_with_what_to_write(
    tmp_path: Path, upstream: str
) -> None:
    text = CONFIG.replace("http://127.0.0.1:9000/mcp", upstream)
    with pytest.raises(DemoError, match="add to `connections`"):
        server_address(settings(tmp_path, text))


@pytest.mark.parametrize(
    "issuer", ["https://id.example.com/", "http://127.0.0.1:9001/realms/x", "http://localhost:9001"]
)
def test_a_configuration_of_other_people_is_refused_with_what_to_write(tmp_path: Path, issuer: str) -> None:
    text = CONFIG.replace("http://127.0.0.1:9001", issuer)
    with pytest.raises(DemoError, match=r"add to `identity\.issuers`"):
        extra(settings(tmp_path, text), tmp_path)


def test_the_starter_configuration_runs_the_demo_without_people_and_is_told_so(tmp_path: Path) -> None:
    starter = settings(tmp_path, STARTER)
    more = extra(starter, tmp_path)
    assert [part.name for part in more.parts] == ["demo-server"]
    told = next_steps(starter, Path("sluicegate.yaml"), "S")
    assert LESS in told
    assert "press alice or bob" not in told
    assert "http://127.0.0.1:8082/login" in told


def test_the_provider_gives_tokens_for_the_connection_as_the_gateway_calls_it(tmp_path: Path) -> None:
    text = CONFIG.replace("public_url: http://127.0.0.1:8080", "public_url: http://localhost:8080")
    changed = settings(tmp_path, text)
    assert gateway_url(changed) == "http://localhost:8080/mcp/demo"
    provider = extra(changed, tmp_path).parts[1]
    assert provider.argv[-4:-2] == ("--resource", "http://localhost:8080/mcp/demo")


def test_what_is_told_names_another_configuration_and_what_was_denied(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert "--config" not in next_steps(found, Path("sluicegate.yaml"), "S", "X")
    told = next_steps(found, Path("other.yaml"), "S", "X")
    assert "sluicegate sessions replay S --config other.yaml" in told
    assert "sluicegate policy explain X --config other.yaml" in told


def judged(folder: Path, group: str, tool: str, **arguments: str) -> Verdict:
    """What the demo's policy says."""
    file = folder / POLICY_FILE
    file.write_text(POLICY)
    call = Call(
        principal=PrincipalFacts("i", "somebody", (group,), "c", "", ""),
        connection=ConnectionFacts("demo", "mcp", "shop-operations", {"env": "prod"}),
        mcp=McpFacts("tools/call", "client", "2025-11-25", ""),
        tool=ToolFacts(tool, dict(arguments)),
    )
    return load_policy(file).judge(call)


@pytest.mark.parametrize(
    ("group", "tool", "arguments", "action", "rule"),
    [
        ("sre", "secret_read", {"name": "checkout-db"}, "allow", "sre-operates"),
        ("sre", "resources_delete", {"kind": "Pod"}, "allow", "sre-operates"),
        ("developers", "pods_list", {}, "allow", "default"),
        ("developers", "deployment_scale", {}, "deny", "developers-change-nothing"),
        ("developers", "rollout_restart", {}, "deny", "developers-change-nothing"),
        ("developers", "resources_delete", {"kind": "Pod"}, "deny", "developers-change-nothing"),
        ("developers", "secret_read", {}, "hold", "kubernetes/secret-tool"),
        ("developers", "resources_get", {"kind": "Secret"}, "hold", "kubernetes/secret-read"),
    ],
)
def test_the_policy_tells_who_is_on_call_from_who_looks(
    tmp_path: Path, group: str, tool: str, arguments: dict[str, str], action: str, rule: str
) -> None:
    verdict = judged(tmp_path, group, tool, **arguments)
    assert (verdict.action, verdict.rule) == (action, rule)
