"""Renew the locks of the Go modules: `python -m tests.kubernetes.relock`. The difference is for review."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks.processes import cache_dir
from benchmarks.tools import find_go
from tests.kubernetes.build import run_go
from tests.kubernetes.versions import ETCD, KUBERNETES, KWOK, MODULES, PROGRAMS

_STAGING = "./staging/"
_REQUIRED = {
    "kubernetes": f"k8s.io/kubernetes v{KUBERNETES}",
    "etcd": f"go.etcd.io/etcd/server/v3 v{ETCD}",
    "kwok": f"sigs.k8s.io/kwok v{KWOK}",
}


def main() -> None:
    """Writes `go.mod` and `go.sum` of each module anew."""
    go = str(find_go(cache_dir("bench")))
    for name, required in _REQUIRED.items():
        folder = MODULES / name
        folder.mkdir(parents=True, exist_ok=True)
        tools = [program.package for program in PROGRAMS if program.module == name]
        replaced = _staged(go, required) if name == "kubernetes" else []
        (folder / "go.sum").unlink(missing_ok=True)
        (folder / "go.mod").write_text(_module(name, _go_version(go, required), required, tools, replaced))
        run_go([go, "mod", "tidy"], folder)
        print(f"{name}: {len((folder / 'go.sum').read_text().splitlines())} lines of checksums", flush=True)


def _module(name: str, go: str, required: str, tools: list[str], replaced: list[str]) -> str:
    lines = [f"module sluicegate.test/{name}", "", f"go {go}", "", f"require {required}", ""]
    lines += [f"replace {staged}" for staged in replaced] + [f"tool {package}" for package in tools]
    return "\n".join(lines) + "\n"


def _described(go: str, required: str) -> dict[str, object]:
    """The module's own go.mod, as the Go command reads it."""
    with tempfile.TemporaryDirectory() as scratch:
        got = json.loads(run_go([go, "mod", "download", "-json", required.replace(" ", "@")], Path(scratch)))
        described: dict[str, object] = json.loads(
            run_go([go, "mod", "edit", "-json", got["GoMod"]], Path(scratch))
        )
        return described


def _go_version(go: str, required: str) -> str:
    return str(_described(go, required)["Go"])


def _staged(go: str, required: str) -> list[str]:
    """Kubernetes' own libraries stand in its tree; published, each has the same number with v0 in the place of v1."""
    version = "v0." + KUBERNETES.split(".", 1)[1]
    replaced = _described(go, required)["Replace"]
    assert isinstance(replaced, list)
    staged = [one["Old"]["Path"] for one in replaced if one["New"]["Path"].startswith(_STAGING)]
    return [f"{path} => {path} {version}" for path in staged]


if __name__ == "__main__":
    main()
