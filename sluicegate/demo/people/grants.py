"""What waits: logins that a person has not answered yet, codes that a program has not fetched yet."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sluicegate.demo.people.directory import Person

Clock = Callable[[], float]
"""Seconds since the epoch."""
Waiting = TypeVar("Waiting")

KEPT_MAX: Final = 1_000
LOGIN_SECONDS: Final = 600.0
CODE_SECONDS: Final = 60.0
USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a program asks for: a token for `resource`. `nonce` is for its ID token, '' for none."""

    client_id: str
    resource: str
    scope: str
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """A browser is at the login page: where it goes afterwards."""

    wish: Wish
    redirect_uri: str
    state: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Code:
    """A person has logged in; the program may fetch its tokens once."""

    login: Login
    person: Person


@dataclass(slots=True)
class Device:
    """A program without a browser waits for a person to confirm its code. `declined`: they said no."""

    wish: Wish
    user_code: str
    person: Person | None = None
    declined: bool = False


class Kept(Generic[Waiting]):
    """Things kept under a secret of 256 bits for `seconds`; the oldest goes when there are too many."""

    def __init__(self, seconds: float, clock: Clock = time.time) -> None:
        self._seconds, self._clock = seconds, clock
        self._kept: dict[str, tuple[float, Waiting]] = {}

    def put(self, thing: Waiting) -> str:
        """Keeps it; the secret."""
        if len(self._kept) >= KEPT_MAX:
            del self._kept[next(iter(self._kept))]
        secret = secrets.token_urlsafe(32)
        self._kept[secret] = (self._clock() + self._seconds, thing)
        return secret

    def get(self, secret: str) -> Waiting | None:
        """What is kept under `secret`; None when there is nothing, or its time is over."""
        until, thing = self._kept.get(secret, (0.0, None))
        return thing if until > self._clock() else None

    def take(self, secret: str) -> Waiting | None:
        """What is kept under `secret`, once."""
        found = self.get(secret)
        self._kept.pop(secret, None)
        return found

    def things(self) -> list[Waiting]:
        """All whose time is not over."""
        now = self._clock()
        return [thing for until, thing in self._kept.values() if until > now]


@dataclass(frozen=True, slots=True)
class Grants:
    """All that waits."""

    logins: Kept[Login]
    codes: Kept[Code]
    devices: Kept[Device]

    @classmethod
    def fresh(cls, clock: Clock = time.time) -> "Grants":
        """Nothing waits."""
        return cls(Kept(LOGIN_SECONDS, clock), Kept(CODE_SECONDS, clock), Kept(LOGIN_SECONDS, clock))

    def device_of(self, user_code: str) -> Device | None:
        """The program that waits for this code to be confirmed, typed in any case and with or without the hyphen."""
        typed = "".join(filter(str.isalpha, user_code.upper()))
        for device in self.devices.things():
            if typed == device.user_code.replace("-", "") and not (device.person or device.declined):
                return device
        return None


def user_code() -> str:
    """A code that a person can read out: no vowels, so that it makes no words."""
    letters = [secrets.choice(USER_CODE_LETTERS) for _ in range(8)]
    return "".join([*letters[:4], "-", *letters[4:]])
