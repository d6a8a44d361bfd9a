"""`sluicegate mask`: a filter over JSON lines, `{"id","text"}` in, `{"id","masked","redactions"}` out."""

from __future__ import annotations

import json
from typing import Any, TextIO

from masking.masker import Masker, mask
from masking.profiles import Profile
from masking.records import MaskingError


def run(stdin: TextIO, stdout: TextIO, profile: str | Profile = "secrets", explain: bool = False) -> int:
    """Mask each line; the exit code: 0, or 1 if a line could not be masked (its answer then has `error`)."""
    failed = False
    for line in stdin:
        if line.strip():
            answer = answer_to(line, profile, explain=explain)
            failed |= "error" in answer
            stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
            stdout.flush()
    return int(failed)


def answer_to(line: str, profile: str | Profile = "secrets", *, explain: bool = False) -> dict[str, Any]:
    """The answer to one line. A line that cannot be masked is answered without any of its text."""
    try:
        row = json.loads(line)
        masked = mask(row["text"], profile)
    except (ValueError, KeyError, TypeError) as error:
        return {"id": None, "error": f"not a line of the form {{id, text}}: {type(error).__name__}"}
    except MaskingError as error:
        return {"id": row.get("id"), "error": str(error)}
    answer: dict[str, Any] = {"id": row.get("id"), "masked": masked.text, "redactions": []}
    for r in masked.redactions:
        entry = {"rule": r.rule, "start": r.start, "end": r.end, "pseudonym": r.pseudonym}
        answer["redactions"].append(entry | ({"path": r.path} if r.path else {}))
    return answer
