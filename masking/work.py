"""One call's work: what its profile leaves out, and what it may still spend. It keeps hostile input
bounded.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from masking.profiles import Profile
from masking.records import LimitCrossed

DEPTH_MAX = 8
"""Levels of wrapping that are followed; JSON in a string in a string is three."""

INFLATED_MAX = 32 * 1024 * 1024
"""Bytes that all compressed runs of one text may inflate to, together."""

SECONDS, SECONDS_PER_MEGABYTE = 1.0, 1.0
"""Processor time for one text. A clean megabyte takes a few milliseconds, one full of secrets half a
second.
"""

_UNSEEN = 0.1
"""The share of that time that may pass on the wall before processor time is looked at."""


class Work:
    """The budget of one call. Every method raises LimitCrossed when it is spent: the text must then not
    pass.
    """

    def __init__(
        self,
        profile: Profile,
        size: int,
        clock: Callable[[], float] = time.thread_time,
        wall: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.profile = profile
        self._clock, self._wall = clock, wall
        self._seconds = SECONDS + SECONDS_PER_MEGABYTE * size / 1e6
        self._begin = wall()
        self._look = self._begin + self._seconds * _UNSEEN
        self._deadline = 0.0
        self._inflatable = INFLATED_MAX
        self.fixed = frozenset(form.text for form in profile.forms_by_rule().values() if form.text)
        self._allow = tuple(re.compile(pattern, re.DOTALL) for pattern in profile.allow)

    def stays(self, rule: str, value: str) -> bool:
        """Whether the profile leaves this finding as it is."""
        return rule in self.profile.leave or any(pattern.fullmatch(value) for pattern in self._allow)

    def go_on(self) -> None:
        """Whether there is time left."""
        if self._wall() >= self._look:
            self._look_closer()

    def _look_closer(self) -> None:
        """Asks for processor time, which costs a system call: what is done in an instant never gets here."""
        now = self._clock()
        if not self._deadline:
            passed = min(self._wall() - self._begin, self._seconds / 2)
            self._deadline = now + self._seconds - passed
            self._look = self._begin + self._seconds
        elif now > self._deadline:
            raise LimitCrossed(
                "masking took longer than its limit for a text of this size; nothing of it passes"
            )

    def enter(self, depth: int) -> None:
        """Go down to this level of wrapping."""
        if depth > DEPTH_MAX:
            raise LimitCrossed(
                f"strings are nested more than {DEPTH_MAX} levels deep; nothing of the text passes"
            )
        self.go_on()

    @property
    def inflatable(self) -> int:
        """How many more bytes may be inflated."""
        return self._inflatable

    def inflated(self, size: int, *, whole: bool) -> None:
        """Account for `size` inflated bytes; `whole` says that nothing was left behind."""
        self._inflatable -= size
        if not whole or self._inflatable < 0:
            raise LimitCrossed(
                f"compressed content inflates to more than {INFLATED_MAX} bytes; nothing of it passes"
            )
