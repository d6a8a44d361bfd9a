"""A decision from a terminal: recorded as an act first, signed, written, and answered by the processor."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from console.standing import believed, places_of
from console.terminal import terminal_groups
from gateway.edge.announce import Announcer, stamp
from schemas.admin import Outcome
from schemas.approvals import (
    SETTLED,
    ApprovalDecision,
    ApprovalRequest,
    ApprovalSettled,
    DecisionVerb,
    decision_value,
    signed_decision,
)
from schemas.clients import start_client
from schemas.kafka import KafkaAddress
from schemas.signatures import KeyRing, SigningKey
from sluicegate.cli.decisions import ADMIN, DEADLINE_SECONDS, Act, DecisionError, operator, record
from sluicegate.settings.approvals import machine_key, signing_seed

DECIDED = "approvals.decided"


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says, with what comment, and how long to wait for the answer."""

    verb: DecisionVerb
    comment: str
    wait_seconds: float


async def decide_approval(
    kafka: KafkaAddress, data_dir: Path, request: ApprovalRequest, word: Word
) -> ApprovalSettled | None:
    """The processor's answer; None when it does not come in time. Raises DecisionError, KafkaError, KeyFileError."""
    decision = _decision(request, word, SigningKey(signing_seed(data_dir, "cli")))
    announcer = Announcer(kafka, deadline_seconds=DEADLINE_SECONDS, topics=(ADMIN,))
    announcer.start()
    try:
        if not await _record(announcer, decision, "asked"):
            raise DecisionError(f"nothing was decided, because it could not be recorded: {announcer.fault}")
        async with _answers(kafka) as reader:
            await _write(kafka, decision)
            answer = await _answer(reader, KeyRing([machine_key(data_dir)]), decision, word.wait_seconds)
        outcome: Outcome = "refused" if answer and answer["refusal"] else "done"
        if not await _record(announcer, decision, outcome):
            raise DecisionError(f"it is decided, but the trail does not say so yet: {announcer.fault}")
        return answer
    finally:
        await announcer.stop()


def _decision(request: ApprovalRequest, word: Word, key: SigningKey) -> ApprovalDecision:
    made = stamp()
    fields = {
        "decision_id": made.id,
        "approval_id": request["approval_id"],
        "at": made.at,
        "verb": word.verb,
        "who_issuer": "",
        "who_subject": operator().subject,
        "who_groups": terminal_groups(),
        "who_aliases": [],
        "component": "cli",
        "comment": word.comment,
        "argument_digest": request["argument_digest"],
        "policy_version": request["policy_version"],
        "use_id": "",
        "delegation": None,
    }
    return signed_decision(fields, key)


async def _record(announcer: Announcer, decision: ApprovalDecision, outcome: Outcome) -> bool:
    target, action = decision["approval_id"], f"approval.{decision['verb']}"
    detail = {"decision_id": decision["decision_id"], "groups": decision["who_groups"]}
    return await record(announcer, Act(action, target, decision["comment"], detail), outcome)


async def _write(kafka: KafkaAddress, decision: ApprovalDecision) -> None:
    producer = AIOKafkaProducer(**kafka.client_options(), acks="all", enable_idempotence=True)
    await start_client(producer)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            key, value = decision["approval_id"].encode(), decision_value(decision)
            await producer.send_and_wait(DECIDED, value, key=key)
    except TimeoutError as error:
        raise DecisionError(
            "it is in doubt whether it was decided; look with `sluicegate approvals show`"
        ) from error
    finally:
        await producer.stop()


@asynccontextmanager
async def _answers(kafka: KafkaAddress) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader that stands at the end of `approvals.settled`."""
    reader = AIOKafkaConsumer(
        **kafka.client_options(), group_id=None, enable_auto_commit=False, fetch_max_wait_ms=100
    )
    await reader.start()
    try:
        places = await places_of(kafka, SETTLED)
        reader.assign(places)
        for place, end in (await reader.end_offsets(places)).items():
            reader.seek(place, end)
        yield reader
    finally:
        await reader.stop()


async def _answer(
    reader: AIOKafkaConsumer, ring: KeyRing, decision: ApprovalDecision, seconds: float
) -> ApprovalSettled | None:
    try:
        async with asyncio.timeout(seconds):
            while True:
                row = await reader.getone()
                settled = believed(ring, row.key, row.value)
                if settled and settled["decision_id"] == decision["decision_id"]:
                    return settled
    except TimeoutError:
        return None
