"""What a client was told whose WebSocket was refused, for when it asks for the same over SPDY at once, as kubectl
does on any refusal: it shows its user only the second answer."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from gateway.effects import Answer

REMEMBERED_MAX = 1_024
REMEMBERED_BYTES_MAX = 16 * 1024
SECONDS = 10.0


class Told:
    """Answers by who asked and for what; each is given once, and not for long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[Hashable, tuple[float, Answer]] = OrderedDict()

    def remember(self, key: Hashable, answer: Answer) -> None:
        """The WebSocket `key` was refused so."""
        if len(answer.body) > REMEMBERED_BYTES_MAX:
            return
        self._answers.pop(key, None)
        self._answers[key] = (self._clock() + SECONDS, answer)
        while len(self._answers) > REMEMBERED_MAX:
            self._answers.popitem(last=False)

    def answer(self, key: Hashable) -> Answer | None:
        """What it was told; None when that was nothing, or long ago."""
        until, answer = self._answers.pop(key, (0.0, None))
        return answer if answer is not None and self._clock() < until else None
