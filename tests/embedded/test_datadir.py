"""The data directory: its layout, its lock, and every reason to refuse it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sluicegate.embedded.datadir import FOLDERS, DataDir, RunState, read_state
from sluicegate.embedded.errors import DataDirError, DataDirInUse

SMALL = 1024


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_gets_its_folders_for_its_owner_only(tmp_path: Path) -> None:
    with DataDir.open(tmp_path / "deep" / "var", free_bytes_min=SMALL) as data:
        assert {path.name for path in data.path.iterdir()} == set(FOLDERS)
        assert all(mode(path) == 0o700 for path in (data.path, *data.path.iterdir()))
        assert data.logs == tmp_path / "deep" / "var" / "logs"


def test_a_directory_that_became_readable_for_others_is_closed_again(tmp_path: Path) -> None:
    DataDir.open(tmp_path / "var", free_bytes_min=SMALL).close()
    (tmp_path / "var" / "kafka").chmod(0o755)
    with DataDir.open(tmp_path / "var", free_bytes_min=SMALL) as data:
        assert mode(data.kafka) == 0o700


def test_a_second_stack_is_refused_with_the_process_of_the_first(tmp_path: Path) -> None:
    with DataDir.open(tmp_path / "var", free_bytes_min=SMALL):
        code = (
            "import sys; from pathlib import Path; from sluicegate.embedded.datadir import DataDir\n"
            "try: DataDir.open(Path(sys.argv[1]), free_bytes_min=1)\n"
            "except Exception as error: print(type(error).__name__, error)"
        )
        command = [sys.executable, "-c", code, str(tmp_path / "var")]
        said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert said.startswith("DataDirInUse Sluicegate already runs on ")
    assert f"(process {os.getpid()})" in said
    assert f"kill {os.getpid()}" in said


def test_the_same_process_is_refused_a_second_time_too(tmp_path: Path) -> None:
    with DataDir.open(tmp_path / "var", free_bytes_min=SMALL), pytest.raises(DataDirInUse):
        DataDir.open(tmp_path / "var", free_bytes_min=SMALL)


def test_a_closed_directory_can_be_opened_again(tmp_path: Path) -> None:
    for _ in range(2):
        DataDir.open(tmp_path / "var", free_bytes_min=SMALL).close()


def test_a_directory_with_other_things_in_it_keeps_its_mode_and_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    tmp_path.chmod(0o755)
    with pytest.raises(DataDirError, match=r"other things \(thesis\.tex\).*data_dir"):
        DataDir.open(tmp_path)
    assert mode(tmp_path) == 0o755


def test_an_empty_directory_with_hidden_files_and_lost_and_found_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".gitkeep").write_text("")
    (tmp_path / "lost+found").mkdir()
    DataDir.open(tmp_path, free_bytes_min=SMALL).close()


def test_a_full_disk_is_refused_with_the_figures(tmp_path: Path) -> None:
    with pytest.raises(DataDirError, match=r"has \d+\.\d\d GB free and 1000000000\.00 GB are needed"):
        DataDir.open(tmp_path / "var", free_bytes_min=10**18)
    DataDir.open(tmp_path / "var", free_bytes_min=SMALL).close()


@pytest.mark.parametrize("path", ["/proc/sluicegate", "/dev/null/var"])
def test_a_place_where_nothing_can_be_written_is_refused(path: str) -> None:
    with pytest.raises(DataDirError, match=rf"{path} cannot be used.*choose another `data_dir`"):
        DataDir.open(Path(path))


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    DataDir.open(tmp_path / "var", free_bytes_min=SMALL).close()
    (tmp_path / "var" / "kafka").rmdir()
    (tmp_path / "var" / "kafka").write_text("")
    with pytest.raises(DataDirError, match=r"var/kafka.*choose another `data_dir`"):
        DataDir.open(tmp_path / "var", free_bytes_min=SMALL)


def test_other_processes_read_what_runs(tmp_path: Path) -> None:
    state = RunState(
        bootstrap="127.0.0.1:9092", ready=True, addresses={"gateway": "http://x"}, pids={"kafka": 7}
    )
    with DataDir.open(tmp_path / "var", free_bytes_min=SMALL) as data:
        data.write_state(state)
        assert read_state(tmp_path / "var") == state
        assert mode(data.run / "state.json") == 0o600
    with pytest.raises(DataDirError, match=r"Nothing runs on .*var.*sluicegate up"):
        read_state(tmp_path / "var")


def test_the_state_of_a_process_that_was_killed_counts_as_nothing(tmp_path: Path) -> None:
    with DataDir.open(tmp_path / "var", free_bytes_min=SMALL) as data:
        data.write_state(RunState(bootstrap="127.0.0.1:9092", started=1000.0))
        with pytest.raises(DataDirError, match="Nothing runs"):
            read_state(data.path)


@pytest.mark.parametrize("text", ["{", "[]", '{"colour": "red"}'])
def test_a_damaged_state_is_named(tmp_path: Path, text: str) -> None:
    with DataDir.open(tmp_path / "var", free_bytes_min=SMALL) as data:
        (data.run / "state.json").write_text(text)
        with pytest.raises(DataDirError, match=r"state\.json cannot be read"):
            read_state(data.path)
