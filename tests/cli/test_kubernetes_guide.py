"""The guide to plain clusters cannot rot: its files load, and the settings and headings that it speaks of are there.
`tests/kubernetes/parts/guide.py` runs its commands on a real cluster."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from gateway.policy import load_policy
from gateway.settings import Impersonation
from masking import PROFILES
from sluicegate.settings import load
from sluicegate.settings.kubernetes import ImpersonationBlock
from tests.support.certificates import Authority

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
TEXT = (GUIDES / "kubernetes.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def block(name: str) -> str:
    (found,) = [body for body in BLOCKS if body.startswith(f"# {name}\n")]
    return str(found)


def test_the_configuration_of_the_guide_loads_with_its_policy(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("gateway.example.com")
    for folder in ("tls", "secrets"):
        (tmp_path / folder).mkdir()
    shutil.copy(pair.certificate, tmp_path / "tls" / "gateway.pem")
    shutil.copy(pair.key, tmp_path / "tls" / "gateway.key")
    shutil.copy(authority.ca, tmp_path / "tls" / "prod-ca.pem")
    for name in ("sluicegate.yaml", "prod-policy.yaml"):
        (tmp_path / name).write_text(block(name))
    (connection,) = load(tmp_path / "sluicegate.yaml", {}, files=True).gateway_settings().connections
    assert connection.impersonate == Impersonation()
    assert connection.policy_file
    assert load_policy(connection.policy_file, tuple(PROFILES))


def test_the_account_of_the_guide_may_name_only_groups_that_the_connection_lets_in() -> None:
    role = next(
        document
        for document in yaml.safe_load_all(block("gateway-account.yaml"))
        if document["kind"] == "ClusterRole"
    )
    (groups,) = [rule["resourceNames"] for rule in role["rules"] if rule["resources"] == ["groups"]]
    (connection,) = yaml.safe_load(block("sluicegate.yaml"))["connections"]
    assert groups == connection["access"]["groups"]


def test_the_block_of_impersonation_is_one() -> None:
    (written,) = [yaml.safe_load(body) for body in BLOCKS if body.startswith("impersonate:")]
    allowed = written["impersonate"].pop("system_allowed")
    assert ImpersonationBlock(**written["impersonate"], system_allowed=tuple(allowed))


@pytest.mark.parametrize("target", re.findall(r"\]\(([\w./-]+\.md)(?:#[\w-]+)?\)", TEXT))
def test_what_the_guide_points_to_is_there(target: str) -> None:
    assert (GUIDES / target).is_file()
