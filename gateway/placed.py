"""Redactions as a record holds them: where their pseudonyms stand in the masked body."""

from masking import Masked
from schemas.frames import Redaction


def placed(masked: Masked[bytes]) -> list[Redaction]:
    """The redactions of `masked`, in order; `start` and `end` are -1 where a pseudonym does not stand as it is.

    The masker tells places in its input, which nobody keeps, and may put quotes around a pseudonym: so each one is
    looked for from where it can stand at the earliest.
    """
    rows: list[Redaction] = []
    seen_input = seen_output = 0
    for found in masked.redactions:
        pseudonym = found.pseudonym.encode()
        start = masked.text.find(pseudonym, seen_output + found.start - seen_input)
        end = start + len(pseudonym) if start >= 0 else -1
        rows.append(
            Redaction(path=found.path, rule=found.rule, start=start, end=end, pseudonym=found.pseudonym)
        )
        if start >= 0:
            seen_input, seen_output = found.end, end
    return rows
