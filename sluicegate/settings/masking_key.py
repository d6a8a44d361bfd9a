"""The masking key: 32 random bytes, made once, shared by all parts, so that a secret has one pseudonym everywhere."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

KEY_BYTES = 32


class MaskingKeyError(Exception):
    """The masking key cannot be used. The message says where it lies and what to do."""


def masking_key(data_dir: Path) -> bytes:
    """The 32 bytes in `data_dir/keys/masking.key`, made when it is not there yet. Safe in several processes at once.

    Raises MaskingKeyError when the file is unreadable, of another length, or open to other users.
    """
    path = data_dir / "keys" / "masking.key"
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode & 0o777
        key = path.read_bytes()
    except OSError as error:
        raise MaskingKeyError(
            f"the masking key {path} cannot be read or made ({error.strerror}); let this user write in {data_dir}"
        ) from error
    if mode & 0o077:
        raise MaskingKeyError(f"the masking key {path} is open to other users; run: chmod 600 {path}")
    if len(key) != KEY_BYTES:
        raise MaskingKeyError(
            f"the masking key {path} has {len(key)} bytes, not {KEY_BYTES}; restore it from a backup, or remove it "
            "to have a new one made (the same secrets then get other pseudonyms)"
        )
    return key


def _make(path: Path) -> None:
    """Writes a new key beside `path` and links it there whole; whoever is first wins, and nobody sees half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".masking.key.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
