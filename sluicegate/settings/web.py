"""From the block `web` to the settings of the console's pages."""

from console.web.settings import (
    ConnectionShown,
    OidcLogin,
    RoleGroups,
    SamlLogin,
    Team,
    WebSettings,
)
from gateway.settings import SecretSource
from schemas.durations import seconds_in
from sluicegate.settings.connection import ConnectionBlock
from sluicegate.settings.connections import profile_of
from sluicegate.settings.model import Settings
from sluicegate.settings.web_block import SamlBlock
from sluicegate.settings.web_parts import part_probes


def web_settings(settings: Settings) -> WebSettings:
    """What the pages take. Raises OSError where a certificate has gone."""
    block = settings.web
    return WebSettings(
        store=settings.sink_settings(),
        roles=RoleGroups(**block.roles.model_dump()),
        teams=tuple(Team(**team.model_dump()) for team in block.teams),
        oidc=_oidc(settings),
        saml=_saml(settings, block.saml) if block.saml else None,
        idle_seconds=float(seconds_in(block.idle)),
        absolute_seconds=float(seconds_in(block.longest)),
        connections=tuple(_shown(connection) for connection in settings.connections),
        parts=tuple(part_probes(settings)),
    )


def _oidc(settings: Settings) -> OidcLogin | None:
    login = settings.web.login
    if login is None:
        return None
    secret = login.client_secret
    return OidcLogin(
        login.issuer or settings.identity.issuers[0].name,
        login.client_id,
        SecretSource(secret.env, secret.file) if secret else None,
        login.scopes,
    )


def _saml(settings: Settings, block: SamlBlock) -> SamlLogin:
    known = {issuer.name: issuer.issuer for issuer in settings.identity.issuers}
    return SamlLogin(
        provider_entity_id=block.provider,
        sign_in_url=block.sign_in_url,
        certificates=tuple(path.read_text("ascii") for path in block.certificate_files),
        entity_id=block.entity_id,
        issuer=known[block.issuer] if block.issuer else block.provider,
        subject=block.subject,
        groups=block.groups,
        email=block.email,
        name=block.name,
    )


def _shown(block: ConnectionBlock) -> ConnectionShown:
    """A program's name alone is shown: its arguments may hold what is nobody's business."""
    upstream = block.upstream or (block.command[0] if block.command else "")
    if block.in_cluster or block.kubeconfig:
        upstream = "the cluster that the gateway runs in" if block.in_cluster else "as its kubeconfig says"
    return ConnectionShown(
        name=block.name,
        kind=block.kind if block.upstream or not block.command else f"{block.kind} (stdio)",
        upstream=upstream,
        owner=block.owner,
        labels=tuple(sorted(block.labels.items())),
        policy_file=block.policy,
        masking=profile_of(block.masking),
    )
