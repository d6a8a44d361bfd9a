"""Which rules of the shipped pack are meant for which pattern: only they can find its episodes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FITTING: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "repeated-secret-reads": (
            "repeated-secret-reads",
            "repeated-secret-reads-in-a-day",
            "secret-read-again",
            "secret-reads-spread-over-principals",
            "secret-wanted-by-many",
        ),
        "cluster-wide-scan": (
            "namespace-scan",
            "namespace-scan-slow",
            "cluster-wide-listing",
        ),
        "token-surge": ("token-surge", "token-surge-slow", "token-surge-spread"),
        "credential-extraction": (
            "credential-extraction",
            "credential-extraction-in-a-day",
            "credential-extraction-slow",
            "credential-extraction-spread",
        ),
        "denied-then-around": (
            "denied-then-by-another-tool",
            "denied-then-by-a-tool-not-for-secrets",
            "denied-then-by-another-name",
            "refused-secrets",
        ),
        "stolen-credential": (
            "secrets-from-a-new-place",
            "strange-place-and-client",
            "secrets-at-an-unusual-hour",
        ),
        "exfiltration-by-volume": ("bytes-out", "bytes-out-in-a-day", "redactions-surge"),
        "approval-burst": ("approvals-in-bursts", "approvals-all-day"),
        "pseudonym-travel": ("secrets-where-they-never-were", "secret-in-many-sessions"),
        "changed-tool": ("changed-tool-in-use",),
    }
)
