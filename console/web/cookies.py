"""Cookies: bound to this host and to https, unread by scripts; on plain loopback without what needs https."""

from starlette.requests import Request
from starlette.responses import Response


class Cookies:
    """`tls`: whether people reach us by https, so that the names may have `__Host-` (RFC 6265bis, 4.1.3.2)."""

    def __init__(self, *, tls: bool) -> None:
        self._tls = tls
        prefix = "__Host-" if tls else ""
        self.session, self.attempt, self.zone = (
            f"{prefix}sluicegate{part}" for part in ("", "-login", "-zone")
        )

    def read(self, request: Request, name: str) -> str:
        """The value; '' where there is none, or more than one: another site of this domain may have set one."""
        headers = [value for key, value in request.scope["headers"] if key == b"cookie"]
        found: list[str] = []
        for header in headers:
            for part in header.decode("latin-1").split(";"):
                key, _, value = part.strip().partition("=")
                found += [value] if key == name else []
        return found[0] if len(found) == 1 else ""

    def write(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """For this host alone, sent along when a link elsewhere leads here, never with a foreign form."""
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._tls, httponly=True, samesite="lax"
        )

    def drop(self, response: Response, name: str) -> None:
        """The browser forgets it."""
        response.delete_cookie(name, path="/", secure=self._tls, httponly=True, samesite="lax")
