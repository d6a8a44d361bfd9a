"""What can be measured is written down, and no label value is of a client's choosing (ABUSE 87)."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
from prometheus_client import REGISTRY

import gateway.app
import gateway.edge.stdio.metrics  # noqa: F401
from schemas.kafka import KafkaAddress
from tests.gateway.conftest import Upstream, demo, served

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "metrics.md"


def test_the_reference_names_every_metric_of_the_gateway_and_no_other() -> None:
    own = REFERENCE.read_text(encoding="utf-8").partition("\n## ")[0]  # other parts have sections of theirs
    named = set(re.findall(r"`(sluicegate_\w+)` \|", own))
    known = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in REGISTRY.collect()
        if family.name.startswith("sluicegate_")
        and not family.name.startswith(("sluicegate_sink", "sluicegate_pro"))
    }
    assert named == {name for name in known if not name.startswith("sluicegate_completeness")}


async def test_names_that_clients_choose_become_no_labels(kafka: KafkaAddress, upstream: Upstream) -> None:
    async with served(kafka, demo(upstream)) as gate, aiohttp.ClientSession() as client:
        for number in range(5):
            call = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": f"odd/{number}",
                "params": {"name": f"tool-{number}"},
            }
            async with client.post(gate.url(f"nowhere-{number}"), json=call) as response:
                assert response.status == 404
            async with client.post(gate.url(), json=call) as response:
                assert response.status == 200
        async with client.get(f"http://127.0.0.1:{gate.port}/metrics") as response:
            text = await response.text()
    assert 'sluicegate_refused_total{reason="unknown_connection"}' in text
    assert not re.search(r"nowhere-\d|odd/\d|tool-\d", text)
