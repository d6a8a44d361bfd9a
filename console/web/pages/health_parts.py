"""What the parts of the pipeline say of themselves: `/readyz` and `/metrics`, where this console reaches them.

A part that does not answer here may run well elsewhere: it is not known how it is, and that is what is said.
"""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from console.web.settings import PartProbe

ANSWER = aiohttp.ClientTimeout(total=3.0, connect=1.0)
TEXT_MAX, METRICS_MAX = 300, 2 * 1024 * 1024

State = Literal["ready", "not ready", "not known"]

FIGURES: Mapping[str, tuple[str, bool]] = {
    "sluicegate_exchanges_in_flight": ("exchanges under way", False),
    "sluicegate_frames_unacknowledged": ("frames that Kafka has not acknowledged", False),
    "sluicegate_control_unheard_seconds": ("seconds without news of what operators decided", True),
    "sluicegate_sink_lag_records": ("records not stored yet", False),
    "sluicegate_completeness_missing_frames": ("frames that audit lacks", False),
    "sluicegate_processor_approvals_pending": ("approvals that wait", False),
    "sluicegate_processor_approvals_oldest_pending_seconds": ("seconds that the oldest has waited", True),
    "sluicegate_anomaly_rows": ("rows of keys", False),
    "sluicegate_alerts_waiting_findings": ("findings to be told", False),
    "sluicegate_alerts_failing": ("addresses that cannot be told", False),
    "sluicegate_checkpoints_waiting_leaves": ("records not signed yet", False),
    "sluicegate_checkpoints_refused": ("partitions that are not signed: history disagrees", False),
    "sluicegate_console_approvals": ("approvals in memory", False),
    "sluicegate_console_approvals_forgotten": ("open approvals without room", False),
    "sluicegate_console_feeds": ("open feeds", False),
}
"""Metric → what it tells a person, and whether the largest counts instead of the sum."""


@dataclass(frozen=True, slots=True)
class PartHealth:
    """How one part is. `text`: what it said, or why nothing is known."""

    name: str
    state: State
    text: str
    figures: tuple[tuple[str, float], ...] = ()


async def ask_parts(probes: Iterable[PartProbe]) -> list[PartHealth]:
    """All at once, in the given order, within some seconds."""
    async with aiohttp.ClientSession(timeout=ANSWER, trust_env=False) as http:
        return list(await asyncio.gather(*(_ask(http, probe) for probe in probes)))


async def _ask(http: aiohttp.ClientSession, probe: PartProbe) -> PartHealth:
    try:
        url, trusted = await asyncio.to_thread(_place, probe)
        async with http.get(f"{url}/readyz", ssl=trusted, allow_redirects=False) as answer:
            status, text = answer.status, (await answer.content.read(TEXT_MAX)).decode("utf-8", "replace")
            ours = status in (200, 503) and answer.content_type == "text/plain"
        if not ours:
            return PartHealth(probe.name, "not known", "something else answers at its address")
        async with http.get(f"{url}/metrics", ssl=trusted, allow_redirects=False) as answer:
            page = await answer.content.read(METRICS_MAX)
    except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
        return PartHealth(probe.name, "not known", f"it does not answer from here: {_why(error)}")
    state: State = "ready" if status == 200 else "not ready"
    return PartHealth(probe.name, state, text.strip(), figures_of(page.decode("utf-8", "replace")))


def figures_of(page: str) -> tuple[tuple[str, float], ...]:
    """What of a page of metrics is for people: (what it tells, value), in the order of FIGURES."""
    values: dict[str, list[float]] = {}
    try:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name in FIGURES:
                    values.setdefault(sample.name, []).append(sample.value)
    except ValueError:
        return ()  # cut, or no metrics: nothing is known rather than half of it
    return tuple(
        (text, max(values[name]) if largest else sum(values[name]))
        for name, (text, largest) in FIGURES.items()
        if name in values
    )


def _place(probe: PartProbe) -> tuple[str, ssl.SSLContext | bool]:
    """The base URL, and whose certificate is believed there. Raises OSError, ValueError."""
    if probe.port_file is not None:
        return f"http://{probe.host}:{int(probe.port_file.read_text('ascii'))}", True
    return probe.url, _only(probe.certificate_file) if probe.certificate_file else True


def _only(certificate: Path) -> ssl.SSLContext:
    """The part's own certificate and no other, whatever it is called: we know its file."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(certificate)
    return context


def _why(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:TEXT_MAX]
