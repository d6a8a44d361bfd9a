"""Logins that are kept: `tokens.json` in the user's configuration folder, readable for the user alone."""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sluicegate.login.http import LoggedOutError, LoginError

VERSION = 1


@dataclass(slots=True)
class Login:
    """One person's login at one issuer, for one gateway. Times are Unix seconds.

    `purposes` holds, by connection, the reason that was given for it last.
    """

    issuer: str
    gateway: str
    client_id: str
    token_endpoint: str
    access_token: str
    expires_at: float
    refresh_token: str = ""
    ca_file: str = ""
    purposes: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Login({self.issuer}, {self.gateway})"


def tokens_file() -> Path:
    """`tokens.json` under XDG_CONFIG_HOME, by default ~/.config/sluicegate."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = Path(base) if base.startswith("/") else Path.home() / ".config"
    return folder / "sluicegate" / "tokens.json"


class Logins:
    """The file. `locked` before anything is changed: two scripts may want a token at once."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes the file meanwhile. Raises LoginError."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as exc:
            raise LoginError(f"{self._file.parent} cannot be used: {exc.strerror}") from exc
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def all(self) -> list[Login]:
        """Every login, the latest last. Raises LoginError for a file that others can read, or that is broken."""
        try:
            mode = self._file.stat().st_mode & 0o777
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        except OSError as exc:
            raise LoginError(f"{self._file} cannot be read: {exc.strerror}") from exc
        if mode & 0o077:
            raise LoginError(f"{self._file} is open to other users; run: chmod 600 {self._file}")
        return self._parsed(text)

    def _parsed(self, text: str) -> list[Login]:
        try:
            content: dict[str, Any] = json.loads(text)
            if content["version"] != VERSION:
                raise LoginError(
                    f"{self._file} was written by a newer version; run that one, or remove the file"
                )
            return [Login(**row) for row in content["logins"]]
        except (ValueError, TypeError, KeyError) as exc:
            raise LoginError(f"{self._file} is broken; remove it and run `sluicegate login` again") from exc

    def find(self, issuer: str = "", gateway: str = "") -> Login:
        """The latest login that fits. Raises LoggedOutError when there is none."""
        for login in reversed(self.all()):
            if issuer in ("", login.issuer) and gateway in ("", login.gateway):
                return login
        raise LoggedOutError("you are not logged in there; run `sluicegate login --issuer NAME`")

    def keep(self, login: Login) -> None:
        """`login` takes the place of the one at the same issuer for the same gateway. Raises LoginError."""
        place = (login.issuer, login.gateway)
        others = [kept for kept in self.all() if (kept.issuer, kept.gateway) != place]
        content = {"version": VERSION, "logins": [asdict(kept) for kept in (*others, login)]}
        try:
            self._write(json.dumps(content, indent=1))
        except OSError as exc:
            raise LoginError(f"{self._file} cannot be written: {exc.strerror}") from exc

    def _write(self, text: str) -> None:
        draft = self._file.with_name(f".{self._file.name}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(handle, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            draft.replace(self._file)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
