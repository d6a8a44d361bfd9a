"""What is counted: by name, what one observation adds to a window.

Three kinds: *sums* add a number; *distinct* ones count how many different values of a dimension there were; *new*
ones count values that the key never met before (`novelty`).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from processors.anomaly.observation import EVERYWHERE, Observation
from processors.anomaly.rules import DIMENSIONS

UNUSUAL_HOURS = "unusual_hours"

SUMS: Mapping[str, Callable[[Observation], int]] = MappingProxyType(
    {
        "calls": lambda _: 1,
        "sensitive_reads": lambda seen: seen.sensitive and seen.outcome == "ok",
        "denied": lambda seen: seen.outcome == "denied",
        "failed": lambda seen: seen.outcome in ("failed", "error"),
        "rejected": lambda seen: seen.outcome in ("denied", "failed", "error"),
        "minted": lambda seen: seen.minted and seen.outcome == "ok",
        "prompts": lambda seen: seen.prompt,
        "cluster_wide": lambda seen: seen.namespace == EVERYWHERE,
        "request_bytes": lambda seen: seen.request_bytes,
        "response_bytes": lambda seen: seen.response_bytes,
        "redactions": lambda seen: seen.redactions,
        "approvals_asked": lambda seen: seen.approval_asked or seen.outcome == "held",
        "tool_changes": lambda seen: seen.tool_changed,
    }
)

_PLURALS = {name: f"{name}es" if name.endswith("s") else f"{name}s" for name in DIMENSIONS}

DISTINCT: Mapping[str, str] = MappingProxyType({f"distinct_{_PLURALS[name]}": name for name in DIMENSIONS})
"""By feature, the dimension whose values are counted."""

NEW: Mapping[str, str] = MappingProxyType({f"new_{_PLURALS[name]}": name for name in DIMENSIONS})
"""By feature, the dimension whose values are new."""

FEATURES = frozenset({*SUMS, *DISTINCT, *NEW, UNUSUAL_HOURS})
