"""`python -m tests.kubernetes`: a real control plane, directly and through.

Exit code 1: a check failed, 2: none was made.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.processes import ChildError, free_port, stop_on_sigterm
from sluicegate.embedded.errors import EmbeddedError
from tests.kubernetes import cluster, forwarded, gateway
from tests.kubernetes.bench import Bench, Findings, Part
from tests.kubernetes.build import BuildError, built
from tests.kubernetes.install import InstallError, installed
from tests.kubernetes.parts import approvals, audit, credentials, guide, lists, operations, tree, watch

PARTS: dict[str, Part] = {
    "operations": operations.run,
    "approvals": approvals.run,
    "tree": tree.run,
    "lists": lists.run,
    "watch": watch.run,
    "credentials": credentials.run,
    "guide": guide.run,
    "audit": audit.run,  # the last: some of its requests delete what is there
}


def say(line: str) -> None:
    """Tells at once."""
    print(line, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the parts; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    stop_on_sigterm()
    scratch = Path(tempfile.mkdtemp(prefix="sluicegate-kubernetes-"))
    say(f"logs: {scratch}")
    try:
        found = _run(chosen, scratch)
    except (BuildError, InstallError, ChildError, EmbeddedError) as error:
        print(f"nothing could be proved: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    _write(chosen.json, found)
    return 1 if any(findings.failed for findings in found.values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.kubernetes", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts")
    parser.add_argument(
        "--operation", default="", help="only operations of this group, or whose name holds this"
    )
    parser.add_argument("--watch-seconds", type=float, default=600.0, help="of the long watch (default: 600)")
    parser.add_argument("--json", type=Path, default=Path(".cache/kubernetes.json"), help="where figures go")
    return parser


def _run(chosen: argparse.Namespace, scratch: Path) -> dict[str, Findings]:
    programs, clients, mcp_port = built(say), installed(say), free_port()
    began = time.monotonic()
    with ExitStack() as stack:
        port = stack.enter_context(forwarded.listening())
        control_plane = stack.enter_context(cluster.running(programs, clients, scratch / "cluster", port))
        say(f"cluster: {control_plane.url}, ready after {time.monotonic() - began:.0f} s")
        tools = f"http://127.0.0.1:{mcp_port}/mcp"
        before = stack.enter_context(gateway.running(control_plane, scratch / "gateway", tools))
        say(f"gateway: {before.url}, ready after {time.monotonic() - began:.0f} s")
        work = scratch / "work"
        bench = Bench(
            control_plane, before, clients, work, say, mcp_port, chosen.watch_seconds, chosen.operation
        )
        return {name: _part(name, bench) for name in PARTS if name in chosen.only}


def _part(name: str, bench: Bench) -> Findings:
    say(f"\n== {name}")
    began = time.monotonic()
    findings = PARTS[name](bench)
    for sentence in findings.failed:
        say(f"  FAILED {sentence}")
    told = {key: value for key, value in findings.figures.items() if not isinstance(value, list)}
    if told:
        say(f"  {', '.join(f'{key} {value}' for key, value in told.items())}")
    failed = len(findings.failed)
    say(f"{name}: {findings.checked - failed} of {findings.checked} hold ({time.monotonic() - began:.0f} s)")
    return findings


def _write(path: Path, found: dict[str, Findings]) -> None:
    told = {
        name: {"checked": one.checked, "failed": one.failed, **one.figures} for name, one in found.items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=1) + "\n")
    say(f"\nall figures: {path}")


if __name__ == "__main__":
    sys.exit(main())
