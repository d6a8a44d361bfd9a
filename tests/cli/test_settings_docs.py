"""The guides cannot rot: what they show loads, and the headers that they list are those that are taken off."""

import re
import shutil
from pathlib import Path

import pytest

from gateway.frames import credentials
from gateway.settings import MaskingRules
from masking import profile_from
from sluicegate.settings import load
from tests.support.certificates import Authority

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
FILES = re.compile(r"[\w/-]+\.(?:pem|key)")


@pytest.mark.parametrize("guide", ["connections", "credentials"])
def test_the_configuration_of_a_guide_loads(tmp_path: Path, guide: str) -> None:
    text = (GUIDES / f"{guide}.md").read_text("utf-8")
    (config,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    authority = Authority(tmp_path)
    pair = authority.issue("gateway.example.com")
    for name in FILES.findall(config):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        content = pair.key if name.endswith(".key") else authority.ca if "ca" in name else pair.certificate
        shutil.copy(content, tmp_path / name)
    for folder, name, content in (
        ("policies", "kubernetes.yaml", "default: deny\n"),
        ("masking", "own.toml", "\n".join(re.findall(r"```toml\n(.*?)```", text, re.DOTALL))),
    ):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_text(content)
    (tmp_path / "sluicegate.yaml").write_text(config)
    settings = load(tmp_path / "sluicegate.yaml", {}, files=True).gateway_settings()
    for connection in settings.connections:
        own = connection.masking_rules or MaskingRules()
        profile_from(connection.masking, own.rules, own.allow, own.leave)


def test_the_guide_lists_the_headers_that_are_taken_off() -> None:
    text = (GUIDES / "credentials.md").read_text("utf-8").partition("## What is taken off")[2]
    names, beginnings, ends = (
        set(re.findall(r"`([a-z0-9-]+)`", item)) for item in re.split(r"^- ", text, flags=re.MULTILINE)[1:]
    )
    assert names == {name.decode() for name in credentials.NAMES}
    assert beginnings == {name.decode() for name in credentials.PREFIXES}
    assert {name.decode() for name in credentials.SUFFIXES} <= ends
