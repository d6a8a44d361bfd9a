"""Settings of the checkpointer, as frozen values. Read from YAML elsewhere and passed in."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class CheckpointTopics:
    """What is signed, where checkpoints and findings go, and the group of those who sign."""

    audit: str = "audit"
    checkpoints: str = "checkpoints"
    findings: str = "findings"
    group: str = "sluicegate-checkpoints"


@dataclass(frozen=True, slots=True)
class FileAnchor:
    """Notes are appended to a file: on a disk of others, or one that only takes what is appended."""

    path: Path
    every_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class BucketAnchor:
    """Notes are put into an S3 bucket under object lock. Credentials come from where botocore finds them."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    retain_days: int = 365
    mode: str = "COMPLIANCE"
    every_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class TimeStampAnchor:
    """Notes are time-stamped (RFC 3161) by an authority; `ca_file` holds the certificates that vouch for it (PEM)."""

    url: str
    ca_file: Path | None = None
    every_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class WitnessAnchor:
    """A witness cosigns (C2SP tlog-witness); `vkey` is its key."""

    url: str
    vkey: str
    every_seconds: float = 10.0


Anchors = FileAnchor | BucketAnchor | TimeStampAnchor | WitnessAnchor


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """One worker process; several share the partitions of topic `audit`.

    `seed` is the signing key's. `origin` names the logs, `ORIGIN/audit/PARTITION`; '': `sluicegate/` and the id of
    the Kafka cluster. `former_keys` are vkeys that signed before. `folder` keeps what is known here to be signed.
    A checkpoint is signed every `seconds` or `records_max` records. After a restart, and every `recheck_seconds`, the
    newest `reread` signed records or more are read again. An anchor that fails is tried again after `retry_seconds`,
    doubling up to `retry_seconds_max`, and is a finding after `failing_seconds`.
    `port` 0 takes a free one; the port that was taken is written to `port_file`, when given, once it listens.
    """

    folder: Path
    seed: bytes = field(repr=False)
    origin: str = ""
    former_keys: tuple[str, ...] = ()
    anchors: tuple[Anchors, ...] = ()
    topics: CheckpointTopics = CheckpointTopics()
    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    seconds: float = 1.0
    records_max: int = 1_000
    reread: int = 10_000
    recheck_seconds: float = 600.0
    settle_seconds: float = 10.0
    anchor_seconds: float = 20.0
    retry_seconds: float = 2.0
    retry_seconds_max: float = 300.0
    failing_seconds: float = 600.0
