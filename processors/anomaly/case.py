"""One rule, one key and one observation: what most of the engine's functions are about."""

from dataclasses import dataclass

from processors.anomaly.keys import Key
from processors.anomaly.observation import Observation
from processors.anomaly.plan import Planned
from processors.anomaly.row import Row, Slot


@dataclass(slots=True)
class Case:
    """`slot` is the rule's part of the key's `row`."""

    planned: Planned
    key: Key
    row: Row
    slot: Slot
    seen: Observation
    lateness_us: int
