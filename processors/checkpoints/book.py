"""What this machine knows to be signed, in a file: a topic that is rolled back does not roll it back.

Per log two notes: the newest one that is on the topic, and the one that was about to go there.
"""

import json
import os
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from processors.checkpoints.opening import Claim
from schemas.notes import NoteError, VerifierKey, open_head, open_note

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Page:
    """Two notes, '' for none."""

    published: str = ""
    pending: str = ""


class Book:
    """The files of one machine, one a log. Calls touch the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page(self, origin: str) -> Page:
        """What is known of a log. Raises OSError and ValueError for a file that cannot be read: then nothing is
        signed before somebody has looked."""
        path = self._path(origin)
        try:
            content = json.loads(path.read_text("utf-8"))
            return Page(str(content["published"]), str(content["pending"]))
        except FileNotFoundError:
            return Page()
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path} cannot be read; restore it from a backup: {type(error).__name__}"
            ) from None

    def write(self, origin: str, page: Page) -> None:
        """Durable when it returns; a page that knows of a larger tree stays. Raises OSError."""
        there = self.page(origin)
        if size_of(there.published) > size_of(page.published):
            page = Page(there.published, page.pending)
        path = self._path(origin)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"published": page.published, "pending": page.pending}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)

    def _path(self, origin: str) -> Path:
        tag = sha256(origin.encode()).hexdigest()[:8]
        return self._folder / f"{_UNFIT.sub('_', origin)}-{tag}.json"


def claims(page: Page, keys: list[VerifierKey], place: str = "this machine") -> list[Claim]:
    """What a page claims, as far as one of `keys` signed it. The pending note may never have got to the topic."""
    told = ((page.published, True), (page.pending, False))
    return [claim for note, final in told if (claim := claim_of(note, keys, place, final=final)) is not None]


def claim_of(note: str, keys: list[VerifierKey], place: str, *, final: bool = True) -> Claim | None:
    """What `note` claims; None when none of `keys` signed it."""
    try:
        opened = open_note(note)
        head = open_head(opened.text)
    except NoteError:
        return None
    if not any(key.name == head.origin and key.signed(opened) for key in keys):
        return None
    return Claim(place, head.size, head.root, final)


def size_of(note: str) -> int:
    """Leaves of the tree that `note` speaks of; 0 for none."""
    try:
        return open_head(open_note(note).text).size
    except NoteError:
        return 0
