"""What the parts work with, and what they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sluicegate.embedded.say import Say
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.gateway import Gateway
from tests.kubernetes.install import Clients


@dataclass(frozen=True)
class Bench:
    """A running cluster, a running gateway before it, and `folder` for what a part leaves.

    `mcp_port`: where the connection of the MCP server points.
    """

    cluster: Cluster
    gateway: Gateway
    clients: Clients
    folder: Path
    say: Say
    mcp_port: int = 0
    watch_seconds: float = 600.0
    only: str = ""


@dataclass
class Findings:
    """What one part found: `failed`, a sentence each, and `figures` for the file of figures."""

    checked: int = 0
    failed: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def check(self, holds: bool, sentence: str) -> bool:
        """Counts; gives whether it holds."""
        self.checked += 1
        if not holds:
            self.failed.append(sentence)
        return holds


Part = Callable[[Bench], Findings]
