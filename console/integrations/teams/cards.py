"""What an approval looks like in Teams (Adaptive Cards 1.4). Callers' texts are text runs: no markup there."""

from typing import Any

from console.integrations.showing import View

Element = dict[str, Any]

KIND = "application/vnd.microsoft.card.adaptive"
VERSION = "1.4"
COMMENT = "comment"
COMMENT_CHARACTERS_MAX = 3_000


def card(view: View, *, decide: bool) -> dict[str, Any]:
    """`decide`: with buttons that decide, where anything can be decided; else with a link alone."""
    body = [_text(view.title, weight="Bolder", size="Medium")]
    body += [_fact(name, text) for name, text in view.facts]
    if view.arguments:
        body.append(_text(view.arguments, fontType="Monospace"))
    if not view.whole:
        body.append(
            _text("The arguments are longer than this; see all of them in the console.", isSubtle=True)
        )
    body.append(_text(view.status, isSubtle=True))
    actions = _decisions(view) if decide else []
    if actions:
        body.append(_comment(view))
    if view.url:
        actions.append({"type": "Action.OpenUrl", "title": "Open in the console", "url": view.url})
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": VERSION,
        "fallbackText": view.title,
        "body": body,
        "actions": actions,
    }


def attachment(content: dict[str, Any]) -> dict[str, Any]:
    """A message that is the card."""
    return {"type": "message", "attachments": [{"contentType": KIND, "content": content}]}


def _decisions(view: View) -> list[Element]:
    """Who has not seen the whole call cannot approve it here."""
    found = []
    if view.open and view.whole:
        found.append(_execute("Approve", "approve", view, "positive"))
    if view.open:
        found.append(_execute("Deny", "deny", view, "destructive"))
    if view.review_due:
        found.append(_execute("Reviewed", "review", view, "default"))
    return found


def _execute(title: str, verb: str, view: View, style: str) -> Element:
    data = {"approval": view.approval_id}
    return {"type": "Action.Execute", "title": title, "verb": verb, "style": style, "data": data}


def _comment(view: View) -> Element:
    required = {"isRequired": True, "errorMessage": "The rule demands a comment."}
    return {
        "type": "Input.Text",
        "id": COMMENT,
        "label": "Comment",
        "isMultiline": True,
        "maxLength": COMMENT_CHARACTERS_MAX,
        **(required if view.comment_required else {}),
    }


def _fact(name: str, text: str) -> Element:
    runs = [{"type": "TextRun", "text": f"{name}: ", "weight": "Bolder"}, {"type": "TextRun", "text": text}]
    return {"type": "RichTextBlock", "inlines": runs, "spacing": "None"}


def _text(text: str, **style: Any) -> Element:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}
