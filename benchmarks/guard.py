"""Everything that stands before a connection on a network: tokens, a policy of many rules, quotas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from benchmarks.people import People

RULES = 50
QUOTA = {"rate": {"per_second": 1_000_000, "burst": 100_000}, "concurrent": 10_000}


class Guard:
    """Keeps keys and policy in `folder`."""

    def __init__(self, folder: Path, rules: int = RULES) -> None:
        self.people = People(folder)
        self.policy_file = folder / "policy.yaml"
        self.policy_file.write_text(yaml.safe_dump({"default": "allow", "rules": many_rules(rules)}))

    def added(self, settings: dict[str, Any], public_url: str) -> dict[str, Any]:
        """A configuration with identity, and this policy and quotas on each connection."""
        guarded = {"policy": str(self.policy_file), "quota": QUOTA, "access": {"groups": ["bench"]}}
        connections = [{**connection, **guarded} for connection in settings["connections"]]
        return {**settings, "identity": self.people.identity(public_url), "connections": connections}

    def token(self, url: str) -> str:
        """A token for the connection at `url`."""
        return self.people.token(url, "ann", "bench", "staff")


def many_rules(count: int) -> list[dict[str, str]]:
    """Rules of the kinds that people write, none of which holds for an ordinary call."""
    return [_rule(number) for number in range(count)]


def _rule(number: int) -> dict[str, str]:
    kinds = (
        f"tool.name == 'delete_{number}' && !('admins' in principal.groups)",
        f"tool.name.startsWith('drop_{number}_')",
        f"mcp.method == 'tools/call' && 'namespace' in tool.arguments && tool.arguments.namespace == 'prod-{number}'",
        f"'contractors-{number}' in principal.groups && tool.name != 'read'",
        f"principal.client_id == 'script-{number}' && connection.name != 'demo'",
    )
    return {"name": f"rule-{number}", "when": kinds[number % len(kinds)], "deny": "not here"}
