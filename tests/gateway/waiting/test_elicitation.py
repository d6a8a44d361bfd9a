"""A page is asked for in the form of 2026-07-28, and what comes back is read."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.types import (
    ElicitRequest,
    ElicitRequestURLParams,
    InputRequiredResult,
    JSONRPCResponse,
    jsonrpc_message_adapter,
)
from mcp_types.methods import validate_server_result

from gateway.frames.jsonrpc import look
from gateway.waiting import elicitation, page_taken
from gateway.waiting.seals import APPROVAL_KEY
from tests.gateway.waiting.shapes import ID, MODERN, PENDING, body, modern_meta

PAGE = "https://approvals.example/a/1"


@pytest.mark.parametrize("method", ["tools/call", "prompts/get", "resources/read"])
def test_a_page_is_asked_for_with_the_state_to_come_back_with(method: str) -> None:
    asked = look(body(method, meta=modern_meta(elicitation={"url": {}})))
    message = jsonrpc_message_adapter.validate_json(
        elicitation(asked, PENDING, PAGE, "state", "disks are wiped by two"), by_name=False
    )
    assert isinstance(message, JSONRPCResponse)
    assert message.id == 7
    validate_server_result(method, MODERN, message.result)
    found = InputRequiredResult.model_validate(message.result, by_name=False)
    assert found.request_state == "state"
    [page] = (found.input_requests or {}).values()
    assert isinstance(page, ElicitRequest)
    assert isinstance(page.params, ElicitRequestURLParams)
    assert (page.params.mode, page.params.url) == ("url", PAGE)
    assert page.params.message == (
        f"Waiting for a person's approval (disks are wiped by two). Approval {ID}. This page shows how it stands."
    )


@pytest.mark.parametrize(
    ("responses", "taken"),
    [
        ({APPROVAL_KEY: {"action": "accept"}}, "accept"),
        ({APPROVAL_KEY: {"action": "decline"}, "x": {}}, "decline"),
        ({APPROVAL_KEY: {"action": "cancel"}}, "cancel"),
        ({APPROVAL_KEY: {"action": "approve"}}, ""),
        ({APPROVAL_KEY: "accept"}, ""),
        ({"x": {"action": "accept"}}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_what_is_said_of_the_page_is_read(responses: Any, taken: str) -> None:
    assert page_taken(body(inputResponses=responses)) == taken


def test_a_call_that_says_nothing_of_it_says_nothing() -> None:
    assert page_taken(body()) == ""
    assert page_taken(b"") == ""
