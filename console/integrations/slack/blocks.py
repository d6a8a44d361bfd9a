"""What an approval looks like in Slack (Block Kit). Callers' texts stand where Slack marks nothing up: as plain text,
and arguments as preformatted rich text."""

from typing import Any

from console.integrations.showing import View

Block = dict[str, Any]

APPROVE, DENY, REVIEW, LOOK = (
    "sluicegate.approve",
    "sluicegate.deny",
    "sluicegate.review",
    "sluicegate.look",
)
VERBS = {APPROVE: "approve", DENY: "deny", REVIEW: "review"}
CALLBACK = "sluicegate.comment"
COMMENT_BLOCK, COMMENT = "comment", "text"
EVENT = "sluicegate_approval"
COMMENT_CHARACTERS_MAX = 3_000
_HEADER_MAX = 150
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def blocks(view: View) -> list[Block]:
    """The message's body."""
    found: list[Block] = [
        {"type": "header", "text": plain(view.title[:_HEADER_MAX])},
        {"type": "section", "fields": [plain(f"{name}\n{text}") for name, text in view.facts[:10]]},
    ]
    if view.arguments:
        found.append(_preformatted(view.arguments))
    if not view.whole:
        found.append(_context("The arguments are longer than this; see all of them in the console."))
    found.append(_context(view.status))
    buttons = _buttons(view)
    return [*found, {"type": "actions", "elements": buttons}] if buttons else found


def fallback(view: View) -> str:
    """One line for notifications. It is marked up, so what would be markup is escaped."""
    return "".join(_ESCAPES.get(each, each) for each in f"{view.title}. {view.status}.")


def metadata(view: View) -> dict[str, Any]:
    """What the message can be found by again."""
    return {"event_type": EVENT, "event_payload": {"approval_id": view.approval_id}}


def modal(view: View, verb: str, private: str) -> dict[str, Any]:
    """Asks for the comment that belongs to a decision."""
    names = {"approve": "Approve", "deny": "Deny", "review": "Review"}
    element = {
        "type": "plain_text_input",
        "action_id": COMMENT,
        "multiline": True,
        "max_length": COMMENT_CHARACTERS_MAX,
    }
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": private,
        "title": plain(names[verb]),
        "submit": plain(names[verb]),
        "close": plain("Cancel"),
        "blocks": [
            {"type": "section", "text": plain(view.title)},
            {"type": "input", "block_id": COMMENT_BLOCK, "label": plain("Why"), "element": element},
        ],
    }


def plain(text: str) -> Block:
    """Text that is shown as it is."""
    return {"type": "plain_text", "text": text or " ", "emoji": False}


def _buttons(view: View) -> list[Block]:
    """Who has not seen the whole call cannot approve it here."""
    found = []
    if view.open and view.whole:
        found.append(_button("Approve", APPROVE, view, style="primary", confirm=not view.comment_required))
    if view.open:
        found.append(_button("Deny", DENY, view, style="danger"))
    if view.review_due:
        found.append(_button("Reviewed", REVIEW, view))
    if view.url:
        found.append(
            {"type": "button", "text": plain("Open in the console"), "action_id": LOOK, "url": view.url}
        )
    return found


def _button(label: str, action: str, view: View, *, style: str = "", confirm: bool = False) -> Block:
    button: Block = {
        "type": "button",
        "text": plain(label),
        "action_id": action,
        "value": view.approval_id,
    }
    if style:
        button["style"] = style
    if confirm:
        button["confirm"] = {
            "title": plain("Approve it?"),
            "text": plain(view.title),
            "confirm": plain("Approve"),
            "deny": plain("Not yet"),
        }
    return button


def _preformatted(text: str) -> Block:
    element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [element]}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [plain(text)]}
