"""The matrix of kinds by wrappings in docs/reference/masking-rules.md: `python -m benchmarks.masking.matrix`."""

from __future__ import annotations

import re
from pathlib import Path

import masking
from masking.rules import built_in
from tests.masking.kinds import KINDS, WRAPPINGS, made
from tests.masking.test_wrappings import survives

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "masking-rules.md"
_BEGIN, _END = "<!-- {name}: generated, do not edit -->", "<!-- end of {name} -->"


def matrix() -> str:
    """A row for each kind, a column for each wrapping; a tick where no trace of the secret is left."""
    masker = masking.Masker(b"the matrix of kinds and wrappings")
    rows = [f"| | {' | '.join(WRAPPINGS)} |", "|---" * (len(WRAPPINGS) + 1) + "|"]
    for name, kind in KINDS.items():
        cells = []
        for wrap in WRAPPINGS.values():
            secret = made(name)
            cells.append("–" if survives(secret, masker.mask(wrap(kind(secret))).text) else "✓")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def rules() -> str:
    """A row for each rule: its id, what its pseudonym shows, what it checks."""
    rows = ["| rule | pseudonym | checks | profile |", "|---|---|---|---|"]
    default = masking.PROFILES["secrets"].leave
    plain = {rule.id for rule in built_in()}
    seen = set()
    for rule in built_in(pii=True):
        if rule.id in seen:
            continue
        seen.add(rule.id)
        checks = list(rule.filters) + ([f"entropy ≥ {rule.entropy}"] if rule.entropy else [])
        profile = "strict" if rule.id in default else "all" if rule.id in plain else "with `pii`"
        rows.append(f"| `{rule.id}` | `[masked:{rule.kind}:…]` | {', '.join(checks)} | {profile} |")
    return "\n".join(rows)


def renewed(page: str) -> str:
    """The page with its generated parts renewed."""
    for name, part in (("matrix", matrix()), ("rules", rules())):
        begin, end = _BEGIN.format(name=name), _END.format(name=name)
        page = re.sub(
            f"{re.escape(begin)}.*?{re.escape(end)}",
            lambda _, b=begin, p=part, e=end: f"{b}\n{p}\n{e}",
            page,
            flags=re.S,
        )
    return page


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), "utf-8")
