"""Settings of the integrations, as frozen values. Read from YAML by `sluicegate.settings`, passed in from there.

Addresses of vendors have their public defaults; tests and private clouds set their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.settings import SecretSource


@dataclass(frozen=True, slots=True)
class Only:
    """Which approvals: of these connections, and that one of these reviewers may decide. Empty: of all."""

    connections: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """A place at a vendor (a channel's id), and what is told there. The first of several that fits is taken."""

    place: str
    only: Only = field(default_factory=Only)


@dataclass(frozen=True, slots=True)
class Slack:
    """A Slack app. `targets`: channel ids. People are `slack:TEAM/USER` in `approvals.people`."""

    bot_token: SecretSource
    signing_secrets: tuple[SecretSource, ...]  # several while one is replaced by the next
    targets: tuple[Target, ...]
    api_url: str = "https://slack.com/api"


@dataclass(frozen=True, slots=True)
class TeamsBot:
    """A bot registered with Azure Bot for Teams. `targets`: channel ids (19:…@thread.tacv2).

    People are `teams:TENANT/AADOBJECTID`; only people of `tenant_id` are heard.
    """

    app_id: str
    tenant_id: str
    app_secret: SecretSource
    targets: tuple[Target, ...]
    service_url: str = "https://smba.trafficmanager.net/teams/"
    login_url: str = "https://login.microsoftonline.com"
    openid_url: str = "https://login.botframework.com/v1/.well-known/openidconfiguration"
    issuer: str = "https://api.botframework.com"


@dataclass(frozen=True, slots=True)
class TeamsWorkflow:
    """A Teams workflow that posts to a channel when its URL is called. Cards link to the console; nobody decides in
    Teams. `url` is a secret: whoever has it may post."""

    url: SecretSource
    only: Only = field(default_factory=Only)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Somebody's service, spoken to by Standard Webhooks. `secrets`: `whsec_` and base64; the newest first.

    Without `url` nothing is sent; without `decisions` nothing is taken. People are `webhook:NAME/PERSON`.
    """

    name: str  # letters, digits, - and _: it is a part of the path of what comes in
    secrets: tuple[SecretSource, ...]
    url: str = ""
    decisions: bool = False
    only: Only = field(default_factory=Only)
    tolerance_seconds: float = 300.0


@dataclass(frozen=True, slots=True)
class Jira:
    """A Jira Cloud site (REST v3). With `email` the token is that account's API token, without it a bearer token.

    An issue is opened for each approval; who moves it into one of the statuses decides. `settled`: state of the
    approval to the name of the transition that closes the issue. People are `jira:ACCOUNTID`.
    """

    url: str
    token: SecretSource
    project: str
    email: str = ""
    issue_type: str = "Task"
    summary: str = "Approval: $what on $connection for $requester"
    description: str = "$requester asks to run $what on $connection. Rule $rule: $reason"
    fields: Mapping[str, object] = field(
        default_factory=dict, hash=False
    )  # further ones, as REST v3 has them
    approve_statuses: tuple[str, ...] = ("Approved",)
    deny_statuses: tuple[str, ...] = ("Declined", "Rejected")
    settled: Mapping[str, str] = field(default_factory=dict, hash=False)
    only: Only = field(default_factory=Only)
    poll_seconds: float = 15.0
    webhook_secrets: tuple[SecretSource, ...] = ()  # none: what comes in is refused, and the poll brings it


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """A ServiceNow instance (Table API, basic authentication). People are `servicenow:USER_NAME`.

    Who gives `decision_field` one of the values decides. `settled`: state of the approval to the fields that the
    record is given then.
    """

    url: str
    username: str
    password: SecretSource
    table: str = "change_request"
    short_description: str = "Approval: $what on $connection for $requester"
    description: str = "$requester asks to run $what on $connection. Rule $rule: $reason"
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)
    decision_field: str = "approval"
    approve_values: tuple[str, ...] = ("approved",)
    deny_values: tuple[str, ...] = ("rejected",)
    comment_field: str = "comments"  # the journal that a decision's comment is taken from and ours go into
    settled: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    only: Only = field(default_factory=Only)
    poll_seconds: float = 15.0
    webhook_secrets: tuple[SecretSource, ...] = ()  # Standard Webhooks; none: the poll alone


@dataclass(frozen=True, slots=True)
class Retries:
    """Seconds between tries: doubled from the first to the longest. After `tries` of them a finding is raised; it is
    tried on until the approval ends."""

    first_seconds: float = 1.0
    longest_seconds: float = 60.0
    tries: int = 5
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class IntegrationSettings:
    """All there are. `public_url`: where people reach the console; '' leaves the links away."""

    public_url: str = ""
    slack: Slack | None = None
    teams: TeamsBot | TeamsWorkflow | None = None
    webhooks: tuple[Webhook, ...] = ()
    jira: Jira | None = None
    servicenow: ServiceNow | None = None
    retries: Retries = field(default_factory=Retries)
