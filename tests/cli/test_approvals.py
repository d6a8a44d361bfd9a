"""Approvals at a terminal: listed as they stand, decided by whom they should be, on the record before and after."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from console.terminal import terminal_groups as own_groups
from schemas.approvals import request_value, signed_request
from schemas.kafka import KafkaAddress, ensure_topics
from schemas.signatures import SigningKey
from sluicegate.cli.app import app
from sluicegate.settings.approvals import signing_seed
from tests.cli.test_decisions import ME, configured
from tests.processors.approvals.making import SECOND, request_fields
from tests.processors.fleet import Fleet
from tests.processors.trail import fill, until
from tests.support.topics import acts


class Desk:
    """A configuration whose broker runs, and maybe a processor."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.broker = broker
        self.config = configured(folder, broker)
        self.data_dir = folder / "data"

    def ask(self, key: SigningKey | None = None, **over: Any) -> str:
        """A gateway holds a call; its approval's id."""
        at = time.time_ns() // 1_000
        quorum = [{"reviewers": own_groups(), "people": 1}]
        ours = {
            "approval_id": str(uuid4()),
            "quorum": quorum,
            "requested_at": at,
            "expires_at": at + 600 * SECOND,
        }
        fields = request_fields(1, **{**ours, **over})
        record = signed_request(fields, key or SigningKey(signing_seed(self.data_dir, "gateway")))
        row = (None, record["approval_id"].encode(), request_value(record))
        asyncio.run(fill(self.broker, "approvals.requested", [row]))
        return record["approval_id"]

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["approvals", *words, "--config", str(self.config)])

    def row(self, approval: str) -> dict[str, Any]:
        """As `show` has it."""
        shown = self.run("show", approval, "--json")
        assert shown.exit_code == 0, shown.output
        found: dict[str, Any] = json.loads(shown.stdout)
        return found

    def comes_to(self, approval: str, state: str) -> dict[str, Any]:
        async def fact() -> bool:
            return bool((await asyncio.to_thread(self.row, approval))["state"] == state)

        asyncio.run(until(fact, 60))
        return self.row(approval)

    def acts(self, approval: str) -> list[tuple[str, str]]:
        """What is on the record of an approval."""
        rows = asyncio.run(acts(self.broker, lambda record: record["target"] == approval))
        return [(row["action"], str(row["outcome"])) for row in rows]


@pytest.fixture
def desk(broker: str, tmp_path: Path) -> Desk:
    asyncio.run(ensure_topics(KafkaAddress(broker, embedded=True)))
    return Desk(tmp_path, broker)


@pytest.fixture
def served(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """With a processor that has the same keys."""

    def arguments(home: Path) -> list[str]:
        return ["tests.cli.approvals_worker", str(desk.config), str(home)]

    with Fleet(tmp_path, arguments, 1, Random(1)) as workers:
        workers.add()
        yield desk


def test_it_is_listed_approved_and_revoked(served: Desk) -> None:
    approval = served.ask(kind="standing", grant_seconds=300, uses_max=2, arguments=b'{"name":"\x1b[31mweb"}')
    pending = served.comes_to(approval, "pending")
    assert (pending["arguments"], pending["principal_subject"]) == ('{"name":"\x1b[31mweb"}', "bob")
    table = served.run("list")
    assert approval in table.stdout
    assert "\x1b" not in served.run("show", approval).stdout
    approved = served.run("approve", approval, "--comment", "looked at it", "--wait", "60")
    assert approved.exit_code == 0, approved.output
    assert f"approval {approval} is approved" in approved.stdout
    assert served.row(approval)["approvers"] == [f"|{ME}"]
    assert served.acts(approval) == [("approval.approve", "asked"), ("approval.approve", "done")]
    again = served.run("approve", approval, "--wait", "60")
    assert (again.exit_code, "it is approved already" in again.output) == (1, True)
    assert served.acts(approval)[2:] == [("approval.approve", "asked"), ("approval.approve", "refused")]
    revoked = served.run("revoke", approval, "--wait", "60")
    assert f"approval {approval} is revoked" in revoked.stdout
    assert approval not in served.run("list").stdout
    assert approval in served.run("list", "--all").stdout


def test_abuse_75_nobody_at_a_terminal_approves_their_own(served: Desk) -> None:
    own = served.ask(principal_issuer="", principal_subject=ME)
    other = served.ask(quorum=[{"reviewers": ["a-group-nobody-has"], "people": 1}])
    denied = served.ask()
    refused = served.run("approve", own, "--wait", "60")
    assert refused.exit_code == 1
    assert "nobody decides what they asked for themselves" in refused.output
    assert "not one of the reviewers" in served.run("approve", other, "--wait", "60").output
    assert served.comes_to(own, "pending")["approvers"] == []
    assert "is denied" in served.run("deny", denied, "--wait", "60").stdout
    assert "is revoked" in served.run("revoke", own, "--wait", "60").stdout


def test_without_a_processor_nothing_is_claimed(desk: Desk) -> None:
    approval = desk.ask()
    assert desk.row(approval)["state"] == "unread"
    result = desk.run("deny", approval, "--wait", "0.5")
    assert result.exit_code == 1
    assert "nobody has answered" in result.output
    assert desk.row(approval)["state"] == "unread"


def test_abuse_80_a_forged_request_is_not_shown_to_anybody(desk: Desk) -> None:
    forged = desk.ask(SigningKey(b"s" * 32))
    assert desk.run("list", "--all", "--json").stdout.find(forged) == -1
    result = desk.run("approve", forged)
    assert (result.exit_code, "there is no approval" in result.output) == (1, True)
    assert desk.acts(forged) == []
