"""Notes that were kept elsewhere than in the store: anchors, and what an earlier check saw."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from schemas.notes import Note, NoteError, open_head, open_note
from sinks.verify.findings import Report, VerifyError

NOTES_MAX = 1_000
_DASH = "— "
_LINES_MAX = 1_000


def notes_in(paths: Iterable[Path]) -> dict[int, list[str]]:
    """The notes in files and folders, by the partition that their origin ends with: of many, those over the largest
    trees. Raises VerifyError."""
    found: dict[int, dict[str, int]] = {}
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() or file == path:
                for note in _notes(file):
                    head = open_head(note.text)
                    notes = found.setdefault(_partition(head.origin), {})
                    notes[str(note)] = head.size
                    if len(notes) > 2 * NOTES_MAX:
                        _thin(notes)
    return {partition: list(notes) for partition, notes in found.items()}


def _thin(notes: dict[str, int]) -> None:
    for note in sorted(notes, key=lambda note: notes[note])[:NOTES_MAX]:
        del notes[note]


def _notes(file: Path) -> Iterator[Note]:
    count = 0
    try:
        with file.open(encoding="utf-8") as lines:
            for block in _blocks(line.rstrip("\n") for line in lines):
                try:
                    note = open_note(block)
                    open_head(note.text)
                except NoteError:
                    continue  # a file may say other things too
                count += 1
                yield note
    except (OSError, UnicodeDecodeError) as error:
        raise VerifyError(f"the checkpoints kept in {file} cannot be read: {error}") from error
    if not count:
        raise VerifyError(
            f"{file} holds no signed checkpoint; name the file that an anchor or a witness writes"
        )


def _blocks(source: Iterable[str]) -> Iterator[str]:
    """What may be notes: some lines, an empty one, and signature lines; or JSON lines with notes in them."""
    lines: list[str] = []
    signing = False
    for line in source:
        if line.startswith("{"):
            yield from _in_json(line)
            continue
        if signing and not line.startswith(_DASH):
            yield "\n".join(lines) + "\n"
            lines, signing = [], False
        signing = signing or line.startswith(_DASH)
        if line or lines:
            lines.append(line)
        if len(lines) > _LINES_MAX:
            lines, signing = [], False
    if signing:
        yield "\n".join(lines) + "\n"


def _in_json(line: str) -> Iterator[str]:
    try:
        given = json.loads(line)
    except ValueError:
        return
    if isinstance(given, dict):
        yield from (value for value in given.values() if isinstance(value, str) and _DASH in value)


def _partition(origin: str) -> int:
    last = origin.rpartition("/")[2]
    return int(last) if last.isdecimal() else 0


def read_state(path: Path) -> dict[int, list[str]]:
    """The notes that the last sound check wrote; none before the first one. Raises VerifyError."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        return {int(partition): [str(note)] for partition, note in given["checkpoints"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerifyError(f"{path} holds no state of a check: {error}") from error


def write_state(path: Path, report: Report) -> None:
    """Keeps the last checkpoints that were seen: a later check finds out when they are gone. Raises VerifyError."""
    notes = {str(part.partition): part.note for part in report.coverage if part.note}
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        fresh.write_text(json.dumps({"checkpoints": notes}, indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise VerifyError(f"the state cannot be written to {path}: {error.strerror}") from error


def joined(*several: Mapping[int, list[str]]) -> dict[int, list[str]]:
    """All notes of `several`, by partition."""
    numbers = sorted({number for one in several for number in one})
    return {number: [note for one in several for note in one.get(number, ())] for number in numbers}
