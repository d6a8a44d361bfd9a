"""Whom a check believes: the policy file of public keys, which is kept apart from the installation it checks.

log:
  name: sluicegate.example.com        # origins are NAME/audit/PARTITION
  public_keys: [BASE64, …]            # Ed25519 of the checkpointer, 32 bytes; several after a change of keys
witnesses:
  quorum: 1                           # so many of them have to have cosigned; 0: none has to
  keys: [VKEY, …]
retention:
  public_keys: [BASE64, …]            # Ed25519 of the component retention
timestamps:
  certificates: [PEM, …]              # roots of the time-stamping authority
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from schemas.checkpoints import origin_of
from schemas.notes import COSIGNATURE, ED25519, NoteError, VerifierKey, open_key
from schemas.signatures import KeyRing
from schemas.tombstones import retention_key
from sinks.verify.findings import VerifyError

TOPIC = "audit"
_BLOCKS = {
    "log": {"name", "public_keys"},
    "witnesses": {"quorum", "keys"},
    "retention": {"public_keys"},
    "timestamps": {"certificates"},
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The keys that are believed. `quorum` witnesses must have cosigned what counts as signed."""

    name: str
    log_keys: tuple[bytes, ...]
    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0
    retention_keys: tuple[bytes, ...] = ()
    certificates: tuple[str, ...] = field(default=(), repr=False)

    def origin(self, partition: int) -> str:
        """The name of the log of a partition."""
        return origin_of(self.name, TOPIC, partition)

    def keys_of(self, partition: int) -> list[VerifierKey]:
        """The keys that may sign the log of a partition."""
        return [VerifierKey(self.origin(partition), ED25519, public) for public in self.log_keys]

    def retention(self) -> KeyRing:
        """The keys that tombstones are believed with."""
        return KeyRing(retention_key(public) for public in self.retention_keys)


def load_policy(path: Path) -> Policy:
    """The policy in a file. Raises VerifyError, naming the fault."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise VerifyError(f"the policy file {path} cannot be read: {error}") from error
    try:
        return policy_of(given)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise VerifyError(f"the policy file {path} is wrong: {error}") from error


def policy_of(given: Any) -> Policy:
    """The policy in a mapping as the file has it. Raises ValueError or TypeError, naming the fault."""
    if not isinstance(given, Mapping) or "log" not in given:
        raise ValueError("it needs a block `log` with name and public_keys")
    for name, block in given.items():
        unknown = set(block or ()) - _BLOCKS.get(name, set())
        if name not in _BLOCKS or unknown:
            raise ValueError(f"unknown entry {', '.join(sorted(unknown)) or name}")
    log, witnesses = given["log"], given.get("witnesses") or {}
    keys = tuple(_witness(text) for text in witnesses.get("keys", ()))
    quorum = int(witnesses.get("quorum", 0))
    if not 0 <= quorum <= len(keys):
        raise ValueError(f"a quorum of {quorum} needs as many witnesses, and {len(keys)} are listed")
    policy = Policy(
        name=str(log["name"]),
        log_keys=tuple(map(_public, log["public_keys"])),
        witnesses=keys,
        quorum=quorum,
        retention_keys=tuple(map(_public, (given.get("retention") or {}).get("public_keys", ()))),
        certificates=tuple((given.get("timestamps") or {}).get("certificates", ())),
    )
    if not policy.log_keys:
        raise ValueError("log.public_keys is empty: nothing could be believed")
    return policy


def _witness(text: str) -> VerifierKey:
    key = open_key(text)
    if key.algorithm != COSIGNATURE:
        raise NoteError(f"the key of {key.name} is not that of a witness (cosignature/v1)")
    return key


def _public(text: str) -> bytes:
    try:
        public = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a public key is 32 bytes in base64") from None
    if len(public) != 32:
        raise ValueError("a public key is 32 bytes in base64")
    return public
