"""What a message says. Titles of findings may quote strangers: nothing in them becomes a link or a mention."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from processors.alerts.board import Parcel, worst
from processors.alerts.rows import Row
from schemas.findings import SEVERITIES

Kind = Literal["info", "warning", "failure"]

TITLE_MAX = 200
LINE_MAX = 400
LETTERS_SHOWN = 20
_KINDS: dict[str, Kind] = {"critical": "failure", "high": "failure", "medium": "warning"}
_MENTION = re.compile(r"[@<!](?=[\w!@#&])")
_LINK = re.compile(r"://|\]\(|\bwww\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Message:
    """Plain text, whatever the service makes of it."""

    title: str
    body: str
    kind: Kind


def message_of(parcel: Parcel) -> Message:
    """The message for a parcel."""
    return _summary(parcel) if parcel.held_back else _letter(parcel.letters[0])


def _letter(row: Row) -> Message:
    lines = row["lines"]
    severity = SEVERITIES[worst(lines)]
    count = len(lines) + row["more"]
    what = safe(lines[0]["title"]) if count == 1 else f"{count} findings"
    about = f" about {safe(row['principal'])}" if row["principal"] else ""
    title = f"[{severity}] {safe(row['rule'])}{about if count > 1 else ''}: {what}"
    body = [_shown(line) for line in lines]
    if row["more"]:
        body.append(f"… and {row['more']} more: sluicegate findings list --rule {safe(row['rule'])}")
    if lines[0]["explanation"]:
        body.append(safe(lines[0]["explanation"]))
    return Message(title[:TITLE_MAX], "\n".join(body), _KINDS.get(severity, "info"))


def _summary(parcel: Parcel) -> Message:
    lines = [line for row in parcel.letters for line in row["lines"]]
    severity = SEVERITIES[worst(lines)]
    count = len(lines) + sum(row["more"] for row in parcel.letters)
    title = f"[{severity}] {count} findings were held back by the limit of {parcel.route.hour_max} messages an hour"
    body = [_counted(row) for row in parcel.letters[:LETTERS_SHOWN]]
    if len(parcel.letters) > LETTERS_SHOWN:
        rules = Counter(row["rule"] for row in parcel.letters[LETTERS_SHOWN:])
        body.append("… and of " + ", ".join(f"{safe(rule)} ({many})" for rule, many in rules.most_common(10)))
    body.append("sluicegate findings list shows all")
    return Message(title[:TITLE_MAX], "\n".join(body), _KINDS.get(severity, "info"))


def _shown(line: Row) -> str:
    again = "opened again: " if line["act"] == "reopened" else ""
    facts = ", ".join(safe(line[name]) for name in ("connection", "technique") if line[name])
    head = f"{_moment(line['at'])} {line['severity']}: {again}{safe(line['title'])}"
    return f"{head}{f' ({facts})' if facts else ''}\n  sluicegate findings show {line['finding_id']}"


def _counted(row: Row) -> str:
    count, about = (
        len(row["lines"]) + row["more"],
        f" about {safe(row['principal'])}" if row["principal"] else "",
    )
    latest = row["lines"][-1]
    return f"{count} × {safe(row['rule'])}{about}, the latest {latest['severity']}: {safe(latest['title'])}"


def safe(text: str) -> str:
    """One line without control characters, mentions, links or markup that a chat would act on; bounded."""
    line = " ".join(text.split())
    line = "".join(
        " " if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cn") else one for one in line
    )
    line = _MENTION.sub(lambda found: f"{found[0]}\u200b", line)
    line = _LINK.sub(lambda found: f"{found[0][0]}\u200b{found[0][1:]}", line)
    return line if len(line) <= LINE_MAX else f"{line[:LINE_MAX]}…"


def _moment(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
