"""Keycloak comes from the cache when it is what was locked, and never otherwise."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from sluicegate.embedded.errors import ChecksumError
from sluicegate.embedded.lock import LockedJar
from tests.keycloak import distribution
from tests.keycloak.distribution import unpacked


def _zipped(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("keycloak-1/version.txt", version)
    return path


def _lock(path: Path) -> LockedJar:
    content = path.read_bytes()
    return LockedJar("org.example:keycloak:1", len(content), hashlib.sha256(content).hexdigest())


def test_what_was_locked_is_unpacked_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_CACHE", str(tmp_path))
    lock = _lock(_zipped(tmp_path / "keycloak" / "org.example-keycloak-1.zip", "1"))
    home = unpacked(tmp_path / "run", pytest.fail, lock)
    assert (home / "version.txt").read_text() == "1"


def test_another_content_than_the_locked_one_is_never_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICEGATE_CACHE", str(tmp_path))
    forged = _zipped(tmp_path / "forged.zip", "forged")
    lock = _lock(_zipped(tmp_path / "true.zip", "1"))
    damaged = _zipped(tmp_path / "keycloak" / "org.example-keycloak-1.zip", "damaged")
    monkeypatch.setattr(distribution, "_fetched", lambda _scratch, _coordinate: forged)
    said: list[str] = []
    with pytest.raises(ChecksumError):
        unpacked(tmp_path / "run", said.append, lock)
    assert len(said) == 1, "it was fetched again, because the cache was damaged"
    assert not (tmp_path / "run").exists()
    assert damaged.exists()
