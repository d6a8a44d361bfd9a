"""Keys of this deployment: 32 random bytes each, made once in `data_dir/keys` and shared by all parts."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

KEY_BYTES = 32


class KeyFileError(Exception):
    """A key cannot be used. The message says where it lies and what to do."""


def masking_key(data_dir: Path) -> bytes:
    """What makes the pseudonyms, so that a secret has one everywhere. See `key`."""
    return key(data_dir, "masking", "the same secrets then get other pseudonyms")


def session_key(data_dir: Path) -> bytes:
    """The seed of the key that signs session tokens. See `key`."""
    return key(data_dir, "session", "the session tokens given until now are void then")


def key(data_dir: Path, name: str, lost: str) -> bytes:
    """The 32 bytes in `data_dir/keys/NAME.key`, made when it is not there yet. Safe in several processes at once.

    Raises KeyFileError when the file is unreadable, of another length, or open to other users; `lost` says what
    another key would mean.
    """
    path = data_dir / "keys" / f"{name}.key"
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode & 0o777
        content = path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"the {name} key {path} cannot be read or made ({error.strerror}); let this user write in {data_dir}"
        ) from error
    if mode & 0o077:
        raise KeyFileError(f"the {name} key {path} is open to other users; run: chmod 600 {path}")
    if len(content) != KEY_BYTES:
        raise KeyFileError(
            f"the {name} key {path} has {len(content)} bytes, not {KEY_BYTES}; restore it from a backup, or remove "
            f"it to have a new one made ({lost})"
        )
    return content


def write_public(data_dir: Path, name: str, public: bytes) -> None:
    """Writes the public key that belongs to `keys/NAME.key` beside it, as hex, unless it is there already.

    Raises KeyFileError when another one is there, or none can be written.
    """
    there = read_public(data_dir, name)
    path = _public_path(data_dir, name)
    if there is not None and there != public:
        raise KeyFileError(
            f"{path} is not the public key of {name}.key beside it; remove the wrong one of the two"
        )
    if there is None:
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            draft.write_text(f"{public.hex()}\n", "ascii")
            draft.replace(path)
        except OSError as error:
            raise KeyFileError(f"the public key {path} cannot be written ({error.strerror})") from error


def read_public(data_dir: Path, name: str) -> bytes | None:
    """The 32 bytes in `keys/NAME.pub`; None when there is no such file. Raises KeyFileError."""
    path = _public_path(data_dir, name)
    try:
        found = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise KeyFileError(f"the public key {path} cannot be read; it is 64 hex digits") from error
    if len(found) != KEY_BYTES:
        raise KeyFileError(f"the public key {path} has {len(found)} bytes, not {KEY_BYTES}; copy it again")
    return found


def _public_path(data_dir: Path, name: str) -> Path:
    return data_dir / "keys" / f"{name}.pub"


def _make(path: Path) -> None:
    """Writes a new key beside `path` and links it there whole; whoever is first wins, and nobody sees half a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
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
