"""Why a desk did not do what a person wanted."""

from typing import Literal

DeskReason = Literal["not_found", "refused", "unavailable"]


class DeskError(Exception):
    """A decision was not taken, or does not count; `str()` says why, for the person who took it.

    `reason`: not_found; refused (by the processor, or by the desk's own bounds); unavailable (Kafka or the
    processor does not answer: the text says whether it may be in force all the same).
    """

    def __init__(self, reason: DeskReason, text: str) -> None:
        super().__init__(text)
        self.reason: DeskReason = reason
