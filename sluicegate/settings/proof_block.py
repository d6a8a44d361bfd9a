"""The block `proof`: checkpoints over the trail, who else has them, and under which name they are signed."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from schemas.notes import COSIGNATURE, ED25519, NoteError, open_key
from sluicegate.settings.blocks import Block, FilePath, Seconds, Text, Url, named

_KINDS = ("file", "s3", "rfc3161", "witness")
_ORIGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
OriginName = Annotated[str, AfterValidator(named(_ORIGIN, "must be letters, digits and `._/-`"))]
_KIND = Field(
    description="`file` (appended to a file), `s3` (a bucket with object lock), `rfc3161` (a time-stamping "
    "authority) or `witness` (C2SP tlog-witness, such as `sluicegate witness` run by others)."
)
_URL = Field(description="Address of the authority, or of the witness (`/add-checkpoint` is added).")
_EVERY = Field(
    default=None,
    description="The newest checkpoint goes there at most so often, in seconds; not given: 10 to a file and a "
    "witness, 60 to a bucket, 3600 to an authority.",
)


def _log_key(vkey: str) -> str:
    return _key(vkey, ED25519, "of a log")


def _witness_key(vkey: str) -> str:
    return _key(vkey, COSIGNATURE, "of a witness (its algorithm is 0x04)")


def _key(vkey: str, algorithm: int, whose: str) -> str:
    try:
        key = open_key(vkey)
    except NoteError as error:
        raise ValueError(str(error)) from None
    if key.algorithm != algorithm:
        raise ValueError(f"must be a vkey {whose}")
    return vkey


class FileAnchorBlock(Block):
    """Notes are appended to a file, on a disk of others or one that only takes what is appended."""

    kind: Literal["file"] = _KIND
    path: FilePath = Field(description="The file; it is made when it is not there.")
    every_seconds: Seconds | None = _EVERY


class BucketAnchorBlock(Block):
    """Notes are put into an S3 bucket that has object lock."""

    kind: Literal["s3"] = _KIND
    bucket: Text = Field(description="Name of the bucket; credentials are where AWS's tools look for them.")
    prefix: str = Field(default="", description="What the names of the objects begin with.")
    endpoint: Url | None = Field(default=None, description="Another service that speaks S3.")
    region: str = Field(default="", description="Region of the bucket.")
    retain_days: int = Field(
        default=365, ge=1, le=36_500, description="For how long nobody can delete a note."
    )
    mode: Literal["COMPLIANCE", "GOVERNANCE"] = Field(
        default="COMPLIANCE",
        description="`COMPLIANCE`: nobody at all; `GOVERNANCE`: but who has a special right.",
    )
    every_seconds: Seconds | None = _EVERY


class TimeStampAnchorBlock(Block):
    """Notes are stamped by a time-stamping authority (RFC 3161)."""

    kind: Literal["rfc3161"] = _KIND
    url: Url = _URL
    ca_file: FilePath | None = Field(
        default=None,
        description="Certificates that vouch for the authority (PEM); not given: verified later.",
    )
    every_seconds: Seconds | None = _EVERY


class WitnessAnchorBlock(Block):
    """A witness cosigns (C2SP tlog-witness), such as `sluicegate witness` run by others."""

    kind: Literal["witness"] = _KIND
    url: Url = _URL
    vkey: Annotated[str, AfterValidator(_witness_key)] = Field(description="The witness's vkey.")
    every_seconds: Seconds | None = _EVERY


def _tag(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"<{kind}>" if kind in _KINDS else None


AnchorBlock = Annotated[
    Annotated[FileAnchorBlock, Tag("<file>")]
    | Annotated[BucketAnchorBlock, Tag("<s3>")]
    | Annotated[TimeStampAnchorBlock, Tag("<rfc3161>")]
    | Annotated[WitnessAnchorBlock, Tag("<witness>")],
    Discriminator(
        _tag,
        custom_error_type="unknown_kind",
        custom_error_message=f"needs `kind`, one of {', '.join(_KINDS)}",
    ),
]


class ProofBlock(Block):
    """Signed checkpoints over the trail (Merkle tree heads), and the places outside that have them."""

    origin: OriginName | None = Field(
        default=None,
        description="What the logs are called, `ORIGIN/audit/PARTITION`: a name that nobody else uses, such as a "
        "host name of yours; not given: `sluicegate/` and the id of the Kafka cluster. Another name begins new logs.",
    )
    every_seconds: Seconds = Field(
        default=1.0, description="A checkpoint is signed so often, in seconds, and for every 1,000 frames."
    )
    former_keys: tuple[Annotated[str, AfterValidator(_log_key)], ...] = Field(
        default=(), description="vkeys of these logs that signed before the key was changed."
    )
    anchors: tuple[AnchorBlock, ...] = Field(
        default=(),
        description="Places outside that get the newest checkpoint, so that who owns everything here cannot take it "
        "back.",
    )
