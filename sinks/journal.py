"""What the commit metadata of a partition says about the batch that is in doubt.

Before a batch goes to the store, the committed offset of each of its partitions stays where the batch begins and
its metadata names the batch: all its partitions with first and last offset. After a crash the same batch is cut
again, under the same deduplication token, so that a store that did take it (or is still taking it) keeps one copy.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

METADATA_BYTES_MAX = 4096  # the broker's offset.metadata.max.bytes by default
PARTITIONS_MAX = 100  # of one batch, so that the metadata stays below that: 36 bytes a partition at most


@dataclass(frozen=True, slots=True)
class BatchRange:
    """The records of one topic that make a batch: partition → (first, last) offset, both inclusive."""

    topic: str
    ranges: Mapping[int, tuple[int, int]]

    @property
    def token(self) -> str:
        """The deduplication token: the same ranges give the same one."""
        spans = ",".join(f"{part}:{first}-{last}" for part, (first, last) in sorted(self.ranges.items()))
        return f"{self.topic}:{spans}"

    def metadata(self) -> str:
        """The journal entry, for the commit of each of the batch's partitions."""
        spans = [[part, first, last] for part, (first, last) in sorted(self.ranges.items())]
        return json.dumps({"v": 1, "batch": spans}, separators=(",", ":"))


def in_doubt(topic: str, committed: Mapping[int, tuple[int, str]]) -> list[BatchRange]:
    """The batches to cut again, from the committed (offset, metadata) of the partitions that are ours.

    An entry whose partition has moved past it is settled. Where a part of a batch went to another consumer, what
    is left of it is a batch of its own: its rows are looked up in the store all the same.
    """
    found: dict[str, BatchRange] = {}
    for metadata in {entry for _offset, entry in committed.values()}:
        named = _ranges(metadata)
        ours = {
            p: span for p, span in named.items() if p in committed and committed[p] == (span[0], metadata)
        }
        if ours:
            batch = BatchRange(topic, ours)
            found[batch.token] = batch
    return [found[token] for token in sorted(found)]


def _ranges(metadata: str) -> dict[int, tuple[int, int]]:
    """What a journal entry names; nothing for one that is empty or not ours."""
    try:
        entry = json.loads(metadata) if metadata else {}
        return {int(part): (int(first), int(last)) for part, first, last in entry.get("batch", [])}
    except (ValueError, TypeError, AttributeError):
        return {}
