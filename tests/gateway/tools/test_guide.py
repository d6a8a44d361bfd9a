"""The guide to tool pinning cannot rot: its rule loads, and does what the guide says."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.policy import Call, read_policy
from gateway.policy.facts import McpFacts, ToolFacts

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "tool-pinning.md"


def test_the_rule_of_the_guide_denies_what_was_never_listed() -> None:
    (rules,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    policy = read_policy("default: allow\n" + rules, GUIDE)
    verdicts = [
        policy.judge(Call(mcp=McpFacts("tools/call"), tool=ToolFacts("t", state=state))).action
        for state in ("unknown", "pinned", "changed")
    ]
    assert verdicts == ["deny", "allow", "allow"]
