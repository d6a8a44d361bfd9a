"""The pages' scripts where no browser is needed: terminals, silences, jumps, windows. They run in Node where there is
one; the tests in a browser run them in any case."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "console" / "web" / "static"
CHECKS = Path(__file__).parent / "scripts_checks.mjs"


@pytest.mark.skipif(
    shutil.which("node") is None, reason="no Node here: the browser's tests run these scripts"
)
def test_scripts_do_what_they_say(tmp_path: Path) -> None:
    shutil.copytree(STATIC, tmp_path / "static")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(CHECKS, tmp_path / "checks.mjs")
    ran = subprocess.run(
        ["node", "--test", "checks.mjs"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
