"""Settings of the approvals processor, as frozen values. Read from YAML elsewhere and passed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.signatures import TrustedKey


@dataclass(frozen=True, slots=True)
class ApprovalSettings:
    """One worker process.

    `datadir` is this worker's own directory. `signing_seed` (32 bytes) makes the key that signs what is settled, the
    same in all workers; `trusted` are the keys of those that request and decide. `people` lists, for each person who
    has several, all their names: `ISSUER|SUBJECT`, `|USER@HOST` on a command line, `mail:ADDRESS`. Members of
    `revoker_groups` may revoke every approval; they approve none by that. `anonymous`: whether what a caller without
    identity asks for may be approved at all.
    """

    datadir: Path
    signing_seed: bytes
    trusted: Sequence[TrustedKey]
    people: Sequence[Sequence[str]] = ()
    revoker_groups: Sequence[str] = ()
    anonymous: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    batch_records_max: int = 200
