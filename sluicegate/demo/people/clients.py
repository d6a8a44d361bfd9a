"""Which programs may ask for tokens: those that registered themselves (RFC 7591), and the command line.

All are public: they prove who they are by PKCE and by where their browser comes back to, which is this machine.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from sluicegate.demo.people.errors import OAuthError, UnusableFileError
from sluicegate.embedded.files import write_atomically

CLI: Final = "sluicegate"
CONSOLE: Final = "console"
CALLBACK: Final = "/login/callback"
FILE: Final = "clients.json"
CLIENTS_MAX: Final = 500
REDIRECTS_MAX: Final = 10
URL_CHARACTERS_MAX: Final = 500
NAME_CHARACTERS_MAX: Final = 100
ADDRESSES: Final = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Client:
    """A program. The name is what it says of itself."""

    client_id: str
    name: str
    redirect_uris: tuple[str, ...]

    def comes_back_to(self, redirect_uri: str) -> bool:
        """Whether a browser may be sent there: registered to the letter, but for the port of a loopback address.

        Source: RFC 8252, 7.3: a program takes a free port when it needs one.
        """
        return is_loopback(redirect_uri) and any(
            redirect_uri == known or _differ_in_port(redirect_uri, known) for known in self.redirect_uris
        )


class Clients:
    """The programs known, kept in `data_dir`; the one registered first goes when there are too many. `console`: the
    URL of the console, whose pages log people in here; '' for none.

    Raises OSError, UnusableFileError.
    """

    def __init__(self, data_dir: Path, console: str = "") -> None:
        self._console = console.rstrip("/")
        self._file = data_dir / FILE
        self._known = {client.client_id: client for client in _read(self._file)}

    def get(self, client_id: str) -> Client:
        """The program of this id. Raises OAuthError."""
        if client_id == CLI:
            return Client(CLI, CLI, ())
        if client_id == CONSOLE and self._console:
            return Client(CONSOLE, "the console", (self._console + CALLBACK,))
        if (found := self._known.get(client_id)) is None:
            raise OAuthError("invalid_client", "there is no client of this id; register it", 401)
        return found

    def register(self, metadata: Any) -> Client:
        """A new program. Addresses elsewhere than on this machine are left out. Raises OAuthError, OSError."""
        client = Client(f"demo-{secrets.token_hex(8)}", _name(metadata), _redirects(metadata))
        self._known[client.client_id] = client
        while len(self._known) > CLIENTS_MAX:
            del self._known[next(iter(self._known))]
        write_atomically(self._file, json.dumps([asdict(known) for known in self._known.values()], indent=1))
        return client


def is_loopback(uri: str) -> bool:
    """Whether `uri` is an http address on this machine that a browser and we read alike."""
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' \\#"<>') and "@" not in parts.netloc
    return plain and parts.scheme == "http" and host in (*ADDRESSES, "localhost")


def _differ_in_port(one: str, other: str) -> bool:
    """Whether two URLs on the same loopback address are the same but for the port. A name may be anyone's."""
    first, second = urlsplit(one), urlsplit(other)
    return first.hostname in ADDRESSES and _without_port(first) == _without_port(second)


def _without_port(parts: SplitResult) -> tuple[str, ...]:
    return (parts.hostname or "", parts.path or "/", parts.query)


def _redirects(metadata: Any) -> tuple[str, ...]:
    uris = metadata.get("redirect_uris", []) if isinstance(metadata, dict) else None
    if not isinstance(uris, list) or not all(isinstance(uri, str) for uri in uris):
        raise OAuthError("invalid_client_metadata", "redirect_uris must be a list of addresses")
    kept = tuple(uri for uri in uris[:REDIRECTS_MAX] if len(uri) <= URL_CHARACTERS_MAX and is_loopback(uri))
    if uris and not kept:
        raise OAuthError("invalid_redirect_uri", "none of redirect_uris is an http address on loopback")
    return kept


def _name(metadata: Any) -> str:
    name = metadata.get("client_name") if isinstance(metadata, dict) else None
    return name[:NAME_CHARACTERS_MAX] if isinstance(name, str) and name.isprintable() else "a program"


def _read(file: Path) -> list[Client]:
    if not file.exists():
        return []
    try:
        rows = json.loads(file.read_text("utf-8"))
        return [Client(row["client_id"], row["name"], tuple(row["redirect_uris"])) for row in rows]
    except (ValueError, TypeError, KeyError):
        raise UnusableFileError(
            f"{file} is no list of programs; remove it, and they register again"
        ) from None
