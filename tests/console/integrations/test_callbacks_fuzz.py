"""Whatever is signed, only a decision decides: odd JSON is answered below 500, and texts of others stay texts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from console.integrations.deciding import approval_id
from console.integrations.jira.document import description, plain
from console.integrations.metrics import Metrics
from console.integrations.settings import Slack, Webhook
from console.integrations.showing import inert, view_of
from console.integrations.slack import SlackClicks
from console.integrations.slack.blocks import blocks
from console.integrations.teams.cards import attachment, card
from console.integrations.vendor import session
from console.integrations.webhooks import WebhookWords
from gateway.settings import SecretSource
from tests.console.integrations import hook_server, slack_server, teams_server
from tests.console.integrations.jira_server import check_document
from tests.console.integrations.paper import PaperDesk

NAMES = (
    *("type", "actions", "action_id", "value", "user", "team", "id", "team_id", "view", "callback_id"),
    *(
        "private_metadata",
        "state",
        "values",
        "comment",
        "text",
        "data",
        "approval_id",
        "verb",
        "person",
        "channel",
    ),
)
WORDS = (
    *("block_actions", "view_submission", "sluicegate.approve", "sluicegate.comment", "approval.decision"),
    *("approve", "review", "T1", "UANN", "ann", "{}", "[1]"),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=20,
)
TEXTS = st.text(max_size=300)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def client(desk: PaperDesk, folder: Path) -> TestClient:
    """A console that takes clicks of Slack and words of a webhook."""
    sources = []
    for name, secret in (("slack", slack_server.SIGNING_SECRET), ("bus", hook_server.SECRET)):
        (folder / name).write_text(secret, encoding="utf-8")
        sources.append(SecretSource(file=folder / name))
    nowhere = Slack(sources[0], (sources[0],), (), "http://127.0.0.1:9/api")

    async def make() -> Starlette:
        async with session() as http:
            clicks = SlackClicks(nowhere, desk, http, Metrics())
        words = WebhookWords(Webhook("bus", (sources[1],), decisions=True), desk, Metrics())
        return Starlette(routes=[*clicks.routes(), *words.routes()])

    return TestClient(asyncio.run(make()))


@QUICK
@given(VALUES)
def test_abuse_80_signed_nonsense_decides_nothing(tmp_path: Path, payload: Any) -> None:
    desk = PaperDesk()
    approval = desk.ask()
    web = client(desk, tmp_path)
    click = slack_server.signed(payload)
    assert web.post("/integrations/slack", content=click.body, headers=click.headers).status_code < 500
    said = hook_server.message(payload)
    answer = web.post("/integrations/webhooks/bus", content=said.body, headers=said.headers)
    assert answer.status_code < 500
    assert desk.decided == []
    assert desk.state(approval) == "pending"


@QUICK
@given(VALUES)
def test_any_json_is_a_document_with_words_or_without(document: Any) -> None:
    assert isinstance(plain(document), str)
    assert isinstance(approval_id(document), str)


@QUICK
@given(TEXTS, TEXTS, TEXTS, st.binary(max_size=4_000), st.sampled_from(["call", "standing", "access"]))
def test_whatever_a_caller_wrote_a_message_keeps_the_vendors_limits(
    tool: str, reason: str, subject: str, arguments: bytes, kind: str
) -> None:
    desk = PaperDesk()
    over = {
        "tool": tool,
        "reason": reason,
        "principal_subject": subject,
        "arguments": arguments,
        "kind": kind,
    }
    standing = desk.standing(
        desk.ask(**{name: _encodable(value) for name, value in over.items()}, uses_max=3)
    )
    assert standing
    view = view_of(standing, "https://console.example.com")
    slack_server.check_blocks(blocks(view))
    teams_server.checked(attachment(card(view, decide=True)))
    check_document(description("words", view))
    shown = json.dumps(blocks(view), ensure_ascii=False)
    assert shown == inert(shown)


def _encodable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
