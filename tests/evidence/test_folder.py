"""The folder of evidence: every control has its exhibits, every file its digest, and samples can be drawn again."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from sinks.evidence.catalogue import Framework, exhibits, frameworks
from sinks.evidence.folder import Folder, FolderError, Proof, filename, table
from sinks.evidence.gather import ROWS_MAX, Asked, Found, gather
from tests.exports.conftest import EXCHANGES, HOSTILE, Stretch, stretch

__all__ = ["stretch"]

PROOF = Proof(
    "sound",
    [{"partition": 0, "rows": 50, "size": 50, "root": "ab" * 32, "signed_at": "2026", "witnesses": 1, "expired": 0}],
    [{"partition": 0, "state": "complete", "recorded": 50, "processed": 50, "verified": 50, "missing_frames": 0,
      "redriven": 0, "expired": 0}],
)  # fmt: skip


@pytest.fixture
def asked(stretch: Stretch) -> Asked:
    """The time of the stretch."""
    return Asked(stretch.window.since, stretch.window.until, sample=7, seed=3)


def test_every_control_names_exhibits_that_are_there_and_every_exhibit_speaks_to_one() -> None:
    named = {name for framework in frameworks().values() for name in framework.exhibits}
    assert named == exhibits().keys()
    soc2 = {control.id for control in frameworks()["soc2"].controls}
    wanted = {f"CC6.{n}" for n in (1, 2, 3, 6, 7, 8)} | {f"CC7.{n}" for n in (2, 3, 4)}
    wanted |= {"CC8.1", "A1.1", "A1.2", "PI1.1", "C1.1", "C1.2", "P4.2", "P4.3"}
    assert wanted <= soc2
    assert set(frameworks()) == {"soc2", "iso27001", "pci-dss", "hipaa", "eu-ai-act"}


@pytest.mark.parametrize("name", sorted(exhibits()))
async def test_every_question_is_answered_by_the_views_of_the_store(
    stretch: Stretch, asked: Asked, name: str
) -> None:
    found = await gather(stretch.reader, exhibits()[name], asked)
    assert set(found.exhibit.id) <= set(found.columns)
    assert len(found.sample) == min(found.population, asked.sample)
    assert "{" not in found.statement


async def test_a_sample_is_drawn_again_by_its_seed_and_another_by_another(
    stretch: Stretch, asked: Asked
) -> None:
    exhibit = replace(exhibits()["calls"], sql="SELECT exchange_id FROM v_exchanges WHERE started_at >= {since}"
        f" AND connection = '{stretch.window.connections[0]}' ORDER BY exchange_id")  # fmt: skip
    first, again = [await gather(stretch.reader, exhibit, asked) for _ in range(2)]
    other = await gather(stretch.reader, exhibit, replace(asked, seed=4))
    assert first.population == EXCHANGES + 1
    assert first.sample == again.sample
    assert first.sample != other.sample
    assert set(first.sample) <= set(first.rows)


@pytest.mark.parametrize("population", [0, ROWS_MAX - 1, ROWS_MAX, ROWS_MAX + 1])
async def test_the_population_counts_what_lies_beyond_the_rows_that_are_shown(
    stretch: Stretch, asked: Asked, population: int
) -> None:
    exhibit = replace(exhibits()["calls"], sql=f"SELECT number FROM numbers({population}) ORDER BY number")
    found = await gather(stretch.reader, exhibit, asked)
    assert (found.population, len(found.rows)) == (population, min(population, ROWS_MAX))
    assert found.columns == ("number",)
    assert len(set(found.sample)) == min(population, asked.sample)


async def whole(stretch: Stretch, framework: Framework, asked: Asked) -> dict[str, Found]:
    """Everything for a framework."""
    return {name: await gather(stretch.reader, exhibits()[name], asked) for name in framework.exhibits}


async def test_the_folder_is_whole_and_its_manifest_binds_every_file(
    stretch: Stretch, asked: Asked, tmp_path: Path
) -> None:
    soc2 = frameworks()["soc2"]
    target = tmp_path / "evidence"
    digest = Folder(target, soc2, asked).write(await whole(stretch, soc2, asked), PROOF)
    assert digest == sha256((target / "manifest.json").read_bytes()).hexdigest()
    manifest = json.loads((target / "manifest.json").read_text())
    files = {str(path.relative_to(target)): path for path in _files(target)} | {}
    assert set(manifest["files"]) == files.keys() - {"manifest.json"}
    for name, expected in manifest["files"].items():
        assert sha256(files[name].read_bytes()).hexdigest() == expected, name
    index = (target / "index.html").read_text()
    assert "ab" * 32 in index
    for control in soc2.controls:
        assert f"controls/{filename(control.id)}.html" in index
        page = (target / "controls" / f"{filename(control.id)}.html").read_text()
        assert all(f"exhibits/{name}.csv" in page for name in control.exhibits)
    with pytest.raises(FolderError, match="is there already"):
        Folder(target, soc2, asked)
    assert sorted(path.name for path in _entries(tmp_path)) == ["evidence"]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def test_abuse_84_no_cell_is_a_formula_and_nothing_that_is_recorded_is_markup(tmp_path: Path) -> None:
    rows = [("=cmd()", HOSTILE), ("  @SUM(1)", "-1"), ("plain", 3), ("\u202eevil", None)]
    back = list(csv.reader(io.StringIO(table(("a", "b"), rows))))
    assert back[1][0] == "'=cmd()"
    assert back[2] == ["'  @SUM(1)", "'-1"]
    assert back[3] == ["plain", "3"]
    assert back[4][0] == "\\u202eevil"
    exhibit = exhibits()["calls"]
    found = Found(exhibit, "SELECT 1", ("a", "b"), tuple(rows), len(rows), tuple(rows))
    framework = Framework(
        "x", "X <script>", (replace(frameworks()["iso27001"].controls[0], exhibits=("calls",)),)
    )
    asked = Asked("2026-01-01", "2026-02-01")
    Folder(tmp_path / "made", framework, asked).write(
        {"calls": found}, replace(PROOF, faults=["<b>"], verdict="tampered")
    )
    for page in (tmp_path / "made").rglob("*.html"):
        assert "<script>" not in page.read_text()
        assert "<b>" not in page.read_text()
    assert "default-src 'none'" in (tmp_path / "made/index.html").read_text()
