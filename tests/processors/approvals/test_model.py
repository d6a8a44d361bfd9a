"""The life of approvals under everything at once: crashes, repeats, reordering, forgeries, gone clients, and time.

What the gateway would run is checked against an oracle that reads the log alone and knows nothing of the machine.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from processors.approvals.agenda import Agenda
from processors.approvals.app import tick
from processors.approvals.books import Books, Place
from processors.approvals.entry import Row
from processors.approvals.passing import KEEP
from processors.approvals.reading import partition_of
from processors.records import Incoming, Outgoing
from schemas.approvals import ApprovalSettled, open_decision, open_request
from schemas.codec import codec
from tests.processors.approvals.making import (
    CONSOLE,
    DIGEST,
    GATEWAY,
    MACHINE,
    PARTITIONS,
    POLICY,
    SECOND,
    STRANGER,
    T0,
    approval_id,
    decision,
    office,
    request,
    settled,
)

REQUESTED, DECIDED = "approvals.requested", "approvals.decided"
ENDS = {"denied", "expired", "revoked", "used"}
QUORUMS: list[list[dict[str, Any]]] = [
    [{"reviewers": ["owners"], "people": 1}],
    [{"reviewers": ["owners"], "people": 2}],
    [{"reviewers": ["owners"], "people": 1}, {"reviewers": ["security"], "people": 1}],
]
REVIEWERS = {
    "ann": ["owners"],
    "dan": ["owners", "security"],
    "eve": ["security"],
    "bob": ["owners", "security"],
}
OFFICE = office()


class Stored(NamedTuple):
    """A record on a log, and whether a trusted component wrote it."""

    key: bytes
    value: bytes
    genuine: bool


class Log:
    """Topics with offsets."""

    def __init__(self) -> None:
        self.places: dict[tuple[str, int], list[Stored]] = {}

    def append(self, topic: str, stored: Stored, partition: int | None = None) -> None:
        """Behind all that is there."""
        number = partition_of(stored.key, PARTITIONS) if partition is None else partition
        self.places.setdefault((topic, number), []).append(stored)

    def of(self, topic: str) -> list[tuple[int, Stored]]:
        """(offset, record) of all partitions."""
        return [pair for place, rows in self.places.items() if place[0] == topic for pair in enumerate(rows)]


class Worker:
    """The processor with what survives its crashes: table and committed positions."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.table: dict[Place, Row | None] = {}
        self.positions: Counter[tuple[str, int]] = Counter()
        self.agenda = Agenda()

    def restart(self) -> None:
        """What was in memory is gone."""
        self.agenda = Agenda.of(row for row in self.table.values() if row)

    def batch(self, place: tuple[str, int], count: int) -> tuple[list[Outgoing], dict[Place, Row | None]]:
        """Outputs and rows of the next records there; nothing is kept yet."""
        start = self.positions[place]
        books = Books(OFFICE, self.agenda, self.table.get)
        outgoing: list[Outgoing] = []
        for offset, stored in enumerate(self.log.places.get(place, [])[start : start + count], start):
            outgoing += books.apply(Incoming(*place, offset, stored.key, stored.value))
        return outgoing, books.rows

    def done(self, place: tuple[str, int], count: int, rows: dict[Place, Row | None]) -> None:
        """Rows and position are durable."""
        self.table.update(rows)
        self.positions[place] = min(self.positions[place] + count, len(self.log.places.get(place, [])))


