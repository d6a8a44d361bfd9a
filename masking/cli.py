"""`sluicegate mask`: a filter over JSON lines, `{"id","text"}` in, `{"id","masked","redactions"}` out.

A line that cannot be masked is answered with `error` and without any of its text.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Protocol, TextIO

from masking.explain import explain as reasons
from masking.masker import Masker, process_masker
from masking.profiles import Profile
from masking.records import Masked, MaskingError


class Masks(Protocol):
    """What masks a text: a `Masker`, or the deep pass."""

    def mask(self, text: str) -> Masked[str]:
        """The masked text. Raises MaskingError."""
        ...


def run(
    stdin: TextIO,
    stdout: TextIO,
    profile: str | Profile = "secrets",
    explain: bool = False,
    masker: Masks | None = None,
) -> int:
    """Answer each line; the exit code is 0, or 1 if a line could not be masked. Raises ValueError for the
    profile.
    """
    masker = masker or process_masker(profile)
    failed = False
    for line in stdin:
        if line.strip():
            answer = answer_to(masker, line, explain=explain)
            failed |= "error" in answer
            stdout.write(json.dumps(answer) + "\n")
            stdout.flush()
    return int(failed)


def answer_to(masker: Masks, line: str, *, explain: bool = False) -> dict[str, Any]:
    """The answer to one line, as it is written. With `explain`, `reasons` tells what was looked at and
    why.
    """
    try:
        row = json.loads(line)
        identity, text = row["id"], row["text"]
        masked = masker.mask(str(text))
    except (ValueError, KeyError, TypeError) as error:
        return {"id": None, "error": f"not a line of the form {{id, text}}: {type(error).__name__}"}
    except MaskingError as error:
        return {"id": identity, "error": str(error)}
    answer: dict[str, Any] = {
        "id": identity,
        "masked": masked.text,
        "redactions": [asdict(redaction) for redaction in masked.redactions],
    }
    if explain and isinstance(masker, Masker):
        answer["reasons"] = [asdict(reason) for reason in reasons(masker, str(text))]
    return answer
