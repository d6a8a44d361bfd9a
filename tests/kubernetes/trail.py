"""What the trail holds of the cluster's connection: its exchanges, asked as any analyst would."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.lag import wait_drained
from benchmarks.processes import ChildError
from tests.kubernetes.gateway import CONNECTION, Gateway

DRAIN_S = 120.0
FACTS = ("verb", "apiGroup", "apiVersion", "resource", "subresource", "namespace", "name")
_EXCHANGES = f"""
SELECT toString(exchange_id) AS id, toFloat64(min(recorded_at)) AS at, any(attributes) AS attributes,
       any(http_method) AS method, any(http_path) AS path, max(http_status) AS status,
       argMax(outcome, outcome != 'pending') AS outcome, any(verdict) AS verdict, count() AS frames,
       sum(length(redactions)) AS masked, max(extract(http_headers, 'audit-id: ([0-9a-f-]+)')) AS audit_id
FROM v_frames WHERE connection = '{CONNECTION}' GROUP BY exchange_id ORDER BY at
"""


@dataclass(frozen=True)
class Exchange:
    """One request and its answers, as recorded. `at`: seconds since the epoch."""

    id: str
    at: float
    attributes: Mapping[str, str]
    method: str
    path: str
    status: int
    outcome: str
    verdict: str
    frames: int
    masked: int
    audit_id: str

    @property
    def target(self) -> str:
        """Path and query at the API server."""
        return re.sub(rf"^/k8s/{CONNECTION}(?=/|$)", "", self.path)

    @property
    def facts(self) -> dict[str, str]:
        """What it was about, in the words of the API server's audit log; '' where there is none."""
        return {"verb": self._fact("verb")} | {name: self._fact(f"objectRef.{name}") for name in FACTS[1:]}

    def _fact(self, name: str) -> str:
        return self.attributes.get(f"k8s.{name}", "")

    def is_about(self, record: str) -> bool:
        """Whether it is of this verb and resource[/subresource], or of this verb and path."""
        verb, _, what = record.partition(" ")
        facts = self.facts
        if what.startswith("/"):
            return facts["verb"] == verb and self.target.split("?")[0] == what
        resource = "/".join(filter(None, (facts["resource"], facts["subresource"])))
        return (facts["verb"], resource) == (verb, what)


def exchanges(gateway: Gateway) -> list[Exchange]:
    """All that was recorded until now, in order. Raises ChildError when the store does not catch up."""
    caught_up(gateway)
    return [Exchange(**row) for row in gateway.query(_EXCHANGES)]


def caught_up(gateway: Gateway) -> None:
    """Returns when the store has all. Raises ChildError."""
    if asyncio.run(_drained(gateway)) is None:
        raise ChildError(f"the store had not caught up after {DRAIN_S:.0f} s")


async def _drained(gateway: Gateway) -> Any:
    return await asyncio.to_thread(wait_drained, gateway.bootstrap, DRAIN_S)


def bodies_with(gateway: Gateway, texts: list[str]) -> int:
    """How many stored frames have one of these texts in body, path or headers."""
    found = " + ".join(f"(position(concat(body, http_path, http_headers), '{text}') > 0)" for text in texts)
    return int(gateway.query(f"SELECT countIf({found} > 0) AS found FROM v_frames")[0]["found"])
