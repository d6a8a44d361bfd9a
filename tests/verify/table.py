"""The tampering table of the docs, from the attacks that the tests do: `python -m tests.verify.table` writes it."""

from itertools import groupby
from pathlib import Path

from tests.verify.attacks import ATTACKS, Attack

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "tamper-evidence.md"
BEGIN = "<!-- tampering table: written by `python -m tests.verify.table` -->"
END = "<!-- end of the tampering table -->"
_HEAD = ["| what is done to the store | what `verify` says | exit code |", "|---|---|---|"]


def table() -> str:
    """Markdown."""
    rows = [f"| {one.name} | {_said(one)} | {int(one.verdict)} {_word(one)} |" for one in ATTACKS]
    return "\n".join([*_HEAD, *rows])


def _said(attack: Attack) -> str:
    kinds = [kind.value for kind, *_rest in attack.says]
    counted = [(kind, len(list(same))) for kind, same in groupby(sorted(kinds))]
    return ", ".join(f"{kind} ×{count}" if count > 1 else kind for kind, count in counted) or "nothing"


def _word(attack: Attack) -> str:
    return attack.verdict.name.lower().replace("_", " ")


def main() -> None:
    """Writes the table into the page, between its marks."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
