"""Blocks within `approvals` for places where people are: Slack, Teams, webhooks, Jira, ServiceNow."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field, JsonValue, Tag

from sluicegate.settings.blocks import Block, GuardedUrl, Seconds, Text, named, some
from sluicegate.settings.credentials import Secret
from sluicegate.settings.reviewing import Reviewer

_WEBHOOK_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_CONNECTIONS = Field(default=(), description="Approvals of these connections alone; not given: of all.")
_REVIEWERS = Field(default=(), description="Approvals that one of these may decide alone; not given: all.")
_POLL = Field(default=15.0, description="How often decisions are fetched.")

Secrets = Annotated[tuple[Secret, ...], AfterValidator(some)]


class ChannelBlock(Block):
    """A channel, and which approvals are told there. The first that fits is taken."""

    id: Text = Field(description="Channel's id, as the vendor shows it.")
    connections: tuple[Text, ...] = _CONNECTIONS
    reviewers: tuple[Reviewer, ...] = _REVIEWERS


Channels = Annotated[tuple[ChannelBlock, ...], AfterValidator(some)]


class SlackBlock(Block):
    """A Slack app with a bot."""

    bot_token: Secret = Field(description="The bot's token (`xoxb-…`).")
    signing_secrets: Secrets = Field(
        json_schema_extra={"minItems": 1},
        description="The app's signing secret, by which clicks are believed; several while one is replaced.",
    )
    channels: Channels = Field(json_schema_extra={"minItems": 1}, description="Where approvals are told.")
    api_url: GuardedUrl = Field(default="https://slack.com/api", description="Slack's Web API.")


class TeamsBotBlock(Block):
    """A bot registered for Microsoft Teams."""

    app_id: Text = Field(description="The bot's application id.")
    tenant_id: Text = Field(description="The tenant whose people are heard.")
    app_secret: Secret = Field(description="The bot's client secret.")
    channels: Channels = Field(json_schema_extra={"minItems": 1}, description="Where approvals are told.")
    service_url: GuardedUrl = Field(
        default="https://smba.trafficmanager.net/teams/", description="The Bot Connector's URL."
    )
    login_url: GuardedUrl = Field(
        default="https://login.microsoftonline.com", description="Where the bot gets its tokens."
    )
    openid_url: GuardedUrl = Field(
        default="https://login.botframework.com/v1/.well-known/openidconfiguration",
        description="Where the keys are that vouch for what Teams sends.",
    )
    issuer: Text = Field(
        default="https://api.botframework.com", description="What the claim `iss` of those tokens must be."
    )


class TeamsWorkflowBlock(Block):
    """A Teams workflow that posts to a channel when its URL is called; nobody decides there."""

    url: Secret = Field(description="The workflow's URL, a secret; instead of a bot, and cards only link.")
    connections: tuple[Text, ...] = _CONNECTIONS
    reviewers: tuple[Reviewer, ...] = _REVIEWERS


def _teams_tag(value: Any) -> str:
    workflow = isinstance(value, TeamsWorkflowBlock) or (isinstance(value, dict) and "url" in value)
    return "<workflow>" if workflow else "<bot>"


Teams = Annotated[
    Annotated[TeamsBotBlock, Tag("<bot>")] | Annotated[TeamsWorkflowBlock, Tag("<workflow>")],
    Discriminator(_teams_tag),
]


class WebhookBlock(Block):
    """A service of one's own, spoken to by Standard Webhooks."""

    name: Annotated[
        str, AfterValidator(named(_WEBHOOK_NAME, "must be 1 to 63 of letters, digits, `-` and `_`"))
    ] = Field(description="Name of the webhook in its path and in names of people.")
    secrets: Secrets = Field(
        json_schema_extra={"minItems": 1},
        description="`whsec_…`, what is sent and taken is signed with; the newest first.",
    )
    url: GuardedUrl | None = Field(default=None, description="Where approvals are sent; not given: nowhere.")
    decisions: bool = Field(default=False, description="Whether decisions are taken from it.")
    tolerance_seconds: Seconds = Field(default=300.0, description="How old a decision may be.")
    connections: tuple[Text, ...] = _CONNECTIONS
    reviewers: tuple[Reviewer, ...] = _REVIEWERS


