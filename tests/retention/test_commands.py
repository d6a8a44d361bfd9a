"""Commands and the console put words on the record: before and after, for two people, truthfully."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console.directory import Person
from console.errors import DeskError
from console.keeping import Keeping
from schemas.kafka import KafkaAddress, ensure_topics
from schemas.retention_content import Hold, hold_content
from sluicegate.cli.app import app
from sluicegate.settings import load
from sluicegate.settings.retention import keeping_settings
from tests.support.topics import acts

ANN = Person("https://id.example.com", "ann")
BOB = Person("https://id.example.com", "bob", aliases=("mail:bob@example.com",))
FILE = """identity: {{mode: none}}
data_dir: "{folder}/data"
kafka: {{bootstrap: "{broker}"}}
{retention}
connections: [{{name: demo, upstream: "http://127.0.0.1:9/mcp"}}]
"""


class Office:
    """A configuration, its commands, and a console beside it."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.folder, self.broker = folder, broker
        self.config = folder / "sluicegate.yaml"
        self.says("")

    def says(self, retention: str) -> None:
        """The file, with this block."""
        text = FILE.format(folder=self.folder, broker=self.broker, retention=retention)
        self.config.write_text(text, "utf-8")

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--config", str(self.config)])

    def proposed(self, *words: str) -> str:
        """The id of what a command proposed."""
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        found = re.search(r"proposal ([0-9a-f-]{36}) waits", result.output)
        assert found, result.output
        return found[1]

    def keeping(self) -> Keeping:
        """The console's."""
        kafka = KafkaAddress(self.broker, embedded=True)
        return Keeping(kafka, keeping_settings(load(self.config), "console"), "console")

    def shown(self) -> list[dict[str, Any]]:
        result = self.run("retention", "show", "--json")
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.output.splitlines()]

    def recorded(self, target: str) -> list[tuple[str, str, str]]:
        """(who, action, outcome) of the acts on a proposal."""
        rows = asyncio.run(acts(self.broker, lambda row: row["target"] == target))
        return [(row["actor_subject"], row["action"], row["outcome"]) for row in rows]


@pytest.fixture
def office(broker: str, tmp_path: Path) -> Office:
    asyncio.run(ensure_topics(KafkaAddress(broker, embedded=True)))
    return Office(tmp_path, broker)


def test_what_the_terminal_proposes_somebody_in_the_console_confirms(office: Office) -> None:
    office.says("retention: {days: 400, body_days: 30}")
    proposal = office.proposed("retention", "propose", "--reason", "the contract ends after 400 days")

    known = asyncio.run(office.keeping().confirm(BOB, proposal, "agreed"))

    assert known.state == "confirmed"
    rules = office.shown()[0]
    assert (rules["rules"]["default"], rules["cause"]) == ({"days": 400, "body_days": 30}, proposal)
    assert [row[1:] for row in office.recorded(proposal)] == [
        ("retention.propose", "asked"),
        ("retention.propose", "done"),
        ("retention.confirm", "asked"),
        ("retention.confirm", "done"),
    ]


def test_the_same_person_twice_is_refused_at_the_terminal_and_that_is_on_the_record(office: Office) -> None:
    proposal = office.proposed("retention", "hold", "--connection", "demo", "--reason", "lawsuit")

    result = office.run("retention", "confirm", proposal, "--alone")

    assert result.exit_code == 1
    assert "nobody confirms what the same person proposed" in result.output
    assert office.recorded(proposal)[-1][1:] == ("hold.confirm", "refused")


def test_one_person_alone_confirms_where_the_file_says_so_and_only_when_asked_to(office: Office) -> None:
    office.says("retention: {single_person: true}")
    proposal = office.proposed("retention", "hold", "--everything", "--reason", "lawsuit")

    assert office.run("retention", "confirm", proposal).exit_code == 1
    assert office.run("retention", "confirm", proposal, "--alone").exit_code == 0

    shown = office.run("retention", "show").output
    assert "retention.single_person is set" in shown
    assert f"hold {proposal} is confirmed" in shown


def test_two_names_of_one_person_are_one(office: Office) -> None:
    office.says('approvals: {people: [{names: ["https://id.example.com|ann", "mail:bob@example.com"]}]}')
    content = hold_content(Hold(connection="demo"))
    made = asyncio.run(office.keeping().propose(ANN, "hold", content, "lawsuit"))

    with pytest.raises(DeskError, match="the same person"):
        asyncio.run(office.keeping().confirm(BOB, made.id, "agreed"))


def test_an_erasure_is_confirmed_by_who_can_say_whose_data_it_is_about(office: Office) -> None:
    office.says("retention: {single_person: true}")
    whose = ("--principal", "carl", "--issuer", "https://id.example.com")
    proposal = office.proposed("erase", "propose", *whose, "--reason", "art. 17")

    other = office.run("erase", "confirm", proposal, "--principal", "dora", "--alone")
    assert other.exit_code == 2
    assert "is not about that person" in other.output
    assert office.run("retention", "confirm", proposal, "--alone").exit_code == 2
    assert office.run("erase", "confirm", proposal, *whose, "--alone").exit_code == 0

    [row] = [row for row in office.shown() if row["what"] == "erasure"]
    assert "carl" not in json.dumps(row)
    assert row["kafka_holds_until"]
    assert "Kafka's topics hold what they had until" in office.run("retention", "show").output


def test_what_is_taken_back_cannot_be_confirmed(office: Office) -> None:
    proposal = office.proposed("retention", "hold", "--connection", "demo", "--reason", "lawsuit")

    assert office.run("retention", "withdraw", proposal).exit_code == 0

    with pytest.raises(DeskError, match="withdrawn"):
        asyncio.run(office.keeping().confirm(BOB, proposal, "agreed"))


def test_a_proposal_of_what_is_in_force_already_is_refused(office: Office) -> None:
    office.says("retention: {days: 400}")
    proposal = office.proposed("retention", "propose", "--reason", "because")
    asyncio.run(office.keeping().confirm(BOB, proposal, "agreed"))

    result = office.run("retention", "propose", "--reason", "again")

    assert result.exit_code == 2
    assert "the file says what is in force" in result.output


def test_a_hold_names_what_it_holds(office: Office) -> None:
    assert office.run("retention", "hold", "--reason", "x").exit_code == 2
    assert (
        office.run("retention", "hold", "--reason", "x", "--everything", "--connection", "a").exit_code == 2
    )
