"""From a connection's block to the frozen settings that the gateway takes."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

from gateway.settings import (
    Access,
    AccessRequests,
    ClientCredentials,
    ClientsOwn,
    Connection,
    ConnectionKind,
    Credential,
    FixedCredential,
    Impersonation,
    KubeConfig,
    MaskingRules,
    Quota,
    Rate,
    Sealing,
    SecretSource,
    StdioLimits,
    Timeouts,
    TokenExchange,
    ToolSettings,
    UpstreamTls,
)
from schemas.durations import seconds_in
from sluicegate.settings import credentials
from sluicegate.settings.connection import ConnectionBlock, QuotaBlock, RateBlock
from sluicegate.settings.kubernetes import Impersonate, ImpersonationBlock
from sluicegate.settings.masking import MaskingBlock, rules_at
from sluicegate.settings.reviewing import AskedBlock, RequestsBlock


class _Way(NamedTuple):
    upstream: str | None
    tls: UpstreamTls | None
    credential: Credential | None


WATCH_IDLE_SECONDS = 3_900.0


def connection_of(block: ConnectionBlock) -> Connection:
    """The connection that a block describes. Raises OSError when a file of masking rules has gone."""
    way = _way(block)
    return Connection(
        name=block.name,
        kind=ConnectionKind(block.kind),
        host=block.host,
        owner=block.owner,
        labels=dict(block.labels),
        access=Access(**block.access.model_dump(exclude={"requests"})),
        policy_file=block.policy,
        quota=_quota(block.quota),
        tools=ToolSettings(**block.tools.model_dump(exclude={"reviewers"})),
        access_requests=_requests(block.access.requests),
        tool_change_reviewers=block.tools.reviewers,
        credential=way.credential,
        tls=way.tls,
        trace_user_agent=block.trace_user_agent,
        upstream=way.upstream,
        command=block.command or (),
        env=tuple(block.env.items()),
        masking=profile_of(block.masking),
        masking_rules=masking_rules(block.masking),
        masking_by_group=tuple(block.masking_by_group.items()),
        sealed=Sealing(**block.sealed.model_dump()) if block.sealed else None,
        timeouts=_timeouts(block),
        stdio=StdioLimits(**block.stdio.model_dump()),
        connections_max=block.connections_max,
        cluster=(block.cluster or block.name) if block.kind == "kubernetes" else "",
        kubeconfig=KubeConfig(**block.kubeconfig.model_dump()) if block.kubeconfig else None,
        impersonate=_impersonation(block.impersonate),
        openapi_file=block.openapi,
    )


def _timeouts(block: ConnectionBlock) -> Timeouts:
    timeouts = Timeouts(**block.timeouts.model_dump())
    if block.kind == "kubernetes" and "idle_seconds" not in block.timeouts.model_fields_set:
        return replace(timeouts, idle_seconds=WATCH_IDLE_SECONDS)
    return timeouts


def _way(block: ConnectionBlock) -> _Way:
    """Where the upstream is, who vouches for it, and what it is shown."""
    if block.in_cluster:
        from gateway.edge.credentials.service_account import in_cluster  # noqa: PLC0415 - few files need it

        pod = in_cluster()
        return _Way(pod.upstream, pod.tls, pod.credential)
    tls = UpstreamTls(**block.tls.model_dump()) if block.tls else None
    return _Way(block.upstream, tls, _credential(block.credential))


def _impersonation(block: Impersonate) -> Impersonation | None:
    if isinstance(block, ImpersonationBlock):
        return Impersonation(**block.model_dump())
    return Impersonation() if block else None


def _requests(block: RequestsBlock | None) -> AccessRequests | None:
    if block is None:
        return None
    parts = block.quorum or (AskedBlock(of=block.reviewers),)
    return AccessRequests(
        quorum=tuple((part.of, part.people) for part in parts),
        seconds_max=seconds_in(block.for_max),
        expires_seconds=seconds_in(block.expires),
        comment_required=block.comment == "required",
    )


def _quota(block: QuotaBlock) -> Quota:
    return Quota(
        rate=_rate(block.rate),
        concurrent=block.concurrent,
        total_rate=_rate(block.total_rate),
        total_concurrent=block.total_concurrent,
    )


def _rate(block: RateBlock | None) -> Rate | None:
    return Rate(block.per_second, block.burst or math.ceil(block.per_second)) if block else None


def _credential(block: credentials.CredentialBlock | None) -> Credential | None:
    match block:
        case None:
            return None
        case credentials.ClientsOwnBlock():
            return ClientsOwn()
        case credentials.ClientCredentialsBlock():
            return ClientCredentials(**_oauth(block))
        case credentials.TokenExchangeBlock():
            return TokenExchange(**_oauth(block))
        case credentials.BearerBlock() | credentials.BasicBlock() | credentials.HeaderBlock():
            fields = block.model_dump(exclude={"secret"})
            return FixedCredential(**fields, secret=_secret(block.secret))
        case _:
            return block.credential()


def _oauth(block: credentials.ClientCredentialsBlock | credentials.TokenExchangeBlock) -> dict[str, Any]:
    return {**block.model_dump(exclude={"kind", "secret"}), "secret": _secret(block.secret)}


def _secret(block: credentials.SecretBlock) -> SecretSource:
    return SecretSource(block.env, block.file)


def profile_of(masking: str | MaskingBlock) -> str:
    """The name of the profile in force."""
    return masking.profile if isinstance(masking, MaskingBlock) else masking


def masking_rules(masking: str | MaskingBlock) -> MaskingRules | None:
    """The rules and exceptions of its own. Raises OSError or ValueError when a file of rules has gone."""
    if not isinstance(masking, MaskingBlock):
        return None
    rules = tuple(rule for index in range(len(masking.rules)) for rule in rules_at(masking, index))
    forms = {name: form.model_dump(exclude_defaults=True) for name, form in masking.forms.items()}
    return MaskingRules(rules, masking.allow, masking.leave, forms)