class JiraBlock(Block):
    """A Jira Cloud site."""

    url: GuardedUrl = Field(description="The site, such as `https://example.atlassian.net`.")
    token: Secret = Field(description="API token of `email`, or a bearer token.")
    email: str = Field(
        default="", description="Account of the API token; not given: `token` is a bearer token."
    )
    project: Text = Field(description="Key of the project in which issues are opened.")
    issue_type: Text = Field(default="Task", description="Type of the issues.")
    summary: Text = Field(
        default="Approval: $what on $connection for $requester", description="Template of the summary."
    )
    description: Text = Field(
        default="$requester asks to run $what on $connection. Rule $rule: $reason",
        description="Template of the description.",
    )
    fields: dict[Text, JsonValue] = Field(default={}, description="Further fields, as REST v3 has them.")
    approve_statuses: Annotated[tuple[Text, ...], AfterValidator(some)] = Field(
        default=("Approved",), description="Statuses that approve; who moves an issue there decides."
    )
    deny_statuses: tuple[Text, ...] = Field(
        default=("Declined", "Rejected"), description="Statuses that deny."
    )
    settled: dict[Text, Text] = Field(
        default={}, description="State of the approval to the transition that its issue is given then."
    )
    poll_seconds: Seconds = _POLL
    webhook_secrets: tuple[Secret, ...] = Field(
        default=(), description="By which webhooks are believed; not given: decisions are fetched alone."
    )
    connections: tuple[Text, ...] = _CONNECTIONS
    reviewers: tuple[Reviewer, ...] = _REVIEWERS


class ServiceNowBlock(Block):
    """A ServiceNow instance."""

    url: GuardedUrl = Field(description="The instance, such as `https://example.service-now.com`.")
    username: Text = Field(description="User of the Table API.")
    password: Secret = Field(description="The user's password.")
    table: Text = Field(default="change_request", description="Table in which records are opened.")
    short_description: Text = Field(
        default="Approval: $what on $connection for $requester",
        description="Template of the short description.",
    )
    description: Text = Field(
        default="$requester asks to run $what on $connection. Rule $rule: $reason",
        description="Template of the description.",
    )
    fields: dict[Text, str] = Field(default={}, description="Further fields of a record.")
    decision_field: Text = Field(default="approval", description="Field by which people decide.")
    approve_values: Annotated[tuple[Text, ...], AfterValidator(some)] = Field(
        default=("approved",), description="Values of it that approve."
    )
    deny_values: tuple[Text, ...] = Field(default=("rejected",), description="Values of it that deny.")
    comment_field: Text = Field(default="comments", description="Journal of comments, theirs and ours.")
    settled: dict[Text, dict[str, str]] = Field(
        default={}, description="State of the approval to the fields that its record is given then."
    )
    poll_seconds: Seconds = _POLL
    webhook_secrets: tuple[Secret, ...] = Field(
        default=(), description="By which webhooks are believed; not given: decisions are fetched alone."
    )
    connections: tuple[Text, ...] = _CONNECTIONS
    reviewers: tuple[Reviewer, ...] = _REVIEWERS


class RetriesBlock(Block):
    """How what could not be delivered is tried again."""

    first_seconds: Seconds = Field(default=1.0, description="Before the second try; doubled from then on.")
    longest_seconds: Seconds = Field(default=60.0, description="Longest time between two tries.")
    tries: int = Field(
        default=5, ge=1, le=100, description="Tries before a finding is raised; it goes on after."
    )
    timeout_seconds: Seconds = Field(default=10.0, description="How long one try may take.")
