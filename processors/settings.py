"""Settings of a processor worker, as frozen values. Read from YAML elsewhere and passed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from masking import Profile


@dataclass(frozen=True, slots=True)
class ProcessorSettings:
    """One worker process.

    `datadir` is this worker's own directory. `masking_key` (16 bytes or more) makes the pseudonyms, the same as in
    the gateway. `profiles` is the masking profile by connection, its name or one with rules of its own; any other
    connection gets `profile`. Where `profiles_by_group` has (group, profile) pairs for a connection, the first whose
    group the caller is in counts instead.
    `port` 0 takes a free one; the port that was taken is written to `port_file`, when given, once it listens.
    """

    datadir: Path
    masking_key: bytes
    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    profile: str = "secrets"
    profiles: Mapping[str, str | Profile] = field(default_factory=dict)
    profiles_by_group: Mapping[str, Sequence[tuple[str, str | Profile]]] = field(default_factory=dict)
    masking_seconds_max: float = 5.0
    batch_records_max: int = 500
    check_seconds: float = 5.0
