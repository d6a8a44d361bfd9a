"""Approvals as a person at a terminal sees them; read off the topics, or as the console's REST API gives them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from console.standing import Standing, called, moment, row, standings
from schemas.kafka import KafkaAddress
from schemas.signatures import KeyRing
from sluicegate.cli.output import inert
from sluicegate.settings.approvals import machine_key, trusted_keys

COLUMNS = ("approval", "state", "kind", "asked", "until", "who", "connection", "what", "rule", "approved by")


async def believed_standings(kafka: KafkaAddress, data_dir: Path) -> dict[str, Standing]:
    """What the topics have, by id, the oldest first. Raises KafkaError, OSError, TimeoutError, KeyFileError."""
    return await standings(kafka, KeyRing([*trusted_keys(data_dir), machine_key(data_dir)]))


def cells(standing: Standing) -> Sequence[Any]:
    """A row for `COLUMNS`."""
    request, settled = standing.request, standing.settled
    return (
        standing.approval_id,
        standing.state,
        request["kind"],
        moment(request["requested_at"]),
        moment(standing.ends_at),
        request["principal_subject"],
        request["connection"],
        called(request),
        request["rule"],
        settled["approvers"] if settled else [],
    )


def facts(standing: Standing) -> list[tuple[str, Any]]:
    """(fact, value) for a person who has to decide."""
    shown = row(standing)
    shown["quorum"] = _quorum(shown["quorum"])
    shown["arguments"] = inert(shown["arguments"])
    return _named(shown)


def told_cells(told: Mapping[str, Any]) -> Sequence[Any]:
    """A row for `COLUMNS`, of an approval as the API has it."""
    names = ("id", "state", "kind", "requested_at", "ends_at")
    return (
        *(told[name] for name in names),
        told["requester"]["subject"],
        told["connection"],
        told["call"],
        told["rule"],
        told["approvers"],
    )


def told_facts(told: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(fact, value), of an approval as the API has it."""
    shown = {**told, "quorum": _quorum(told["quorum"]), "arguments": inert(told["arguments"])}
    requester, you = shown.pop("requester"), shown.pop("you")
    history = [" ".join(filter(None, map(str, _said(turn)))) for turn in shown.pop("history")]
    shown |= {f"requester_{name}": value for name, value in requester.items()}
    shown |= {"waits_for_you": you["waits"], "history": "; ".join(history)}
    return _named(shown)


def _said(turn: Mapping[str, Any]) -> Sequence[Any]:
    instead = f"instead of {turn['instead_of']}" if turn["instead_of"] else ""
    refusal = f"refused: {turn['refusal']}" if turn["refusal"] else ""
    return (turn["at"], turn["state"], turn["verb"], turn["who"], instead, turn["comment"], refusal)


def _quorum(parts: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(f"{part['people']} of {', '.join(part['reviewers'])}" for part in parts)


def _named(shown: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name.replace("_", " "), value) for name, value in shown.items() if value not in ("", [], None)]
