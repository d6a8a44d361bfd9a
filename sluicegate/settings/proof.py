"""From the block `proof` to the settings of the checkpointer."""

from typing import TYPE_CHECKING

from processors.checkpoints.settings import (
    Anchors,
    BucketAnchor,
    CheckpointSettings,
    FileAnchor,
    TimeStampAnchor,
    WitnessAnchor,
)
from processors.checkpoints.signing import public_of
from sluicegate.settings.keys import key, write_public
from sluicegate.settings.probes import port_file, probes_of
from sluicegate.settings.proof_block import (
    AnchorBlock,
    BucketAnchorBlock,
    FileAnchorBlock,
    TimeStampAnchorBlock,
)

if TYPE_CHECKING:
    from sluicegate.settings.model import Settings

KEY = "checkpoints"
FILE_SECONDS, BUCKET_SECONDS, STAMP_SECONDS, WITNESS_SECONDS = 10.0, 60.0, 3_600.0, 10.0
LOST = "checkpoints are refused until the old one's vkeys are in proof.former_keys"


def checkpoint_settings(settings: "Settings", worker: int) -> CheckpointSettings:
    """What the checkpointer takes for worker number `worker`, from 0. Makes its key; raises KeyFileError."""
    host, port = probes_of(settings, "checkpoints", worker)
    block = settings.proof
    seed = key(settings.data_dir, KEY, LOST)
    write_public(settings.data_dir, KEY, public_of(seed))
    return CheckpointSettings(
        folder=settings.data_dir / "proof",
        seed=seed,
        origin=block.origin or "",
        former_keys=block.former_keys,
        anchors=tuple(_anchor(anchor) for anchor in block.anchors),
        host=host,
        port=port,
        port_file=port_file(settings.data_dir, "checkpoints", worker),
        seconds=block.every_seconds,
    )


def _anchor(block: AnchorBlock) -> Anchors:
    match block:
        case FileAnchorBlock():
            return FileAnchor(block.path, block.every_seconds or FILE_SECONDS)
        case BucketAnchorBlock():
            return BucketAnchor(
                bucket=block.bucket,
                prefix=block.prefix,
                endpoint=block.endpoint or "",
                region=block.region,
                retain_days=block.retain_days,
                mode=block.mode,
                every_seconds=block.every_seconds or BUCKET_SECONDS,
            )
        case TimeStampAnchorBlock():
            return TimeStampAnchor(block.url, block.ca_file, block.every_seconds or STAMP_SECONDS)
        case _:
            return WitnessAnchor(block.url, block.vkey, block.every_seconds or WITNESS_SECONDS)
