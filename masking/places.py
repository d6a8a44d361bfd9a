"""Redactions as a record holds them: where what replaced a secret stands in the masked body."""

from __future__ import annotations

from typing import TypedDict

from masking.records import Masked


class Placed(TypedDict):
    """One redaction. `start` and `end` are bytes of the *masked* body, half open, or -1 where it does not stand as it
    is: in a body in a wide encoding, or cut in two by the lines of an event.
    """

    path: str
    rule: str
    start: int
    end: int
    pseudonym: str


def placed(masked: Masked[bytes]) -> list[Placed]:
    """The redactions of `masked`, in order, with their places in its text.

    The masker tells places in its input, which nobody keeps, and may put quotes around a pseudonym: so each one is
    looked for from where it can stand at the earliest.
    """
    rows: list[Placed] = []
    seen_input = seen_output = 0
    for found in masked.redactions:
        written = (found.written or found.pseudonym).encode()
        start = masked.text.find(written, max(seen_output, seen_output + found.start - seen_input))
        end = start + len(written) if start >= 0 else -1
        rows.append(
            {"path": found.path, "rule": found.rule, "start": start, "end": end, "pseudonym": found.pseudonym}
        )
        if start >= 0:
            seen_input, seen_output = found.end, end
    return rows
