"""Platforms without Hyperscan mask the same, only slower; compiled databases are kept, and only believed if ours."""

import json
from pathlib import Path

import pytest

from masking import cache
from masking.engine import HyperscanScanner, ReScanner, Trigger
from masking.finder import Finder
from masking.profiles import PROFILES
from masking.rules import built_in
from masking.work import Work
from tests.masking.kinds import KINDS, made

RULES = [rule for rule in built_in() if rule.id != "service-key"]
FAST = Finder(RULES, HyperscanScanner.compile)
SLOW = Finder(RULES, ReScanner)


@pytest.mark.parametrize("kind", KINDS)
def test_both_scanners_find_the_same_secrets(kind: str) -> None:
    text = json.dumps({"text": KINDS[kind](made(kind))})
    found = [
        finder.find(text, finder.hits(text), Work(PROFILES["secrets"], len(text))) for finder in (FAST, SLOW)
    ]
    assert found[0] == found[1]
    assert found[0]


def test_a_compiled_database_is_kept_and_loaded(tmp_path: Path) -> None:
    triggers = [Trigger("needle")]
    HyperscanScanner.compile(triggers, tmp_path)
    (kept,) = tmp_path.iterdir()
    before = kept.read_bytes()
    assert HyperscanScanner.compile(triggers, tmp_path).scan(b"a needle") == [(0, 0, 8)]
    assert kept.read_bytes() == before


@pytest.mark.parametrize("damage", ["content", "permissions"])
def test_a_database_that_may_not_be_ours_is_compiled_anew(tmp_path: Path, damage: str) -> None:
    triggers = [Trigger("needle")]
    HyperscanScanner.compile(triggers, tmp_path)
    (kept,) = tmp_path.iterdir()
    if damage == "content":
        kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    else:
        kept.chmod(0o666)
    assert cache.load(tmp_path, kept.name) is None
    assert HyperscanScanner.compile(triggers, tmp_path).scan(b"a needle")


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    cache.store(file / "below", "name", b"body")
    assert cache.load(file / "below", "name") is None
