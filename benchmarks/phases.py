"""The two phases of a run with one setting of the broker's disk sync."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import alone, broker, lag, memory, peers, reach, report, rounds, stack
from benchmarks.broker import RoundTrip
from benchmarks.guard import Guard
from benchmarks.load import Aim, fire
from benchmarks.peers import Peer
from benchmarks.pipeline import Sustained, sustain
from benchmarks.processes import free_port
from benchmarks.rounds import Figure, Pids, Plan, Sample, Target
from benchmarks.tools import Tools

DRAIN_TIMEOUT_S = 180.0
IDLE_S = 15.0
WARM_S = 10.0  # a cold JVM answers many times slower than a warm one
WARM_CONNECTIONS = 32
CONNECTION = "demo"


@dataclass(frozen=True)
class Ground:
    """What both phases stand on: the plan, the programs, the upstream and the processes that are it."""

    plan: Plan
    tools: Tools
    upstream: str
    upstream_pids: Pids

    def direct(self) -> Target:
        """The upstream itself."""
        return Target(reach.DIRECT, self.upstream, self.upstream_pids)


@dataclass
class Findings:
    """What one phase found; `details` goes into the JSON as it is."""

    verdicts: list[reach.Verdict] = field(default_factory=list)
    details: dict[str, object] = field(default_factory=dict)

    def add(self, samples: Sequence[Sample], figures: Sequence[Figure]) -> None:
        """Keep the rounds and their medians."""
        self.details |= {"samples": [asdict(one) | {"load": _load(one)} for one in samples]}
        self.details |= {"figures": [asdict(one) for one in figures]}


def _load(one: Sample) -> dict[str, object]:
    return {name: getattr(one.load, name) for name in one.load.__struct_fields__}


def one_process(ground: Ground, folder: Path, *, sync: bool) -> Findings:
    """The gateway with a broker and nothing behind, beside the peers, in the same rounds."""
    found = Findings()
    with contextlib.ExitStack() as until_done:
        kafka, bootstrap = until_done.enter_context(alone.broker(folder, sync=sync))
        trips: list[RoundTrip] = []
        gateway, through = until_done.enter_context(alone.gateway(bootstrap, ground.upstream, folder))
        both = {"gateway": gateway.pid, "broker": kafka.pid}
        guard = Guard(folder / "guard")
        guarded, past_guard = until_done.enter_context(
            alone.gateway(bootstrap, ground.upstream, folder, guard)
        )
        known = ("-token", guard.token(past_guard))
        plain, unmasked = until_done.enter_context(
            alone.gateway(bootstrap, ground.upstream, folder, masking=False)
        )
        fire(ground.plan.program, Aim(through, WARM_CONNECTIONS, WARM_S))
        fire(ground.plan.program, Aim(past_guard, WARM_CONNECTIONS, WARM_S, more=known))
        fire(ground.plan.program, Aim(unmasked, WARM_CONNECTIONS, WARM_S))
        # Timed after each of the gateway's rounds: the same machine at the same moment.
        time_broker = lambda: trips.append(broker.measure(bootstrap))  # noqa: E731
        targets = [ground.direct(), Target(reach.GATEWAY, through, lambda: both, settle=time_broker)]
        pids = {"gateway": guarded.pid, "broker": kafka.pid}
        targets.append(Target(reach.GUARDED, past_guard, lambda: pids, more=known))
        without = {"gateway": plain.pid, "broker": kafka.pid}
        targets.append(Target(reach.UNMASKED, unmasked, lambda: without))
        targets += _peers(ground, folder, until_done)
        samples = rounds.drive(ground.plan, targets, _say)
        figures = rounds.figures(samples)
        used = memory.of({"gateway": gateway.pid})["gateway"]
    round_trip = broker.typical(trips)
    print(*report.figures(figures), sep="\n", flush=True)
    print(f"broker alone, serial: p50 {round_trip.p50_ms:.3f}, p99 {round_trip.p99_ms:.3f} ms", flush=True)
    found.verdicts += [*reach.against_peers(figures), *reach.added(figures, round_trip)]
    found.verdicts += reach.guarded(figures)
    print(*report.masking(figures), sep="\n", flush=True)
    found.verdicts.append(reach.memory("gateway after the rounds", used, reach.GATEWAY_MIB_MAX))
    found.add(samples, figures)
    found.details |= {"round_trip": asdict(round_trip), "gateway_memory": asdict(used)}
    return found


def _peers(ground: Ground, folder: Path, until_done: contextlib.ExitStack) -> list[Target]:
    tools, upstream = ground.tools, ground.upstream
    targets = []
    if tools.rust_proxy:
        rust = peers.rust_proxy(tools.rust_proxy, upstream, free_port(), folder)
        targets.append(_started(reach.RUST_PROXY, rust, until_done))
    if tools.go_proxy:
        go = peers.go_proxy(tools.go_proxy, upstream, free_port(), folder)
        targets.append(_started(reach.GO_PROXY, go, until_done))
    return targets


def _started(name: str, peer: Peer, until_done: contextlib.ExitStack) -> Target:
    child = until_done.enter_context(peer.child)
    child.wait_for_port(peer.port, peers.START_TIMEOUT_S)
    return Target(name, peer.url, lambda: {"proxy": child.pid})


@dataclass(frozen=True)
class Steady:
    """What is offered to the whole pipeline: exchanges a second, one rate after the other, each for `seconds`."""

    rates: tuple[float, ...]
    seconds: float


def whole_stack(ground: Ground, folder: Path, steady: Steady, *, sync: bool) -> Findings:
    """`sluicegate up`: its memory idle, its rounds with everything running behind, then the sustained rates."""
    found = Findings()
    with stack.running({CONNECTION: ground.upstream}, folder, {"sync": sync}) as running:
        time.sleep(IDLE_S)  # what a part allocates to start is given back by then
        idle = _stack_memory(running)
        print("memory idle", *report.memory(idle), sep="\n", flush=True)
        figures = _stack_rounds(ground, running, found)
        held = _sustained(ground.tools, running, steady)
        loaded = _stack_memory(running)
        print("memory after the load", *report.memory(loaded), sep="\n", flush=True)
    print(*report.figures(figures), sep="\n", flush=True)
    found.verdicts.append(reach.memory("whole stack idle", memory.total(idle), reach.STACK_MIB_MAX))
    found.verdicts.append(reach.sustained(held))
    found.details |= {"idle": {name: asdict(used) for name, used in idle.items()}}
    found.details |= {"loaded": {name: asdict(used) for name, used in loaded.items()}}
    found.details |= {"sustained": [_sustained_details(one) for one in held]}
    return found


def _stack_memory(running: stack.Stack) -> dict[str, memory.Memory]:
    parts = running.state().pids
    return {**memory.of(parts), "supervisor": memory.apart(running.child.pid, parts)}


def _stack_rounds(ground: Ground, running: stack.Stack, found: Findings) -> list[Figure]:
    def settle() -> None:
        if lag.wait_drained(running.state().bootstrap, DRAIN_TIMEOUT_S) is None:
            print(f"  ! the pipeline had not caught up after {DRAIN_TIMEOUT_S:.0f} s", flush=True)

    fire(ground.plan.program, Aim(running.url(CONNECTION), WARM_CONNECTIONS, WARM_S))
    settle()
    through = Target(reach.STACK, running.url(CONNECTION), lambda: running.state().pids, settle=settle)
    samples = rounds.drive(ground.plan, [ground.direct(), through], _say)
    figures = rounds.figures(samples)
    found.add(samples, figures)
    return figures


def _sustained(tools: Tools, running: stack.Stack, steady: Steady) -> list[Sustained]:
    """Each rate in turn, up to the first that the pipeline does not bear."""
    held: list[Sustained] = []
    for rate in steady.rates:
        print(f"» {rate:.0f} exchanges/s for {steady.seconds:.0f} s", flush=True)
        held.append(sustain(tools.bench, running, running.url(CONNECTION), rate, steady.seconds))
        print(*report.sustained(held[-1]), sep="\n", flush=True)
        if not held[-1].held:
            break
    return held


def _sustained_details(one: Sustained) -> dict[str, object]:
    load = {name: getattr(one.load, name) for name in one.load.__struct_fields__}
    return asdict(one) | {"load": load, "held": one.held}


def _say(one: Sample) -> None:
    print(report.sample(one), flush=True)
