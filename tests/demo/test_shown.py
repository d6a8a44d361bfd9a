"""README and tutorial cannot rot: what they show loads, exists, and is what the demo has."""

import re
from pathlib import Path

import pytest
import typer

from gateway.policy import load_policy
from gateway.settings import ConnectionKind
from sluicegate.cli.app import app
from sluicegate.demo.config import POLICY
from sluicegate.settings import load
from tests.demo.shown import README, ROOT, TUTORIAL, blocks, commands

INDEX = (ROOT / "docs" / "README.md").read_text("utf-8")
PAGES = {"README.md": README, "docs/README.md": INDEX, "docs/tutorial.md": TUTORIAL}


def test_the_policy_in_the_readme_is_the_demos(tmp_path: Path) -> None:
    shown, own = tmp_path / "shown.yaml", tmp_path / "own.yaml"
    shown.write_text(blocks(README, "yaml")[0])
    own.write_text(POLICY)
    assert load_policy(shown).version == load_policy(own).version


def test_the_configuration_in_the_readme_loads_with_its_policy(tmp_path: Path) -> None:
    policy, config, *_ = blocks(README, "yaml")
    (tmp_path / "policy.yaml").write_text(policy)
    (tmp_path / "sluicegate.yaml").write_text(config)
    found = load(tmp_path / "sluicegate.yaml", {"CLUSTER_TOKEN": "t"}, files=True).gateway_settings()
    assert found.identity.mode == "oidc"
    assert [connection.name for connection in found.connections] == ["cluster", "git"]


def test_the_cluster_in_the_readme_is_a_connection_and_its_policy_loads(tmp_path: Path) -> None:
    *_, connection, policy = blocks(README, "yaml")
    (tmp_path / "cluster.yaml").write_text(policy)
    own = tmp_path / "kubeconfig"
    own.write_text("")
    connection = connection.replace("/etc/sluicegate/prod.kubeconfig", str(own))
    (tmp_path / "sluicegate.yaml").write_text(f"identity: {{mode: none}}\nconnections:\n{connection}")
    (cluster,) = load(tmp_path / "sluicegate.yaml", {}).gateway_settings().connections
    assert (cluster.kind, cluster.cluster) == (ConnectionKind.KUBERNETES, "prod-eu")
    assert load_policy(tmp_path / "cluster.yaml").version


@pytest.mark.parametrize("page", PAGES)
def test_a_link_leads_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    links = [link for link in re.findall(r"\]\(([^)]+)\)", PAGES[page]) if "://" not in link]
    assert links
    assert [link for link in links if not link.startswith("#") and not (folder / link).exists()] == []


def test_every_guide_is_in_the_index() -> None:
    docs = ROOT / "docs"
    guides = [
        file for folder in ("how-to", "explanation", "reference") for file in (docs / folder).glob("*.md")
    ]
    assert [guide.name for guide in guides if f"({guide.relative_to(docs)})" not in INDEX] == []


@pytest.mark.parametrize("words", [*commands(README), *commands(TUTORIAL)], ids=" ".join)
def test_a_command_that_is_shown_is_there_with_its_options(words: list[str]) -> None:
    command = typer.main.get_command(app)
    given = list(words)
    while (subcommands := getattr(command, "commands", None)) and not given[0].startswith("-"):
        command = subcommands[given.pop(0)]
    known = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in given if word.startswith("--")} <= known
    places = sum(parameter.param_type_name == "argument" for parameter in command.params)
    assert not given or places or given[0].startswith("--")
