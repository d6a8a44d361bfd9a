"""Who is logged in: sessions in this process's memory, which end by rest, by age, by logout and by a block.

They are held here and not in the cookie, so that a logout or a block takes them away at once. With several consoles,
the balancer keeps a browser at one of them (by its cookie); one that restarts asks people to log in again.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256

from console.api.callers import Caller
from console.web.settings import WebSettings

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Login:
    """One browser's. `key` is the hash of the cookie's value; times are on a clock that never jumps."""

    key: str
    caller: Caller
    name: str
    csrf: str = field(repr=False)
    began: float
    seen: float
    terminal: bool = False


class Logins:
    """All of a console. Whoever has been quiet for longest goes first where there are too many."""

    def __init__(self, settings: WebSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._monotonic = settings, monotonic
        self._held: OrderedDict[str, Login] = OrderedDict()

    def begin(self, caller: Caller, name: str, *, terminal: bool = False) -> str:
        """A new session; gives the value of its cookie, which is nowhere else."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._monotonic()
        login = Login(_key(token), caller, name, secrets.token_urlsafe(TOKEN_BYTES), now, now, terminal)
        self._make_room(caller.person.name)
        self._held[login.key] = login
        return token

    def find(self, token: str) -> Login | None:
        """The session of a cookie, used just now; None when it has ended or never was."""
        found = self._living(_key(token)) if token else None
        if found is None:
            return None
        used = replace(found, seen=self._monotonic())
        self._held[used.key] = used
        self._held.move_to_end(used.key)
        return used

    def lives(self, key: str) -> bool:
        """Whether a session still is, without using it: a stream keeps nobody logged in."""
        return self._living(key) is not None

    def end(self, key: str) -> None:
        """A session is no more."""
        self._held.pop(key, None)

    def _living(self, key: str) -> Login | None:
        found, now = self._held.get(key), self._monotonic()
        if found is None:
            return None
        rested = now - found.seen >= self._settings.idle_seconds
        if rested or now - found.began >= self._settings.absolute_seconds:
            self.end(key)
            return None
        return found

    def _make_room(self, person: str) -> None:
        mine = [key for key, login in self._held.items() if login.caller.person.name == person]
        for key in mine[: max(0, len(mine) + 1 - self._settings.sessions_by_person_max)]:
            self.end(key)
        while len(self._held) >= self._settings.sessions_max:
            self._held.popitem(last=False)


def _key(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
