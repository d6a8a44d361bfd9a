"""The key of the logs: one Ed25519 key, under the name of each log."""

from pathlib import Path

from schemas.checkpoints import origin_of
from schemas.notes import Note, NoteKey, TreeHead, VerifierKey, open_key

VKEYS_FILE = "log.vkeys"


def public_of(seed: bytes) -> bytes:
    """The public key of a seed: 32 bytes."""
    return NoteKey("public", seed).log.public


def read_vkeys(file: Path) -> list[str]:
    """The vkeys in a file, one a line; empty lines and those that begin with # say nothing. Raises OSError."""
    lines = (line.strip() for line in file.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


class Signer:
    """Signs for all logs of `name`. Raises NoteError for a name or a former key that is none."""

    def __init__(self, name: str, seed: bytes, former: tuple[str, ...] = (), topic: str = "audit") -> None:
        self.name = name
        self._topic = topic
        self._seed = seed
        self._former = [open_key(vkey) for vkey in former]
        self.key(0)

    def origin(self, partition: int) -> str:
        """The name of a partition's log."""
        return origin_of(self.name, self._topic, partition)

    def key(self, partition: int) -> NoteKey:
        """The key under the name of that log."""
        return NoteKey(self.origin(partition), self._seed)

    def trusted(self, partition: int) -> list[VerifierKey]:
        """The keys whose checkpoints of that log are ours."""
        own = self.key(partition).log
        return [own, *(key for key in self._former if key.name == own.name)]

    def signed(self, partition: int, head: TreeHead) -> str:
        """The note of `head`."""
        return str(Note(head.text, (self.key(partition).sign(head.text),)))

    def publish(self, folder: Path, partitions: list[int]) -> None:
        """Writes the vkeys of the logs to a file, a line each, for those who verify. Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{VKEYS_FILE}"
        draft.write_text("".join(f"{self.key(number).log}\n" for number in partitions), "utf-8")
        draft.replace(folder / VKEYS_FILE)
