"""Blocks about who has to agree, wherever they stand."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.people import PROVIDERS, canonical
from schemas.terms import PEOPLE_MAX
from sluicegate.settings.blocks import Block, Duration, Text, some


def _reviewer(name: str) -> str:
    if name.partition(":")[0] in PROVIDERS:
        raise ValueError(
            "is a group, or one person: `ISSUER|SUBJECT` or `terminal:USER@HOST`; who that is elsewhere stands "
            "under `approvals.people`"
        )
    return canonical(name)


Reviewer = Annotated[Text, AfterValidator(_reviewer)]


class AskedBlock(Block):
    """So many different people out of these."""

    of: Annotated[tuple[Reviewer, ...], AfterValidator(some)] = Field(
        json_schema_extra={"minItems": 1},
        description="Groups, or persons as `ISSUER|SUBJECT` or `terminal:USER@HOST`.",
    )
    people: int = Field(
        default=1, ge=1, le=PEOPLE_MAX, description="How many of them, all of them different people."
    )


class RequestsBlock(Block):
    """Who may lend access to those that have none."""

    reviewers: tuple[Reviewer, ...] = Field(
        default=(), description="One of these has to agree; short for a `quorum` of one part."
    )
    quorum: tuple[AskedBlock, ...] = Field(default=(), description="Who has to agree: all parts.")
    for_max: Duration = Field(default="8h", description="How long access may be lent, at most; up to `30d`.")
    expires: Duration = Field(
        default="24h", description="How long such a request may be decided; up to `30d`."
    )
    comment: Literal["required", "optional"] = Field(
        default="optional", description="Whether a decision without a comment is refused."
    )
