"""The block `approvals`: who decides on held calls, where they do, and how long callers wait."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.people import PROVIDERS, canonical, is_person
from sluicegate.settings.addresses import reachable
from sluicegate.settings.blocks import (
    Block,
    Duration,
    HostName,
    Listen,
    Origin,
    ServerTlsBlock,
    Text,
    Url,
    named,
    some,
)
from sluicegate.settings.integration_blocks import (
    JiraBlock,
    RetriesBlock,
    ServiceNowBlock,
    SlackBlock,
    Teams,
    WebhookBlock,
)

_GROUP = re.compile(r"[^|]{1,256}")


def _person(name: str) -> str:
    found = canonical(name)
    issuer, _, subject = found.partition("|")
    provider, _, known_as = found.partition(":")
    if is_person(found) and subject and issuer not in PROVIDERS:
        return found
    if provider in PROVIDERS and known_as and not is_person(found):
        return found
    raise ValueError(
        "must be `ISSUER|SUBJECT`, `terminal:USER@HOST`, or a name elsewhere with one of "
        f"{', '.join(f'`{each}:`' for each in PROVIDERS)} before it"
    )


Group = Annotated[str, AfterValidator(named(_GROUP, "must be a group's name, which has no `|`"))]


class PersonBlock(Block):
    """One person, who has several names."""

    names: Annotated[tuple[Annotated[str, AfterValidator(_person)], ...], AfterValidator(some)] = Field(
        json_schema_extra={"minItems": 1},
        description="All names of one person: `ISSUER|SUBJECT`, `terminal:USER@HOST`, `slack:TEAM/USER`, "
        "`teams:TENANT/OBJECT`, `jira:ACCOUNT`, `servicenow:USER`, `webhook:NAME/PERSON`, `mail:ADDRESS`.",
    )
    groups: tuple[Group, ...] = Field(
        default=(),
        description="Groups of the person where no token says them: in Slack, Teams, tickets and webhooks.",
    )


class WaitBlock(Block):
    """How callers wait."""

    stream: Duration = Field(
        default="15m", description="How long a caller that reads a stream is kept, at most; up to `24h`."
    )
    poll: Duration = Field(
        default="25s", description="How long any other caller is kept before it is told to come back."
    )
    keep_alive: Duration = Field(
        default="10s", description="Between two signs of life on a stream that waits."
    )
    calls_max: int = Field(
        default=200, ge=1, le=10_000, description="Most calls of one gateway process that wait at once."
    )
    calls_by_caller_max: int = Field(default=20, ge=1, le=10_000, description="Most of them of one caller.")


class ApprovalsBlock(Block):
    """Who decides on held calls, where, and how long callers wait."""

    listen: Listen = Field(default="127.0.0.1:8082", description="Address where people decide, `host:port`.")
    public_url: Origin | None = Field(
        default=None,
        description="How people reach it, `https://host[:port]`; needed where `listen` is not a loopback address.",
    )
    hosts: tuple[HostName, ...] = Field(
        default=(),
        description="Names that it answers to in `Host` and `Origin`, beside loopback and `public_url`.",
    )
    tls: ServerTlsBlock | None = Field(
        default=None, description="TLS spoken by it; not given: what stands before it speaks TLS."
    )
    audiences: tuple[Text, ...] = Field(
        default=(),
        description="What the claim `aud` of people's tokens may be here; not given: `public_url`. None that is good "
        "for agents.",
    )
    status_url: Url | None = Field(
        default=None,
        description="Page that a waiting caller is pointed to, with `{id}` in it; not given: the gateway's own.",
    )
    anonymous: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="Whether what a caller without identity asks for may be approved: `refuse`, or `allow` where "
        "those who decide and agents are different users of the system.",
    )
    auditor_groups: tuple[Group, ...] = Field(default=(), description="Groups that see every approval.")
    revoker_groups: tuple[Group, ...] = Field(
        default=(), description="Groups that see and may revoke every approval; they approve none by that."
    )
    wait: WaitBlock = Field(default=WaitBlock(), description="How callers wait.")
    people: tuple[PersonBlock, ...] = Field(
        default=(), description="People with several names; each person once."
    )
    slack: SlackBlock | None = Field(default=None, description="Where people decide in Slack.")
    teams: Teams | None = Field(default=None, description="Where people decide in Microsoft Teams.")
    webhooks: tuple[WebhookBlock, ...] = Field(default=(), description="Services of one's own.")
    jira: JiraBlock | None = Field(default=None, description="Where issues are opened and decided.")
    servicenow: ServiceNowBlock | None = Field(
        default=None, description="Where tickets are opened and decided."
    )
    retries: RetriesBlock = Field(
        default=RetriesBlock(), description="How what could not be delivered is tried again."
    )


def public_url(block: ApprovalsBlock) -> str:
    """How people reach the console: as they are told, or on this machine."""
    return block.public_url or f"{'https' if block.tls else 'http'}://{reachable(block.listen)}"
