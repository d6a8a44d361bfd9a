"""`python -m benchmarks`: direct against through, side by side, on loopback, and the rate of the pipeline."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks import phases, report, rounds
from benchmarks.load import LoadError
from benchmarks.processes import Child, ChildError, stop_on_sigterm
from benchmarks.rounds import Plan, Target
from benchmarks.tools import ToolError, Tools, prepare
from sluicegate.embedded.errors import EmbeddedError

BUSY = 0.5  # load average above which a run measures other programs too
STUB_LISTENING = r"^listening on (?P<port>\d+)$"


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for. Exit code 0: measured; 1: measured, and --strict found a miss; 2: not."""
    chosen = _parser().parse_args(arguments)
    stop_on_sigterm()
    folder = Path(tempfile.mkdtemp(prefix="sluicegate-bench-"))
    busy = os.getloadavg()[0]
    print(f"logs: {folder}; {os.cpu_count()} cores, load average {busy:.1f} before the run", flush=True)
    if busy > BUSY:
        print("! the machine does other work: rates and tails will be worse than they are", flush=True)
    try:
        return _measure(chosen, prepare(peers=not chosen.no_peers and not chosen.through_url), folder)
    except (ToolError, ChildError, LoadError, EmbeddedError) as error:
        print(f"could not be measured: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--connections", default="1,8,32", help="numbers of connections (default: 1,8,32)")
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds, of which medians are taken (default: 3)"
    )
    parser.add_argument("--seconds", type=float, default=4, help="of one target in one round (default: 4)")
    parser.add_argument("--revision", default="2025-11-25", help="MCP revision of the clients")
    parser.add_argument("--sse", action="store_true", help="the stub answers tools/call as an event stream")
    parser.add_argument(
        "--sync", choices=("on", "off", "both"), default="both", help="the broker's disk sync"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out, and do not build them")
    parser.add_argument(
        "--only", choices=("alone", "stack"), help="only the rounds beside the peers, or the stack"
    )
    parser.add_argument("--rates", default="1200,1800", help="exchanges/s offered to the pipeline, rising")
    parser.add_argument(
        "--pipeline-seconds", type=float, default=60, help="of each offered rate (default: 60)"
    )
    parser.add_argument("--direct-url", help="an upstream that already runs, instead of the stub")
    parser.add_argument(
        "--through-url", help="measure only this against direct; nothing of Sluicegate is started"
    )
    parser.add_argument("--json", type=Path, default=Path(".cache/bench.json"), help="where all figures go")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a figure to reach is missed")
    return parser


def _measure(chosen: argparse.Namespace, tools: Tools, folder: Path) -> int:
    connections = tuple(int(number) for number in chosen.connections.split(","))
    plan = Plan(tools.bench, connections, chosen.rounds, chosen.seconds, chosen.revision)
    command = [str(tools.bench), "stub", *(["-sse"] if chosen.sse else [])]
    with Child("stub", command, folder / "stub.log") as stub:
        ground = _ground(plan, tools, stub, chosen.direct_url)
        if chosen.through_url:
            return _pair(ground, chosen)
        found: dict[str, phases.Findings] = {}
        for sync in {"on": (True,), "off": (False,), "both": (True, False)}[chosen.sync]:
            found |= _with_sync(chosen, ground, folder, sync=sync)
    _write(
        chosen.json,
        {name: one.details | {"verdicts": [asdict(v) for v in one.verdicts]} for name, one in found.items()},
    )
    for name, one in found.items():
        print("", name, *report.verdicts(one.verdicts), sep="\n")
    missed = any(not verdict.reached for one in found.values() for verdict in one.verdicts)
    return 1 if missed and chosen.strict else 0


def _ground(plan: Plan, tools: Tools, stub: Child, direct_url: str | None) -> phases.Ground:
    if direct_url:
        return phases.Ground(plan, tools, direct_url, dict)
    port = stub.wait_for(STUB_LISTENING, 10)["port"]
    return phases.Ground(plan, tools, f"http://127.0.0.1:{port}/mcp", lambda: {"stub": stub.pid})


def _with_sync(
    chosen: argparse.Namespace, ground: phases.Ground, folder: Path, *, sync: bool
) -> dict[str, phases.Findings]:
    word = f"disk sync {'on' if sync else 'off'}"
    below = folder / word.replace(" ", "-")
    found = {}
    if chosen.only != "stack":
        print(f"\n== one gateway process beside the peers, {word}", flush=True)
        found[f"one process, {word}"] = phases.one_process(ground, below / "alone", sync=sync)
    if chosen.only != "alone":
        print(f"\n== the whole stack, {word}", flush=True)
        rates = tuple(float(rate) for rate in chosen.rates.split(","))
        steady = phases.Steady(rates, chosen.pipeline_seconds)
        found[f"whole stack, {word}"] = phases.whole_stack(ground, below / "stack", steady, sync=sync)
    return found


def _pair(ground: phases.Ground, chosen: argparse.Namespace) -> int:
    targets = [ground.direct(), Target("through", chosen.through_url, dict)]
    samples = rounds.drive(ground.plan, targets, lambda one: print(report.sample(one), flush=True))
    figures = rounds.figures(samples)
    print(*report.figures(figures), sep="\n")
    _write(chosen.json, {"pair": {"figures": [asdict(figure) for figure in figures]}})
    return 0


def _write(path: Path, found: dict[str, object]) -> None:
    machine = {
        "cpus": os.cpu_count(),
        "load_average_at_end": os.getloadavg()[0],
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    written = {"measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine, **found}
    path.write_text(json.dumps(written, indent=1) + "\n")
    print(f"all figures: {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
