"""The control plane's programs, built from locked Go modules into the cache: once, about 8 minutes on two cores."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import cache_dir
from benchmarks.tools import ToolError, find_go
from sluicegate.embedded.say import Say
from tests.kubernetes.versions import KUBERNETES, MODULES, PROGRAMS, STAGES, Program

BUILD_TIMEOUT_S = 5400.0
_VERSION_PACKAGE = "k8s.io/component-base/version"


class BuildError(RuntimeError):
    """A program could not be built. Says which, and the compiler's words."""


@dataclass(frozen=True)
class Programs:
    """Where they lie."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    @property
    def stages(self) -> list[Path]:
        """kwok's rules of what happens to nodes and pods."""
        return sorted((self.folder / "stages").iterdir())


def built(say: Say) -> Programs:
    """All programs, those that are missing built. Raises BuildError."""
    folder = cache_dir("kubernetes") / f"programs-{_locked()[:12]}"
    programs = Programs(folder)
    missing = [program for program in PROGRAMS if not Path(programs[program.name]).is_file()]
    if missing or not (folder / "stages").is_dir():
        _build(missing, folder, say)
    return programs


def _locked() -> str:
    """What decides whether a build is good still."""
    digest = hashlib.sha256(repr((KUBERNETES, PROGRAMS, STAGES)).encode())
    for path in sorted(MODULES.glob("*/go.*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _build(missing: list[Program], folder: Path, say: Say) -> None:
    go = _go()
    folder.mkdir(parents=True, exist_ok=True)
    for program in missing:
        say(f"» building {program.name} (once; all four take about 8 minutes)")
        _compile(go, program, folder)
    if not (folder / "stages").is_dir():
        _take_stages(go, folder)


def _go() -> str:
    try:
        return str(find_go(cache_dir("bench")))
    except ToolError as error:
        raise BuildError(str(error)) from error


def _compile(go: str, program: Program, folder: Path) -> None:
    unfinished = folder / f".{program.name}"
    command = [go, "build", "-mod=readonly", "-trimpath", "-ldflags", _linked(), "-o", str(unfinished)]
    run_go([*command, program.package], MODULES / program.module)
    unfinished.rename(folder / program.name)


def _linked() -> str:
    """No debug tables; and the version that clients are told, which releases put in at this place."""
    major, minor, _ = KUBERNETES.split(".")
    told = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X {_VERSION_PACKAGE}.{name}={value}" for name, value in told.items())])


def _take_stages(go: str, folder: Path) -> None:
    module = run_go([go, "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"], MODULES / "kwok").strip()
    unfinished = folder / ".stages"
    unfinished.mkdir(exist_ok=True)
    for path in STAGES:
        shutil.copyfile(Path(module) / path, unfinished / Path(path).name)
    unfinished.rename(folder / "stages")


def run_go(command: list[str], folder: Path) -> str:
    """Runs the Go command gently, with the Go release that the module asks for; gives what it printed.

    Raises BuildError.
    """
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "auto", "GOWORK": "off", "GOFLAGS": ""}
    try:
        done = subprocess.run(
            ["nice", "-n", "10", *command],
            cwd=folder,
            env=environment,
            timeout=BUILD_TIMEOUT_S,
            capture_output=True,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"not built within {BUILD_TIMEOUT_S:.0f} s: {' '.join(command)}") from error
    if done.returncode != 0:
        raise BuildError(
            f"{' '.join(command)} in {folder} ended with {done.returncode}:\n{done.stderr[-3000:]}"
        )
    return done.stdout
