"""Brings the newest checkpoints to the anchors, each at its own pace. What fails is seen and tried again; it never
holds up a signature."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from aiokafka.errors import KafkaError

from processors.checkpoints.anchors.anchor import AheadError, Anchor, AnchorError
from processors.checkpoints.anchors.bucket import BucketAnchor
from processors.checkpoints.anchors.file import FileAnchor
from processors.checkpoints.anchors.proving import Prover
from processors.checkpoints.anchors.time_stamp import TimeStampAnchor
from processors.checkpoints.anchors.witness import WitnessAnchor
from processors.checkpoints.metrics import CheckpointMetrics
from processors.checkpoints.opener import Outside
from processors.checkpoints.opening import Claim
from processors.checkpoints.readback import ReadBack
from processors.checkpoints.refusal import RefusedError, anchor_failing, refused
from processors.checkpoints.settings import Anchors, CheckpointSettings
from processors.checkpoints.settings import BucketAnchor as Bucket
from processors.checkpoints.settings import FileAnchor as File
from processors.checkpoints.settings import TimeStampAnchor as TimeStamp
from processors.checkpoints.signing import Signer
from processors.outlet import Outlet
from processors.records import Outgoing
from schemas.checkpoints import CheckpointRecord, anchor_record, checkpoint_key, checkpoint_value
from schemas.findings import FindingRecord, finding_value

log = structlog.get_logger(__name__)

Heads = Callable[[], Mapping[int, CheckpointRecord]]
POLL_SECONDS = 0.25
ASK_SECONDS = 5.0
AHEAD_FAILURES = 3  # in a row: then we are not just late behind another owner
MUTE_SECONDS = 300.0  # opening a partition must not wait for the same silence again


def anchors_of(settings: CheckpointSettings, readback: ReadBack) -> list[Anchor]:
    """The anchors of the settings. Raises NoteError for a witness whose key is none."""
    return [_anchor(each, settings, readback) for each in settings.anchors]


def _anchor(chosen: Anchors, settings: CheckpointSettings, readback: ReadBack) -> Anchor:
    match chosen:
        case File(path, every):
            return FileAnchor(path, every)
        case Bucket():
            return BucketAnchor(chosen)
        case TimeStamp(url, ca_file, every):
            return TimeStampAnchor(url, ca_file, every)
        case _:
            name = hashlib.sha256(chosen.url.encode()).hexdigest()[:16]
            prover = Prover(readback, settings.folder / f"witness-{name}.json")
            return WitnessAnchor(chosen.url, chosen.vkey, chosen.every_seconds, prover)


@dataclass(slots=True)
class _State:
    """How it goes with one anchor: sizes it has, since when it fails (0: it does not), and the finding where it has a
    larger tree than we."""

    sizes: dict[str, int] = field(default_factory=dict)
    failures: int = 0
    failing_since: float = 0.0
    told: bool = False
    ahead: FindingRecord | None = None


class Anchoring:
    """All anchors of one worker."""

    def __init__(
        self,
        settings: CheckpointSettings,
        anchors: Sequence[Anchor],
        outlet: Outlet,
        metrics: CheckpointMetrics,
        places: int,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._anchors = anchors
        self._outlet = outlet
        self._metrics = metrics
        self._places = places
        self._clock = clock
        self._muted: dict[str, float] = {}

    def claims_with(self, signer: Signer) -> Outside:
        """What the anchors have of a log; one that does not answer says nothing."""

        async def claims(partition: int) -> list[Claim]:
            asked = (self._claims(anchor, signer, partition) for anchor in self._anchors)
            return [claim for told in await asyncio.gather(*asked) for claim in told]

        return claims

    async def _claims(self, anchor: Anchor, signer: Signer, partition: int) -> list[Claim]:
        if self._muted.get(anchor.name, 0.0) > self._clock():
            return []
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await anchor.claims(signer.origin(partition), signer.trusted(partition))
        except (AnchorError, TimeoutError) as error:
            reason = str(error) or "it does not answer"
        self._muted[anchor.name] = self._clock() + MUTE_SECONDS
        log.warning("anchor_not_asked", anchor=anchor.name, reason=reason)
        return []

    async def run(self, heads: Heads) -> None:
        """Until it is cancelled. Raises KafkaError when the record of an anchor cannot be written."""
        async with asyncio.TaskGroup() as tasks:
            for anchor in self._anchors:
                tasks.create_task(self._serve(anchor, heads))

    async def _serve(self, anchor: Anchor, heads: Heads) -> None:
        state = _State()
        while True:
            fresh = [
                head for head in heads().values() if head["tree_size"] > state.sizes.get(head["origin"], 0)
            ]
            if not fresh:
                await asyncio.sleep(POLL_SECONDS)
                continue
            fault = ""
            for head in fresh:
                fault = await self._put(anchor, head, state) or fault
            await self._judge(anchor, state, fault)
            await asyncio.sleep(self._pause(anchor, state))

    async def _put(self, anchor: Anchor, head: CheckpointRecord, state: _State) -> str:
        """Why the anchor has not taken `head`; '' when it has."""
        try:
            async with asyncio.timeout(self._settings.anchor_seconds):
                anchored = await anchor.put(head)
        except AheadError as error:
            fault = RefusedError("rolled-back", str(error))
            state.ahead = refused(head["origin"], head["partition"], fault, int(self._clock() * 1_000_000))
            return str(error)
        except TimeoutError:
            return f"no answer within {self._settings.anchor_seconds:.0f} s"
        except (AnchorError, RefusedError, KafkaError, OSError) as error:
            return str(error) or type(error).__name__
        at = int(self._clock() * 1_000_000)
        record = anchor_record(
            head, anchor.kind, anchored.place, anchored.evidence, note=anchored.note, at=at
        )
        place = head["partition"] % self._places
        row = Outgoing(
            self._settings.topics.checkpoints, place, checkpoint_key(record), checkpoint_value(record)
        )
        await self._outlet.send([row])
        state.sizes[head["origin"]] = head["tree_size"]
        self._metrics.anchored.labels(anchor.name, str(head["partition"])).set(head["tree_size"])
        return ""

    async def _judge(self, anchor: Anchor, state: _State, fault: str) -> None:
        self._metrics.attempts.labels(anchor.name, "failed" if fault else "done").inc()
        self._metrics.failing.labels(anchor.name).set(bool(fault))
        if not fault:
            state.failures, state.failing_since, state.told, state.ahead = 0, 0.0, False, None
            return
        now = self._clock()
        state.failures += 1
        state.failing_since = state.failing_since or now
        log.warning("anchor_failed", anchor=anchor.name, reason=fault, failures=state.failures)
        finding = state.ahead if state.failures >= AHEAD_FAILURES else None
        if finding is None and now - state.failing_since >= self._settings.failing_seconds:
            since = int(state.failing_since * 1_000_000)
            finding = anchor_failing(anchor.name, anchor.kind, fault, int(now * 1_000_000), since=since)
        if finding is not None and not state.told:
            row = Outgoing(
                self._settings.topics.findings, 0, finding["rule"].encode(), finding_value(finding)
            )
            await self._outlet.send([row])
            state.told = True

    def _pause(self, anchor: Anchor, state: _State) -> float:
        if not state.failures:
            return anchor.every_seconds
        doubled = self._settings.retry_seconds * 2 ** min(state.failures - 1, 30)
        return float(min(doubled, self._settings.retry_seconds_max))
