"""The block `retention`: how long the trail is kept. What holds is what two people confirmed; this is the start."""

from typing import Annotated

from pydantic import AfterValidator, Field

from schemas.retention_rules import DAYS_MAX, DAYS_MIN
from sluicegate.settings.approvals_block import Group
from sluicegate.settings.blocks import Block, Duration, Name, Text

FOR_EVER = 0


def _days(days: int) -> int:
    if days != FOR_EVER and not DAYS_MIN <= days <= DAYS_MAX:
        raise ValueError(f"must be {DAYS_MIN} to {DAYS_MAX} days, or 0 to keep for ever")
    return days


Days = Annotated[int, AfterValidator(_days), Field(json_schema_extra={"minimum": 0, "maximum": DAYS_MAX})]
BodyDays = Annotated[int, Field(ge=0, le=DAYS_MAX)]


class KeptConnectionBlock(Block):
    """How long one connection's traffic is kept."""

    days: Days | None = Field(
        default=None, description="Days that its frames are kept; 0: for ever; not given: as its labels say."
    )
    body_days: BodyDays | None = Field(
        default=None,
        description="Days that their bodies are kept; 0: as long as the frames; not given: as its labels say.",
    )


class KeptLabelBlock(Block):
    """How long the traffic of connections with a label is kept; of several labels the longest counts."""

    label: Name = Field(description="Name of the label.")
    value: Text = Field(description="Value of the label.")
    days: Days | None = Field(
        default=None, description="Days that their frames are kept; 0: for ever; not given: `retention.days`."
    )
    body_days: BodyDays | None = Field(
        default=None,
        description="Days that their bodies are kept; 0: as long as the frames; not given: `retention.body_days`.",
    )


class RetentionBlock(Block):
    """How long the trail is kept."""

    days: Days = Field(default=FOR_EVER, description="Days that frames are kept; 0: for ever.")
    body_days: BodyDays = Field(
        default=FOR_EVER,
        description="Days that their bodies are kept; 0: as long as the frames. The SHA-256 of a body stays.",
    )
    minimum_days: int = Field(
        default=DAYS_MIN,
        ge=DAYS_MIN,
        le=DAYS_MAX,
        description="Days that every frame is kept at least, whatever else is said; bodies may go earlier.",
    )
    connections: dict[Name, KeptConnectionBlock] = Field(
        default={}, description="By name of the connection; goes before labels."
    )
    labels: tuple[KeptLabelBlock, ...] = Field(default=(), description="By labels of connections.")
    single_person: bool = Field(
        default=False,
        description="Whether one person may confirm what the same person proposed, where there is nobody else; the "
        "record says so.",
    )
    officer_groups: tuple[Group, ...] = Field(
        default=(),
        description="Groups that may propose and confirm changes in the console; not given: nobody may there.",
    )
    every: Duration = Field(default="1h", description="How often the store looks for what may go.")
