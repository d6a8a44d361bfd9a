"""The suite itself: installed from the lock beside this file, run against one URL, its verdicts read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from benchmarks.processes import cache_dir
from tests.conformance.compare import Outcome, Run, collect

REVISIONS = ("2025-11-25", "2026-07-28")
RUN_TIMEOUT_S = 600.0
INSTALL_TIMEOUT_S = 600.0
_LOCKED = Path(__file__).parent / "node"
_RESULT_NAME = re.compile(r"^server-(?P<scenario>.+)-\d{4}-\d\d-\d\dT[\d-]+Z$")


class SuiteError(RuntimeError):
    """The suite could not be installed, or a run of it left no verdict. Says what to do."""


class Suite:
    """An installed suite with the Node that runs it."""

    def __init__(self, node: Path, script: Path) -> None:
        """`node` is the interpreter, `script` the suite's command."""
        self.node = node
        self.script = script

    def run(self, url: str, revision: str, results: Path) -> Run:
        """Every check that `revision` requires or shows, made against `url`.

        Raises SuiteError when the run ends without verdicts. Its exit code is not looked at: it judges the
        server and tells nothing of a proxy.
        """
        preload = ["--require", str(_LOCKED / "token.cjs")]
        command = [str(self.node), *preload, str(self.script), "server", "--url", url]
        command += ["--requirements", revision, "-o", str(results)]
        results.mkdir(parents=True, exist_ok=True)
        log = results / "suite.log"
        with log.open("wb") as output:
            try:
                subprocess.run(
                    command, stdout=output, stderr=subprocess.STDOUT, timeout=RUN_TIMEOUT_S, check=False
                )
            except subprocess.TimeoutExpired as error:
                raise SuiteError(
                    f"{revision} against {url} took more than {RUN_TIMEOUT_S:.0f} s; see {log}"
                ) from error
        run = read_results(results)
        if not run:
            raise SuiteError(f"{revision} against {url} left no verdict; see {log}")
        return run


def read_results(folder: Path) -> Run:
    """The verdicts that a run of the suite left in `folder`: one `checks.json` a scenario."""
    run: Run = {}
    for path in sorted(folder.glob("*/checks.json")):
        named = _RESULT_NAME.match(path.parent.name)
        if named is None:
            raise SuiteError(f"{path.parent.name}: not a result folder of the pinned suite")
        checks = json.loads(path.read_text())
        verdicts = [(one["id"], Outcome(one["status"], one.get("errorMessage") or "")) for one in checks]
        run |= collect(named["scenario"], verdicts)
    return run


def install() -> Suite:
    """The pinned suite and its Node in the cache directory, put there by `npm ci` when the lock has changed."""
    folder = cache_dir("conformance")
    lock = (_LOCKED / "package-lock.json").read_bytes()
    stamp = folder / "installed.json"
    if not stamp.is_file() or stamp.read_bytes() != lock:
        print(f"» installing the conformance suite and Node into {folder} (about 60 MB)", flush=True)
        _npm_ci(folder)
        stamp.write_bytes(lock)
    modules = folder / "node_modules"
    nodes = sorted(modules.glob("node-*/bin/node"))
    if not nodes:
        raise SuiteError(
            f"no Node for this machine among {modules}/node-*; add its package to {_LOCKED}/package.json"
        )
    return Suite(nodes[0], modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js")


def _npm_ci(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SuiteError(
            "npm is not on PATH: install Node.js with npm (any version), it fetches the pinned one"
        )
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_LOCKED / name, folder / name)
    # The system's Node only runs npm; the suite's wish for a newer one is met by the package installed here.
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, timeout=INSTALL_TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise SuiteError(f"npm ci failed in {folder} with code {done.returncode}: see its words above")