class Approvals(RuleBasedStateMachine):
    """Gateways, people, forgers, and a processor that crashes."""

    asked = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.worker = Worker(self.log)
        self.now = T0
        self.said: list[Outgoing] = []
        self.requests = 0
        self.decisions = 0
        self.alive: set[str] = set()
        self.waited: set[str] = set()
        self.runs: Counter[str] = Counter()
        self.read = 0

    # -- gateways and people

    @rule(
        target=asked,
        quorum=st.sampled_from(QUORUMS),
        uses=st.sampled_from([0, 0, 2]),
        seconds=st.integers(10, 120),
    )
    def ask(self, quorum: list[dict[str, Any]], uses: int, seconds: int) -> int:
        """A call of Bob's agent is held, or a standing grant asked for."""
        self.requests += 1
        kind: dict[str, Any] = {"kind": "standing", "uses_max": uses, "grant_seconds": 30} if uses else {}
        times = {"requested_at": self.now, "expires_at": self.now + seconds * SECOND}
        self.log.append(REQUESTED, Stored(*request(self.requests, quorum=quorum, **kind, **times), True))
        return self.requests

    @rule(
        number=asked,
        who=st.sampled_from(sorted(REVIEWERS)),
        verb=st.sampled_from(["approve", "approve", "approve", "deny", "revoke"]),
        late=st.sampled_from([0, 0, 0, 30, 3_600]),
        digest=st.sampled_from([DIGEST, DIGEST, DIGEST, "00" * 32]),
        forged=st.sampled_from([False, False, False, True]),
    )
    def decide(self, number: int, who: str, verb: str, late: int, digest: str, forged: bool) -> None:
        """Somebody says something, perhaps with an old date, of another call, or without the right to."""
        self.decisions += 1
        key = STRANGER if forged else CONSOLE
        over = {"approval_id": approval_id(number), "who_groups": REVIEWERS[who], "argument_digest": digest}
        made = decision(self.decisions, who, verb, key, at=self.now - late * SECOND, **over)
        self.log.append(DECIDED, Stored(*made, not forged))

    @rule(number=asked, exchange=st.integers(1, 3), forged=st.sampled_from([False, False, True]))
    def use(self, number: int, exchange: int, forged: bool) -> None:
        """A gateway asks to run the call for an exchange that waits for it."""
        self.decisions += 1
        use_id = f"{number}/{exchange}"
        if use_id not in self.waited:  # an exchange is one request of one client: it never comes back
            self.alive.add(use_id)
            self.waited.add(use_id)
        over = {"approval_id": approval_id(number), "use_id": use_id, "at": self.now}
        made = decision(self.decisions, "bob", "use", STRANGER if forged else GATEWAY, **over)
        self.log.append(DECIDED, Stored(*made, not forged))

    @rule(
        number=asked,
        people=st.permutations(sorted(REVIEWERS)).map(lambda order: order[:2]),
        exchanges=st.lists(st.integers(1, 3), max_size=3),
    )
    def agree(self, number: int, people: list[str], exchanges: list[int]) -> None:
        """Two people approve, perhaps the requester or one of them twice, and gateways ask at once."""
        for who in people:
            self.decide(number, who, "approve", 0, DIGEST, False)
        for exchange in exchanges:
            self.use(number, exchange, False)

    @rule(number=asked, who=st.sampled_from(sorted(REVIEWERS)))
    def insist(self, number: int, who: str) -> None:
        """One person approves twice, and a gateway asks."""
        for _ in range(2):
            self.decide(number, who, "approve", 0, DIGEST, False)
        self.use(number, 1, False)

    @rule(number=asked, exchange=st.integers(1, 3))
    def leave(self, number: int, exchange: int) -> None:
        """A client goes."""
        self.alive.discard(f"{number}/{exchange}")

    @rule(
        topic=st.sampled_from([REQUESTED, DECIDED]),
        place=st.integers(0, PARTITIONS - 1),
        which=st.integers(0, 30),
    )
    def replay(self, topic: str, place: int, which: int) -> None:
        """Somebody writes a record again, also where it does not belong."""
        if rows := self.log.of(topic):
            _, stored = rows[which % len(rows)]
            self.log.append(topic, stored, partition_of(stored.key, PARTITIONS) if which % 2 else place)

    # -- the processor

    @rule(
        which=st.integers(0, 7),
        count=st.integers(1, 6),
        end=st.sampled_from(["done", "done", "done", "crash before outputs", "crash after outputs"]),
        kept=st.integers(0, 7),
    )
    def work(self, which: int, count: int, end: str, kept: int) -> None:
        """A batch of one topic, which a crash may end with any of its rows in the changelog."""
        behind = sorted(
            place for place, rows in self.log.places.items() if self.worker.positions[place] < len(rows)
        )
        if not behind:
            return
        place = behind[which % len(behind)]
        outgoing, rows = self.worker.batch(place, count)
        if end != "crash before outputs":
            self.said += outgoing
        if end == "done":
            self.worker.done(place, count, rows)
            return
        if end == "crash after outputs":
            self.worker.table.update(
                {at: row for n, (at, row) in enumerate(rows.items()) if kept >> n % 3 & 1}
            )
        self.worker.restart()

    @rule(seconds=st.sampled_from([1, 5, 20]), watched=st.booleans())
    def wait(self, seconds: int, watched: bool) -> None:
        """Time passes, and the processor sees what is due, unless it is away."""
        self.now += seconds * SECOND
        if watched:
            self._tick()

    def _tick(self) -> None:
        for partition in self.worker.agenda.waiting(self.now):
            made = tick(MACHINE, partition, self.now)
            self.log.append(made.topic, Stored(made.key or b"", made.value, True), partition)

    # -- what has to hold

    @invariant()
    def what_is_run_was_approved(self) -> None:
        """A gateway runs what a settled record lets its exchange run, once."""
        for record in settled(self.said[self.read :]):
            use_id = record["use_id"]
            if not use_id:
                continue
            self._approved(record)
            if use_id in self.alive:
                self.alive.discard(use_id)
                self.runs[use_id] += 1
        self.read = len(self.said)
        assert all(count == 1 for count in self.runs.values())
        grants = {
            (record["approval_id"], record["use_id"], record["version"])
            for record in settled(self.said)
            if record["use_id"]
        }
        assert len(grants) == len({grant[:2] for grant in grants})
        runs: Counter[str] = Counter(str(int(grant[0][-12:], 16)) for grant in grants)
        for _, stored in self.log.of(REQUESTED):
            asked = open_request(stored.key, stored.value)
            assert runs[str(int(asked["approval_id"][-12:], 16))] <= max(1, asked["uses_max"])

    def _approved(self, record: ApprovalSettled) -> None:
        """The oracle: enough other people, trusted and of the right kinds, approved before this use on the log."""
        key = record["approval_id"].encode()
        asked = next(open_request(r.key, r.value) for _, r in self.log.of(REQUESTED) if r.key == key)
        rows = [
            (offset, open_decision(key, r.value))
            for offset, r in enumerate(self.log.places[DECIDED, partition_of(key, PARTITIONS)])
            if r.key == key and r.genuine
        ]
        used_at, used = min(
            (row for row in rows if row[1]["decision_id"] == record["decision_id"]), key=lambda r: r[0]
        )
        assert used["verb"] == "use"
        assert (used["argument_digest"], used["policy_version"]) == (DIGEST, POLICY)
        before = [said for offset, said in rows if offset < used_at]
        people = {
            said["who_subject"]
            for said in before
            if said["verb"] == "approve"
            and said["argument_digest"] == DIGEST
            and said["at"] < asked["expires_at"]
        } - {"bob"}
        for part in asked["quorum"]:
            assert sum(bool(set(REVIEWERS[who]) & set(part["reviewers"])) for who in people) >= part["people"]
        assert len(people) >= sum(part["people"] for part in asked["quorum"])
        assert used["at"] < max(
            asked["expires_at"], max(s["at"] for s in before) + asked["grant_seconds"] * SECOND
        )

    @invariant()
    def a_repeat_is_byte_identical(self) -> None:
        """One id and one version of an approval are one record, whoever says it and however often."""
        by_id: dict[tuple[str, object], bytes] = {}
        for row, record in zip(
            (row for row in self.said if row.topic == "approvals.settled"), settled(self.said), strict=True
        ):
            for name in (record["settled_id"], record["version"]):
                assert by_id.setdefault((record["approval_id"], name), row.value) == row.value

    def teardown(self) -> None:
        """Every path ends, and a worker that never crashed would have said the same."""
        self._drain()
        for _ in range(4):
            self.now += 100 * SECOND
            self._tick()
            self._drain()
        self.what_is_run_was_approved()
        self.a_repeat_is_byte_identical()
        last = {
            record["approval_id"]: record["state"]
            for record in sorted(settled(self.said), key=lambda r: r["version"])
        }
        assert set(last.values()) <= ENDS
        assert len(last) == self.requests
        if not self._unknown():
            assert {row.value for row in self.said} == self._calmly()
        self.now += KEEP
        for _ in range(3):
            self._tick()
            self._drain()
            self.now += 700 * SECOND
        assert [row for row in self.worker.table.values() if row and "approval_id" in row] == []

    def _drain(self) -> None:
        for place in sorted(self.log.places, reverse=True):
            outgoing, rows = self.worker.batch(place, 10_000)
            self.said += outgoing
            self.worker.done(place, 10_000, rows)

    def _unknown(self) -> bool:
        return any(
            codec("finding").decode(row.value)["rule"] == "approval-unknown"
            for row in self.said
            if row.topic == "findings"
        )

    def _calmly(self) -> set[bytes]:
        calm, said = Worker(self.log), []
        for topic in (REQUESTED, DECIDED):
            for partition in range(PARTITIONS):
                outgoing, rows = calm.batch((topic, partition), 10_000)
                said += outgoing
                calm.done((topic, partition), 10_000, rows)
        return {row.value for row in said}


Approvals.TestCase.settings = settings(
    max_examples=100, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestApprovals = Approvals.TestCase
