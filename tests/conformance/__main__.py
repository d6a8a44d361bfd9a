"""`python -m tests.conformance`: direct against through. Exit code 1: a check is lost, 2: no measurement."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from pathlib import Path

from benchmarks.processes import ChildError, stop_on_sigterm
from sluicegate.embedded.errors import EmbeddedError
from tests.conformance import passthrough, report, targets
from tests.conformance.compare import Run, rows
from tests.conformance.fixture import FixtureError
from tests.conformance.suite import REVISIONS, Suite, SuiteError, install
from tests.conformance.targets import UnknownTargetError

Runs = dict[str, Run]  # by revision


def main(arguments: list[str] | None = None) -> int:
    """Run what the command line asks for; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    chosen.revision = tuple(chosen.revision or REVISIONS)
    stop_on_sigterm()
    scratch = Path(tempfile.mkdtemp(prefix="sluicegate-conformance-"))
    try:
        suite = install()
        return _prove(suite, chosen.revision, scratch) if chosen.prove else _compare(suite, chosen, scratch)
    except (SuiteError, FixtureError, ChildError, UnknownTargetError, EmbeddedError) as error:
        print(f"conformance could not be measured: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("--through", default="gateway", help=f"{targets.WORDS} (default: gateway)")
    parser.add_argument(
        "--direct-url", help="a server that already runs, instead of the SDK's everything server"
    )
    parser.add_argument("--through-url", help="the same server through something that already runs")
    parser.add_argument(
        "--revision", action="append", choices=REVISIONS, help="only this one; may be repeated"
    )
    parser.add_argument("--all", action="store_true", help="print every check, not only those that differ")
    parser.add_argument(
        "--json", type=Path, default=Path(".cache/conformance.json"), help="where all checks go"
    )
    parser.add_argument(
        "--prove", action="store_true", help="show that each broken pass-through is seen to lose"
    )
    return parser


def _compare(suite: Suite, chosen: argparse.Namespace, scratch: Path) -> int:
    direct = _leg(suite, "direct", chosen.direct_url, chosen.revision, scratch / "direct")
    through = _leg(suite, chosen.through, chosen.through_url, chosen.revision, scratch / "through")
    table = {revision: rows(direct[revision], through[revision]) for revision in chosen.revision}
    for revision, compared in table.items():
        shown = report.lines(revision, direct[revision], through[revision], compared, every=chosen.all)
        print("", *shown, sep="\n")
    report.write(chosen.json, table)
    lost = sum(row.lost for compared in table.values() for row in compared)
    print(f"\n{lost} checks lost through {chosen.through_url or chosen.through}")
    print(f"all checks: {chosen.json}; logs: {scratch}")
    return 1 if lost else 0


def _prove(suite: Suite, revisions: tuple[str, ...], scratch: Path) -> int:
    """Run the naive pass-through, which may lose nothing, and each broken one, which must lose something."""
    direct = _leg(suite, "direct", None, revisions, scratch / "direct")
    unexpected = 0
    for through in ("naive", *(f"broken:{what}" for what in passthrough.BREAKINGS)):
        runs = _leg(suite, through, None, revisions, scratch / through.replace(":", "-"))
        lost = [row for revision in revisions for row in rows(direct[revision], runs[revision]) if row.lost]
        as_expected = bool(lost) == (through != "naive")
        unexpected += not as_expected
        example = f", for one {lost[0].key} ({lost[0].through.status})" if lost else ""
        print(f"{'ok ' if as_expected else 'BAD'} {through:18} {len(lost):3} lost{example}", flush=True)
    return 1 if unexpected else 0


def _leg(suite: Suite, through: str, url: str | None, revisions: tuple[str, ...], folder: Path) -> Runs:
    """Run the suite for each revision against `url`, or against what `through` names when there is none."""
    with contextlib.nullcontext(url) if url else targets.target(through, folder) as aimed_at:
        runs: Runs = {}
        for revision in revisions:
            print(f"» {revision}, {through}: {aimed_at}", flush=True)
            runs[revision] = suite.run(aimed_at, revision, folder / revision)
        return runs


if __name__ == "__main__":
    sys.exit(main())
