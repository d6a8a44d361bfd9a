"""Redactions as a record holds them: where their pseudonyms stand in the masked body."""

from masking import Masked
from masking import Redaction as Found
from schemas.frames import Redaction


def placed(masked: Masked[bytes]) -> list[Redaction]:
    """The redactions with the places of their pseudonyms in the masked body.

    The masker tells places in its input, and may put quotes around a pseudonym. So each pseudonym is looked for
    from where it can stand at the earliest; the unchanged bytes before that are never searched.
    """
    rows: list[Redaction] = []
    done_input = done_output = 0
    for found in masked.redactions:
        start = _find(masked.text, found, done_output + found.start - done_input)
        end = start + len(found.pseudonym)
        rows.append(
            Redaction(path=found.path, rule=found.rule, start=start, end=end, pseudonym=found.pseudonym)
        )
        done_input, done_output = found.end, end
    return rows


def _find(body: bytes, found: Found, earliest: int) -> int:
    place = body.find(found.pseudonym.encode(), earliest)
    return place if place >= 0 else earliest
