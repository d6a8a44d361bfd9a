"""Settings of forgetting, read by the command line and passed as frozen values."""

from dataclasses import dataclass, field

from schemas.retention_rules import Rules
from schemas.signatures import TrustedKey


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """What the file says, the store's own key (a seed of 32 bytes), whose acts are believed, who is who.

    `erasure_key` makes the marks of people whose data are erased. `stored_seconds`: how long a round waits until the
    sink has stored its tombstones.
    """

    rules: Rules
    signing_seed: bytes = field(repr=False)
    trusted: tuple[TrustedKey, ...]
    erasure_key: bytes = field(repr=False)
    people: tuple[tuple[str, ...], ...] = ()
    single_person: bool = False
    every_seconds: float = 3_600.0
    stored_seconds: float = 120.0
