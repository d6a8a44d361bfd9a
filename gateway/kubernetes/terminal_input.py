"""What a client sends to a process in a pod: it passes unchanged, so only its record is masked.

The record of a key stroke is written before the next one comes. So where a name has told that a secret follows, its
signs are masked as they come, and the line that answers a prompt for a password is masked whole.
"""

import re
from collections.abc import Callable, Iterator

from gateway.kubernetes import terminal_documents as documents
from gateway.kubernetes.terminal_coming import coming
from gateway.kubernetes.terminal_memory import Memory
from gateway.kubernetes.terminal_output import MEMBERS, is_binary
from gateway.kubernetes.terminal_pieces import Hidden, Piece
from gateway.kubernetes.terminal_spans import Mask
from gateway.kubernetes.terminal_tail import word_from
from gateway.kubernetes.terminal_tar import Spotter
from schemas.frames import Redaction

PROMPT = re.compile(
    rb"(?i)(?:passwor[dt]|passwd|passphrase|passcode|kennwort|secret|token|api[ _-]?key|one[ -]?time|otp|\bpin"
    rb"|verification code)"
    rb"[^\r\n]{0,60}[:?>][ \t]*(?:\x1b\[[0-9;?]*[mKhl])*\Z"
)
_LINE_END = re.compile(rb"[\r\n]")
_SPACE = re.compile(rb"[\x00-\x20]")

CUT_MIN = 512
"""A message of this size is no typing: a word that its end cuts in two is masked in the record, with what follows."""

WORD_MIN = 8
"""A shorter word is not taken for half a secret there."""

PROMPTED, CUT = "password-prompt", "cut-word"


class Input:
    """The record of one stdin. `prompt` tells how many outputs there were, and the last line of the last one."""

    def __init__(self, mask: Mask, prompt: Callable[[], tuple[int, bytes]]) -> None:
        self._memory = Memory(mask)
        self._prompt = prompt
        self._answers_prompt = False
        self._asked_at = 0  # the number of the output that was answered last
        self._line_begins = True
        self._in_cut_word = False
        self._spotter = Spotter()

    def take(self, payload: bytes) -> Piece:
        """The record of these bytes. Raises what the mask raises."""
        if self._line_begins:
            self._answers_prompt = self._prompted()
        answer = self._answer(payload)
        self._line_begins = payload[-1:] in (b"\r", b"\n", b"") and not self._answers_prompt
        if not answer:
            return self._visible(payload)
        rest = self._visible(payload[answer:])
        row: Redaction = {"path": "", "rule": PROMPTED, "start": 0, "end": answer, "pseudonym": ""}
        rows = [row, *_moved(rest.redactions, answer)]
        return Piece(b"*" * answer + rest.body, len(payload), rows, rest.attributes)

    def _prompted(self) -> bool:
        """Whether the process asks for a password, and nobody has answered that yet."""
        number, line = self._prompt()
        asks = number > self._asked_at and bool(PROMPT.search(line))
        self._asked_at = number if asks else self._asked_at
        return asks

    def _answer(self, payload: bytes) -> int:
        """How many of these bytes answer a prompt for a password: all up to the end of the line."""
        if not self._answers_prompt:
            return 0
        end = _LINE_END.search(payload)
        if end is None:
            return len(payload)
        self._answers_prompt = False
        return end.start()

    def _visible(self, new: bytes) -> Piece:
        before = self._memory.before
        binary = is_binary(new)
        hidden = [*coming(before, new), *self._cut_word(new)]
        self._spotter.look(new)
        closing = documents.closing(before + new)
        piece = self._memory.piece(new, same_length=binary, hidden=hidden, closing=closing)
        self._spotter.passed(new, piece.body)
        if self._spotter.archive is not None and self._spotter.archive.members:
            piece.attributes = {MEMBERS: self._spotter.archive.told()}
        return piece

    def _cut_word(self, new: bytes) -> Iterator[Hidden]:
        """Both halves of a word that the end of a large message cuts in two."""
        if self._in_cut_word:
            end = _SPACE.search(new)
            yield Hidden(0, end.start() if end else len(new), CUT)
            self._in_cut_word = end is None
        if len(new) >= CUT_MIN and not self._in_cut_word:
            start = word_from(new)
            self._in_cut_word = len(new) - start >= WORD_MIN
            if self._in_cut_word:
                yield Hidden(start, len(new), CUT)


def _moved(rows: list[Redaction], by: int) -> list[Redaction]:
    return [{**row, "start": row["start"] + by, "end": row["end"] + by} for row in rows]
