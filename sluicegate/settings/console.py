"""From the block `approvals` to the settings of the console and of its integrations."""

from urllib.parse import urlsplit

from console.integrations.settings import (
    IntegrationSettings,
    Jira,
    Only,
    Retries,
    ServiceNow,
    Slack,
    Target,
    TeamsBot,
    TeamsWorkflow,
    Webhook,
)
from console.settings import ConsoleSettings, DeskKeys, PersonEntry
from gateway.settings import IdentitySettings, SecretSource, ServerTls
from sluicegate.settings.addresses import split_address
from sluicegate.settings.approvals import machine_key, signing_seed, trusted_keys
from sluicegate.settings.approvals_block import public_url
from sluicegate.settings.credentials import SecretBlock
from sluicegate.settings.integration_blocks import (
    ChannelBlock,
    JiraBlock,
    ServiceNowBlock,
    SlackBlock,
    TeamsBotBlock,
    TeamsWorkflowBlock,
    WebhookBlock,
)
from sluicegate.settings.model import Settings
from sluicegate.settings.parts import issuer_of
from sluicegate.settings.retention import keeping_settings
from sluicegate.settings.web import web_settings

Place = ChannelBlock | TeamsWorkflowBlock | WebhookBlock | JiraBlock | ServiceNowBlock


def console_settings(settings: Settings) -> ConsoleSettings:
    """What the console takes. Raises KeyFileError."""
    block = settings.approvals
    host, port = split_address(block.listen)
    public = urlsplit(public_url(block)).hostname
    return ConsoleSettings(
        keys=DeskKeys(
            signing_seed(settings.data_dir, "console"),
            machine_key(settings.data_dir).public,
            trusted_keys(settings.data_dir),
        ),
        identity=_identity(settings),
        host=host,
        port=port,
        hosts=tuple(dict.fromkeys([*block.hosts, *([public] if public else [])])),
        tls=ServerTls(block.tls.certificate_file, block.tls.key_file) if block.tls else None,
        people=tuple(PersonEntry(person.names, person.groups) for person in block.people),
        auditor_groups=block.auditor_groups,
        revoker_groups=block.revoker_groups,
        token_file=settings.data_dir / "run" / "approvals.token",
        port_file=settings.data_dir / "run" / "approvals.port",
        integrations=integration_settings(settings),
        web=web_settings(settings),
        keeping=keeping_settings(settings, "console"),
    )


def _identity(settings: Settings) -> IdentitySettings:
    """As the gateway's, but for tokens of people: audiences of its own, and no tokens that agents are given."""
    block, own = settings.identity, settings.approvals.audiences
    issuers = [issuer.model_copy(update={"audiences": own}) for issuer in block.issuers]
    return IdentitySettings(
        mode=block.mode,
        public_url=public_url(settings.approvals),
        issuers=tuple(issuer_of(issuer) for issuer in issuers),
    )


def integration_settings(settings: Settings) -> IntegrationSettings:
    """What the integrations of the console take."""
    block = settings.approvals
    return IntegrationSettings(
        public_url=block.public_url or "",
        slack=_slack(block.slack) if block.slack else None,
        teams=_teams(block.teams) if block.teams else None,
        webhooks=tuple(_webhook(webhook) for webhook in block.webhooks),
        jira=_jira(block.jira) if block.jira else None,
        servicenow=_servicenow(block.servicenow) if block.servicenow else None,
        retries=Retries(**block.retries.model_dump()),
    )


def _slack(block: SlackBlock) -> Slack:
    return Slack(
        _source(block.bot_token), _sources(block.signing_secrets), _targets(block.channels), block.api_url
    )


def _teams(block: TeamsBotBlock | TeamsWorkflowBlock) -> TeamsBot | TeamsWorkflow:
    if isinstance(block, TeamsWorkflowBlock):
        return TeamsWorkflow(_source(block.url), _only(block))
    fields = block.model_dump(exclude={"app_secret", "channels"})
    return TeamsBot(**fields, app_secret=_source(block.app_secret), targets=_targets(block.channels))


def _webhook(block: WebhookBlock) -> Webhook:
    fields = block.model_dump(exclude={"secrets", "url", "connections", "reviewers"})
    return Webhook(**fields, secrets=_sources(block.secrets), url=block.url or "", only=_only(block))


def _jira(block: JiraBlock) -> Jira:
    fields = block.model_dump(exclude={"token", "webhook_secrets", "connections", "reviewers"})
    inward = _sources(block.webhook_secrets)
    return Jira(**fields, token=_source(block.token), webhook_secrets=inward, only=_only(block))


def _servicenow(block: ServiceNowBlock) -> ServiceNow:
    fields = block.model_dump(exclude={"password", "webhook_secrets", "connections", "reviewers"})
    inward = _sources(block.webhook_secrets)
    return ServiceNow(**fields, password=_source(block.password), webhook_secrets=inward, only=_only(block))


def _targets(channels: tuple[ChannelBlock, ...]) -> tuple[Target, ...]:
    return tuple(Target(channel.id, _only(channel)) for channel in channels)


def _only(block: Place) -> Only:
    return Only(block.connections, block.reviewers)


def _source(block: SecretBlock) -> SecretSource:
    return SecretSource(block.env, block.file)


def _sources(blocks: tuple[SecretBlock, ...]) -> tuple[SecretSource, ...]:
    return tuple(_source(block) for block in blocks)
