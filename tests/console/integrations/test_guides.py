"""The guides cannot rot: what they show loads, what they name is there, and their commands work."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from console.integrations.metrics import Metrics
from console.integrations.settings import IntegrationSettings, Webhook
from console.integrations.templates import NAMES
from console.integrations.webhooks.told import told
from gateway.settings import SecretSource
from sluicegate.settings import load
from sluicegate.settings.console import integration_settings
from tests.console.integrations.conftest import PUBLIC_URL, QUICK, Stage
from tests.console.integrations.hook_server import SECRET
from tests.processors.approvals.making import ISSUER

GUIDES = Path(__file__).parents[3] / "docs" / "how-to"
NAMED = ("slack", "teams", "webhooks", "tickets")


def text(name: str) -> str:
    return (GUIDES / f"approvals-{name}.md").read_text("utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(name), re.DOTALL)


AROUND = """
identity:
  mode: oidc
  public_url: https://gateway.example.com
  issuers: [{name: people, issuer: "https://id.example.com/", audiences: [sluicegate]}]
connections: [{name: prod, upstream: "http://127.0.0.1:9000/mcp"}]
"""
SHOWN = [(name, config) for name in NAMED for config in blocks(name, "yaml")]


@pytest.mark.parametrize(("name", "config"), SHOWN)
def test_the_configuration_of_a_guide_loads(tmp_path: Path, name: str, config: str) -> None:
    for secret in re.findall(r"\{file: (secrets/[\w-]+)\}", config):
        (tmp_path / secret).parent.mkdir(exist_ok=True)
        (tmp_path / secret).write_text(SECRET, encoding="utf-8")
        (tmp_path / secret).chmod(0o600)
    (tmp_path / "sluicegate.yaml").write_text(config + AROUND, encoding="utf-8")
    found = integration_settings(load(tmp_path / "sluicegate.yaml", {}, files=True))
    assert found.public_url == "https://approvals.example.com"
    assert found != IntegrationSettings(found.public_url, retries=found.retries)


def test_the_guide_names_every_name_of_a_template() -> None:
    section = text("tickets").partition("## Templates")[2].partition("\n## ")[0]
    assert set(re.findall(r"`\$([a-z]+)`", section)) == set(NAMES)


def test_the_json_that_a_webhook_carries_is_that_of_the_guide(stage: Stage) -> None:
    standing = stage.desk.standing(stage.desk.ask())
    assert standing
    shown = json.loads(blocks("webhooks", "json")[0])
    sent = json.loads(told(standing, PUBLIC_URL, 0))
    assert set(shown) == set(sent)
    assert set(shown["data"]) == set(sent["data"])
    assert set(shown["data"]["requester"]) == set(sent["data"]["requester"])


@pytest.mark.skipif(
    not all(map(shutil.which, ("sh", "curl", "openssl", "od", "base64"))), reason="needs curl and openssl"
)
async def test_the_commands_of_the_guide_decide(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    webhook = Webhook("bus", (SecretSource(file=tmp_path / "secret"),), decisions=True)
    async with stage.running(IntegrationSettings(webhooks=(webhook,), retries=QUICK)) as console:
        approval = stage.desk.ask()
        names = {"APPROVAL": approval, "SECRET": SECRET, "CONSOLE": console, "PATH": os.environ["PATH"]}
        (script,) = blocks("webhooks", "sh")
        process = await asyncio.create_subprocess_exec(
            "sh", "-ec", script, env=names, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)
    assert json.loads(out)["outcome"] == "counted", err
    assert stage.desk.decided == [("webhook.bus", "approve", f"{ISSUER}|ann", "fine")]


def test_the_reference_names_every_metric_of_the_integrations_and_no_other() -> None:
    reference = (GUIDES.parent / "reference" / "metrics.md").read_text("utf-8")
    section = reference.partition("\n## Integrations\n")[2].partition("\n## ")[0]
    registry = CollectorRegistry()
    Metrics(registry)
    known = {each.name + ("_total" if each.type == "counter" else "") for each in registry.collect()}
    assert set(re.findall(r"`(sluicegate_\w+)` \|", section)) == known
