"""The API server's own audit log (audit.k8s.io/v1), read as the truth about what reached it."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from tests.kubernetes.cluster import Cluster
from tests.kubernetes.trail import FACTS

USER = "admin"


@dataclass(frozen=True)
class Event:
    """One request, as the API server saw it. `at`: seconds since the epoch."""

    id: str
    at: float
    uri: str
    facts: dict[str, str]
    user_agent: str
    code: int


def events(cluster: Cluster) -> list[Event]:
    """What the admin did, each request once, in the order of arrival."""
    found: dict[str, Event] = {}
    for line in cluster.audit_log.read_text().splitlines():
        event = json.loads(line)
        if event["user"].get("username") == USER:
            found[event["auditID"]] = _event(event)
    return sorted(found.values(), key=lambda event: event.at)


def _event(event: dict[str, Any]) -> Event:
    about = event.get("objectRef") or {}
    facts = {"verb": event["verb"]} | {name: about.get(name, "") for name in FACTS[1:]}
    at = dt.datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
    code = (event.get("responseStatus") or {}).get("code", 0)
    return Event(event["auditID"], at, event["requestURI"], facts, event.get("userAgent", ""), code)
