"""The block `findings`: what is looked for in the trail, what is done about it, and who is told."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from sluicegate.settings.blocks import Block, Duration, FilePath, Name, Text, some
from sluicegate.settings.connection import RateBlock
from sluicegate.settings.credentials import Secret

SeverityName = Literal["info", "low", "medium", "high", "critical"]


def moment(text: str) -> datetime:
    """An ISO time, in UTC where it names no zone. Raises ValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be an ISO time such as 2026-07-28T18:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _moment(text: str) -> str:
    moment(text)
    return text


class AlertBlock(Block):
    """Which findings are told, and where."""

    name: Name = Field(description="Name of this route in logs and metrics.")
    urls: Annotated[tuple[Secret, ...], AfterValidator(some)] = Field(
        json_schema_extra={"minItems": 1},
        description="Where they are told: apprise URLs, each a secret; every one is told on its own.",
    )
    severities: tuple[SeverityName, ...] = Field(
        default=(), description="Findings of these severities; not given: of all."
    )
    rules: tuple[Text, ...] = Field(
        default=(), description="Findings of these rules, with `*` and `?`; not given: of all."
    )
    connections: tuple[Text, ...] = Field(
        default=(), description="Findings about these connections; not given: about all."
    )
    group: Duration = Field(
        default="5m", description="One message tells all findings of a rule and a caller within this time."
    )
    hour_max: int = Field(
        default=30,
        ge=1,
        le=10_000,
        description="Most messages an hour to one URL; the rest is summed up in one.",
    )


class SilenceBlock(Block):
    """Findings that nobody is told of until a time."""

    until: Annotated[str, AfterValidator(_moment)] = Field(
        description="Until when, as an ISO time; UTC where it names no zone."
    )
    by: Text = Field(description="Who wants silence.")
    why: Text = Field(description="Why; it is on the record.")
    rule: str = Field(default="", description="Findings of this rule, with `*` and `?`; not given: of any.")
    principal: str = Field(
        default="", description="Findings about this caller, `ISSUER|SUBJECT` or `|SUBJECT`; not given: any."
    )


class ResponsesBlock(Block):
    """What may be done about a finding without a person."""

    rules: Annotated[tuple[Text, ...], AfterValidator(some)] = Field(
        default=("*",), description="Rules whose response is carried out, with `*` and `?`."
    )
    exempt: tuple[Text, ...] = Field(
        default=(), description="Callers to whom nothing is done: `ISSUER|SUBJECT` or `|SUBJECT`."
    )
    blocks_hour_max: int = Field(
        default=5, ge=0, le=1_000, description="Most callers blocked an hour; after that a person is asked."
    )
    others_hour_max: int = Field(
        default=60, ge=0, le=10_000, description="Most other responses an hour; after that a person is asked."
    )
    lowered: RateBlock = Field(
        default=RateBlock(per_second=0.2, burst=5),
        description="Rate that a caller is lowered to where the rule names none.",
    )


def _responses_tag(value: Any) -> str:
    return "<switch>" if isinstance(value, str) else "<block>"


Responses = Annotated[
    Annotated[Literal["on", "off"], Tag("<switch>")] | Annotated[ResponsesBlock, Tag("<block>")],
    Discriminator(_responses_tag),
]


class FindingsBlock(Block):
    """What is looked for, what is done about it, and who is told."""

    rules: FilePath | None = Field(
        default=None, description="File of rules; not given: those that come with Sluicegate."
    )
    responses: Responses = Field(
        default="off",
        description="Whether what a rule asks of the gateway is done (block, demand approvals, lower limits): `on`, "
        "`off`, or a block, which means on.",
    )
    alerts: tuple[AlertBlock, ...] = Field(default=(), description="Who is told of which findings.")
    silences: tuple[SilenceBlock, ...] = Field(default=(), description="What nobody is told of for a while.")
