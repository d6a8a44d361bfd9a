"""Names that commands and settings share, apart from both so that a command line is read at once."""

from typing import Final, Literal

Processor = Literal["masking", "approvals", "anomaly", "alerts", "checkpoints"]
PROCESSORS: Final[tuple[Processor, ...]] = ("masking", "approvals", "anomaly", "alerts", "checkpoints")
