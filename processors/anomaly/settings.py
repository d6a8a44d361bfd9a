"""Settings of the anomaly processor, as frozen values. Read from YAML elsewhere and passed in."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AnomalySettings:
    """One worker process.

    `datadir` is this worker's own directory. `rules` is a file of rules used instead of the shipped pack.
    `responses`: whether a finding names what its rule asks of the gateway (block, demand approval, lower limits), so
    that the alerts processor may do it. `rows_max` bounds the rows held decoded; all are held as bytes.
    `port` 0 takes a free one; the port that was taken is written to `port_file`, when given, once it listens.
    """

    datadir: Path
    rules: Path | None = None
    responses: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    batch_records_max: int = 1_000
    rows_max: int = 5_000
