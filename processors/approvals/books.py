"""Records in, records out, rows changed: one batch over the entries and clocks of the partitions. Pure.

A row is written for every key that a record of the batch touched, changed or not: after a crash the changelog may
lack it although the outputs are there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from processors.approvals import machine, telling
from processors.approvals.agenda import Agenda
from processors.approvals.entry import Entry, Row
from processors.approvals.happening import Asked, Passed, Said
from processors.approvals.law import Rules
from processors.approvals.passing import due_at
from processors.approvals.reading import Tick, read
from processors.approvals.tally import Tally
from processors.approvals.telling import Output, Raised
from processors.masking_step import Rejected
from processors.records import Incoming, Outgoing
from processors.rejected import dead_letter
from schemas.approvals import settled_value, signed_settled
from schemas.findings import finding_value
from schemas.signatures import KeyRing, SigningKey

COMPONENT = "processors.approvals"
SETTLED, FINDINGS = "approvals.settled", "findings"

Place = tuple[int, bytes]
"""A partition and a key of the table."""

Load = Callable[[Place], Row | None]


def clock_key(partition: int) -> bytes:
    """Key of the row that holds a partition's clock; an approval's key is its id."""
    return b"clock-%d" % partition


@dataclass(slots=True)
class Office:
    """What does not change while the processor runs: keys, rules, partitions of the topics, size of a record."""

    ring: KeyRing
    key: SigningKey
    rules: Rules
    partitions: int
    limit: int


@dataclass(slots=True)
class Books:
    """One batch. `load` gives the rows as they were before it; `rows` are those after it, None: forget it; `tally` is
    what it came to."""

    office: Office
    agenda: Agenda
    load: Load
    rows: dict[Place, Row | None] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def apply(self, record: Incoming) -> list[Outgoing]:
        """What comes of one record."""
        found = read(record, self.office.ring, self.office.partitions)
        match found:
            case Rejected():
                self.tally.rejected[found.reason_code] += 1
                return [dead_letter(record, found, self.office.limit, COMPONENT)]
            case Raised():
                self.tally.said(None, [found])
                return self._told([found], record.partition)
            case Tick():
                return self._tick(found)
            case Asked():
                return self._step(found.partition, found.request["approval_id"], found)
            case Said():
                return self._step(found.partition, found.decision["approval_id"], found)

    def _tick(self, tick: Tick) -> list[Outgoing]:
        self.tally.ticks += 1
        now = max(tick.at, self._clock(tick.partition))
        self.rows[tick.partition, clock_key(tick.partition)] = {"partition": tick.partition, "now": now}
        told: list[Outgoing] = []
        for approval_id in self.agenda.due(tick.partition, now):
            told += self._step(tick.partition, approval_id, Passed())
        return told

    def _step(self, partition: int, approval_id: str, record: Asked | Said | Passed) -> list[Outgoing]:
        place = (partition, approval_id.encode())
        row = self._row(place)
        entry = Entry.restored(row) if row else None
        before = entry.state if entry and entry.request else None
        entry, outputs = machine.step(entry, record, self._clock(partition), self.office.rules)
        self.tally.said(before, outputs)
        if entry is None:
            self.rows[place] = None
        else:
            self.rows[place] = entry.row()
            self.agenda.put(partition, approval_id, due_at(entry))
        return self._told(outputs, partition)

    def _clock(self, partition: int) -> int:
        row = self._row((partition, clock_key(partition)))
        return int(row["now"]) if row else 0

    def _row(self, place: Place) -> Row | None:
        row = self.rows[place] if place in self.rows else self.load(place)
        return row if row and row["partition"] == place[0] else None

    def _told(self, outputs: list[Output], partition: int) -> list[Outgoing]:
        return [self._outgoing(output, partition) for output in outputs]

    def _outgoing(self, output: Output, partition: int) -> Outgoing:
        if isinstance(output, telling.Raised):
            return Outgoing(FINDINGS, 0, output.finding["rule"].encode(), finding_value(output.finding))
        record = signed_settled(output.fields, self.office.key)
        return Outgoing(SETTLED, partition, record["approval_id"].encode(), settled_value(record))
