"""A client that opens pages is sent to the one that shows the approval, and comes back with the state it was given.

    tools/call ─▶ input_required (page, requestState) ─▶ tools/call (inputResponses, requestState) ─▶ it waits there

Source: Model Context Protocol 2026-07-28, "Multi Round-Trip Requests", "Elicitation: URL mode". The page says who may
decide, and asks whoever opens it for their own identity: the link lets nobody in. The second request has to be kept
waiting on its stream: clients take a few such rounds at most, and do not pause between them.
"""

from typing import Any

import msgspec

from gateway.frames.jsonrpc import Look
from gateway.held import Approval
from gateway.waiting import words
from gateway.waiting.asked import decoded, params_of
from gateway.waiting.seals import APPROVAL_KEY


def elicitation(look: Look, approval: Approval, url: str, state: str, reason: str = "") -> bytes:
    """The body that answers `look`, a request of 2026-07-28 whose client declared URL elicitation. `url`: a page
    without secrets; `state`: from StateSeal.seal; `reason`: the rule's words."""
    page: dict[str, Any] = {
        "mode": "url",
        "message": f"{words.waiting_text(approval, reason)} This page shows how it stands.",
        "url": url,
    }
    asked = {APPROVAL_KEY: {"method": "elicitation/create", "params": page}}
    said = {"resultType": "input_required", "inputRequests": asked, "requestState": state}
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (look.id.encode(), msgspec.json.encode(said))


def page_taken(body: bytes) -> str:
    """What the client says of the page: accept, decline or cancel; '' when it says nothing. For the record only: who
    declines to look at a page has not withdrawn the call, and many clients decline every page unasked."""
    responses = decoded(params_of(body).get("inputResponses"))
    response = responses.get(APPROVAL_KEY) if isinstance(responses, dict) else None
    action = response.get("action") if isinstance(response, dict) else None
    return action if action in ("accept", "decline", "cancel") else ""
