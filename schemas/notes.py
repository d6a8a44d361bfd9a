"""Signed notes, the tree heads in them, and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

ORIGIN                         the text: lines of UTF-8, each with its end
SIZE
base64 ROOT
base 0                         extension lines of ours
time 2026-11-21T17:30:00Z
                               an empty line, then one line a signature:
— NAME base64(KEY ID ‖ SIGNATURE)

key id          = SHA-256(NAME ‖ 0x0A ‖ ALGORITHM ‖ public key)[:4]
ALGORITHM 0x01    Ed25519 of the text
ALGORITHM 0x04    cosignature/v1: 8 bytes of seconds, then Ed25519 of "cosignature/v1\\ntime SECONDS\\n" ‖ text
vkey            = NAME+hex(key id)+base64(ALGORITHM ‖ public key)
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100
_ID_BYTES = 4
_PUBLIC_BYTES = 32
_DASH = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteError(ValueError):
    """This is no note, checkpoint or key. The message names the fault."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says to have signed, the key's id (4 bytes), and what follows it."""

    name: str
    key_id: bytes
    content: bytes

    def __str__(self) -> str:
        """The line, with its end."""
        return f"{_DASH}{self.name} {_base64(self.key_id + self.content)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures below it; nothing is said about whether they fit."""

    text: str
    signatures: tuple[Signature, ...] = ()

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))

    def with_signatures(self, more: Iterable[Signature]) -> "Note":
        """The same text with `more` below those that are there; what is there already is not repeated."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name, for one kind of signature."""

    name: str
    algorithm: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """4 bytes."""
        named = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public
        return sha256(named).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """The vkey."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(bytes([self.algorithm]) + self.public)}"

    def signed_at(self, note: Note) -> int | None:
        """When this key signed `note`: UTC in seconds, 0 where a signature has no time; None: it did not."""
        times = [self._time(note.text, line) for line in note.signatures if self._is_mine(line)]
        good = [time for time in times if time is not None]
        return (
            good[0] if good and len(good) == len(times) else None
        )  # a bad line of ours spoils the note, as in Go

    def signed(self, note: Note) -> bool:
        """Whether this key signed `note`."""
        return self.signed_at(note) is not None

    def _is_mine(self, line: Signature) -> bool:
        return (line.name, line.key_id) == (self.name, self.key_id)

    def _time(self, text: str, line: Signature) -> int | None:
        seconds, signature, content = 0, line.content, text.encode()
        if self.algorithm == COSIGNATURE:
            seconds, signature = int.from_bytes(line.content[:8], "big"), line.content[8:]
            content = _cosigned(text, seconds)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, content)
        except InvalidSignature:
            return None
        return seconds


class NoteKey:
    """A private Ed25519 key (32 bytes of seed) that signs notes under a name. Raises NoteError for a bad name."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._key.public_key().public_bytes_raw()
        self.name = check_name(name)
        self.log = VerifierKey(name, ED25519, public)
        self.witness = VerifierKey(name, COSIGNATURE, public)

    def sign(self, text: str) -> Signature:
        """A signature of a log."""
        return Signature(self.name, self.log.key_id, self._key.sign(text.encode()))

    def cosign(self, text: str, seconds: int) -> Signature:
        """A witness's: it saw this tree head at `seconds` (UTC), and no other that does not agree with it."""
        content = seconds.to_bytes(8, "big") + self._key.sign(_cosigned(text, seconds))
        return Signature(self.name, self.witness.key_id, content)


def open_note(note: str | bytes) -> Note:
    """The note in `note`, its signatures unchecked. Raises NoteError for what Go's `note.Open` refuses too."""
    whole = _text(note)
    text, gap, lines = whole.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        raise NoteError("a note has a text, an empty line and signature lines")
    signatures = [_signature(line) for line in lines[:-1].split("\n")]
    if len(signatures) > SIGNATURES_MAX:
        raise NoteError(f"a note has at most {SIGNATURES_MAX} signatures")
    return Note(text + "\n", tuple(signatures))


def open_signatures(lines: str | bytes) -> tuple[Signature, ...]:
    """Signature lines alone, as a witness gives them. Raises NoteError."""
    whole = _text(lines)
    if not whole.endswith("\n"):
        raise NoteError("signature lines end with a line end each")
    return tuple(_signature(line) for line in whole[:-1].split("\n")[:SIGNATURES_MAX])


def open_key(vkey: str) -> VerifierKey:
    """The key in a vkey, of a log (0x01) or a witness (0x04). Raises NoteError."""
    parts = vkey.strip().split("+", 2)
    if len(parts) != 3:
        raise NoteError("a vkey has the form NAME+KEYID+KEY")
    name, shown, encoded = parts
    content = _bytes(encoded)
    if len(content) != 1 + _PUBLIC_BYTES or content[0] not in (ED25519, COSIGNATURE):
        raise NoteError("a vkey holds an Ed25519 key of a log or a witness")
    key = VerifierKey(check_name(name), content[0], content[1:])
    if key.key_id.hex() != shown:
        raise NoteError(f"the key of {name} does not fit its id {shown}")
    return key


def check_name(name: str) -> str:
    """`name`, when a key may have it. Raises NoteError."""
    if not name or "+" in name or _CONTROL.search(name) or any(character.isspace() for character in name):
        raise NoteError("the name of a key is not empty and has no space and no +")
    return name


# -- tree heads


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint says: the log, how many leaves it has, the root over them, and further lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of the note."""
        lines = (self.origin, str(self.size), _base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    def extension(self, word: str) -> str:
        """What follows `word` in the first extension line that begins with it; '' when there is none."""
        for line in self.extensions:
            first, _, rest = line.partition(" ")
            if first == word:
                return rest
        return ""


def open_head(text: str) -> TreeHead:
    """The tree head in the text of a note. Raises NoteError."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise NoteError("a checkpoint has an origin, a size, a root, and no empty line")
    origin, size, root = lines[:3]
    if not _NUMBER.fullmatch(size) or int(size) >= 1 << 63:
        raise NoteError("the size of a checkpoint is a number below 2⁶³ without leading zeros")
    content = _bytes(root)
    if len(content) != _PUBLIC_BYTES:
        raise NoteError("the root of a checkpoint has 32 bytes")
    return TreeHead(origin, int(size), content, tuple(lines[3:-1]))


def opened_by(note: Note, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
    """Those of `keys` that signed `note`."""
    return [key for key in keys if key.signed(note)]


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _text(raw: str | bytes) -> str:
    content = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass")
    if len(content) > NOTE_BYTES_MAX:
        raise NoteError(f"a note has at most {NOTE_BYTES_MAX} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteError("a note is UTF-8") from None
    if _CONTROL.search(text):
        raise NoteError("a note has no control characters")
    return text


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise NoteError("a signature line has the form — NAME SIGNATURE")
    content = _bytes(encoded)
    if len(content) <= _ID_BYTES:
        raise NoteError("a signature is longer than its key id")
    return Signature(check_name(name), content[:_ID_BYTES], content[_ID_BYTES:])


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(encoded: str) -> bytes:
    """Strictly: one spelling for the same bytes."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("what should be base64 is not") from None
    if _base64(content) != encoded:
        raise NoteError("what should be base64 has stray bits")
    return content
