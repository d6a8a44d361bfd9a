"""What the figures are held against. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.broker import RoundTrip
from benchmarks.memory import Memory
from benchmarks.pipeline import Sustained
from benchmarks.rounds import Figure

DIRECT, GATEWAY, GUARDED, STACK = "direct", "gateway", "with identity and policy", "whole stack"
RUST_PROXY, GO_PROXY = "mcp-proxy (Rust)", "mcpproxyd (hoop)"

RECORDS_AN_EXCHANGE = 2
ADDED_MS_MAX = 0.6  # beside the broker's own round trips
GATEWAY_MIB_MAX = 150
STACK_MIB_MAX = 1.3 * 1024
SUSTAINED_MIN = 1_200
UNMASKED = "without masking"
GUARDED_MIN = 0.85  # of the rate without tokens, 50 rules and quotas


@dataclass(frozen=True)
class Verdict:
    """One thing to reach: in words, with the figure, and whether it was reached."""

    text: str
    reached: bool


def against_peers(figures: Sequence[Figure]) -> list[Verdict]:
    """At least twice hoop's proxy and half of the Rust proxy, at the most connections that were measured."""
    most = max((figure.connections for figure in figures), default=0)
    rates = {figure.target: figure.per_second for figure in figures if figure.connections == most}
    verdicts = []
    for peer, least in ((GO_PROXY, 2.0), (RUST_PROXY, 0.5)):
        if peer in rates and GATEWAY in rates:
            ratio = rates[GATEWAY] / rates[peer]
            text = f"at {most} connections {ratio:.2f} times {peer} (at least {least})"
            verdicts.append(Verdict(text, ratio >= least))
    return verdicts


def added(figures: Sequence[Figure], round_trip: RoundTrip) -> list[Verdict]:
    """The added p50 at one connection against the broker's own acknowledged round trips."""
    p50 = {figure.target: figure.p50_ms for figure in figures if figure.connections == 1}
    if DIRECT not in p50 or GATEWAY not in p50:
        return []
    more = p50[GATEWAY] - p50[DIRECT]
    allowed = RECORDS_AN_EXCHANGE * round_trip.p50_ms + ADDED_MS_MAX
    told = f"{RECORDS_AN_EXCHANGE} round trips of {round_trip.p50_ms:.3f} + {ADDED_MS_MAX}"
    return [
        Verdict(f"added p50 at 1 connection {more:.3f} ms (at most {allowed:.3f} = {told})", more <= allowed)
    ]


def guarded(figures: Sequence[Figure]) -> list[Verdict]:
    """What identity, 50 rules and quotas cost, at the most connections that were measured."""
    most = max((figure.connections for figure in figures), default=0)
    rates = {figure.target: figure.per_second for figure in figures if figure.connections == most}
    if GATEWAY not in rates or GUARDED not in rates:
        return []
    ratio = rates[GUARDED] / rates[GATEWAY]
    text = f"at {most} connections with identity, 50 rules and quotas {ratio:.2f} of without (at least {GUARDED_MIN})"
    return [Verdict(text, ratio >= GUARDED_MIN)]


def memory(what: str, used: Memory, most_mib: float) -> Verdict:
    """Resident memory against a bound; the proportional figure stands beside it."""
    text = f"{what} {used.rss_mib:.0f} MiB resident, {used.pss_mib:.0f} proportional (at most {most_mib:.0f})"
    return Verdict(text, used.rss_mib <= most_mib)


def sustained(held: Sequence[Sustained]) -> Verdict:
    """The highest offered rate that the whole pipeline bore with its lag flat."""
    best = max((one.offered for one in held if one.held), default=0.0)
    text = f"pipeline sustained {best:.0f} exchanges a second with the lag flat (at least {SUSTAINED_MIN})"
    return Verdict(text, best >= SUSTAINED_MIN)
