"""A time limit on a call that never yields: a pattern that runs wild must not stop the worker."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

R = TypeVar("R")


class DeadlineExceededError(Exception):
    """The call took longer than its limit."""


class Deadline:
    """Runs calls under a limit of seconds, by SIGALRM: Python's `re` looks for signals while it matches.

    Signals reach the main thread only, so calls from other threads run without a limit. Not reentrant.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._armed = False

    def install(self) -> None:
        """Take SIGALRM for this object. Raises ValueError outside the main thread."""
        signal.signal(signal.SIGALRM, self._on_alarm)

    def call(self, function: Callable[[bytes], R], argument: bytes) -> R:
        """`function(argument)`. Raises DeadlineExceededError when it is not done in time."""
        if threading.current_thread() is not threading.main_thread():
            return function(argument)
        try:
            self._armed = True
            signal.setitimer(signal.ITIMER_REAL, self._seconds)
            return function(argument)
        finally:
            self._armed = False
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _on_alarm(self, _signal: int, _frame: FrameType | None) -> None:
        if self._armed:  # an alarm that comes late must not hit the event loop
            raise DeadlineExceededError(f"not done in {self._seconds:g} s")
