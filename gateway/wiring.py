"""From the settings of one connection to all that serves it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.routing import Route as Path

from gateway.access import Gate
from gateway.belonging import Seals
from gateway.counters import SessionCounters
from gateway.drafting import MaskingFailedError, MaskText
from gateway.edge.announce import Announcer
from gateway.edge.background import Background
from gateway.edge.control import Control
from gateway.edge.credentials import Injector, credential_for
from gateway.edge.credentials.impersonation import impersonating
from gateway.edge.credentials.kubeconfig import certificate_of, kubeconfig_credential, resolved
from gateway.edge.identity import protected_resources, resource_of
from gateway.edge.pinning import Pinning
from gateway.edge.policies import Policies
from gateway.edge.route import Route
from gateway.edge.stdio import StdioUpstream
from gateway.edge.tokens import TokenDesk
from gateway.edge.upstream import HttpUpstream, Upstream
from gateway.endings import Known, Mask, Terms, nothing_known
from gateway.law import Law, Open
from gateway.openapi import Operations, operations_of
from gateway.policy import Condition
from gateway.policy.facts import ConnectionFacts
from gateway.rules import Rules
from gateway.settings import Connection, ConnectionKind, GatewaySettings, MaskingRules, Sealing
from gateway.tools import ToolBook
from gateway.waiting import HeldTasks, StateSeal, TaskSeal
from masking import WHERE_CLIENTS_DECODE, Masker, MaskingError, placed, profile_from
from schemas.frames import Redaction

Masks = Callable[[str], Mask]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the connections of one process share."""

    settings: GatewaySettings
    policies: Policies
    control: Control
    announcer: Announcer
    background: Background
    counters: SessionCounters
    held_tasks: HeldTasks
    desk: TokenDesk | None


def route(connection: Connection, parts: Parts) -> Route:
    """Everything that serves one connection. Raises ValueError for a file of it that cannot be used."""
    connection = resolved(connection)
    identity = parts.settings.identity
    facts = ConnectionFacts(connection.name, str(connection.kind), connection.owner, dict(connection.labels))
    book = ToolBook(connection.name, parts.control.pins)
    rules = Rules(
        facts,
        partial(parts.policies.of, connection.name),
        book=book,
        tools=connection.tools,
        counters=parts.counters,
        seals=None if identity.mode == "none" else Seals(parts.settings.masking_key, connection.name),
        reviewers=connection.tool_change_reviewers or parts.settings.holding.reviewers,
        demanded=parts.control.demanded,
        operations=_operations(connection),
    )
    injector = impersonating(_credential(connection, parts), connection)
    masks = _masks(parts.settings.masking_key, connection)
    make = partial(
        _terms,
        connection.name,
        masks=masks,
        settings=parts.settings,
        law=rules,
        sealed=connection.sealed,
        held_tasks=parts.held_tasks,
        kind=connection.kind,
        cluster=connection.cluster or connection.name,
        known=injector.known,
        names_caller=connection.impersonate is not None,
    )
    access = connection.access
    return Route(
        connection,
        make(connection.masking),
        _upstream(connection, injector),
        Gate(access, Condition(access.when).holds if access.when else None),
        facts,
        resource_of(identity, connection.name, connection.kind),
        injector,
        Pinning(book, parts.announcer, parts.background),
        tuple((group, make(profile)) for group, profile in connection.masking_by_group),
    )


def nowhere(settings: GatewaySettings) -> Terms:
    """The terms of a request that finds no connection: it is only refused."""
    masks = _masks(settings.masking_key, Connection("unknown"))
    return _terms("unknown", "secrets", masks=masks, settings=settings, law=Open())


def metadata_routes(settings: GatewaySettings) -> list[BaseRoute]:
    """Protected resource metadata (RFC 9728), one document a connection."""
    documents = protected_resources(settings.identity, {c.name: c.kind for c in settings.connections})

    async def document(request: Request) -> Response:
        return Response(documents[request.url.path], media_type="application/json")

    return [Path(path, document) for path in documents]


def _terms(
    name: str,
    profile: str,
    *,
    masks: Masks,
    settings: GatewaySettings,
    law: Law,
    sealed: Sealing | None = None,
    held_tasks: HeldTasks | None = None,
    kind: ConnectionKind = ConnectionKind.MCP,
    cluster: str = "",
    known: Known = nothing_known,
    names_caller: bool = False,
) -> Terms:
    mask = masks(profile)
    return Terms(
        name,
        mask,
        _mask_text(mask),
        settings.limits,
        masks,
        law,
        sealed is not None,
        settings.holding,
        settings.holding.status_url or f"{settings.identity.public_url}/approvals/{{id}}",
        StateSeal(settings.masking_key),
        TaskSeal(settings.masking_key),
        held_tasks or HeldTasks(),
        kind,
        cluster,
        known,
        names_caller,
    )


def _credential(connection: Connection, parts: Parts) -> Injector:
    if connection.kubeconfig:
        return kubeconfig_credential(connection)
    return credential_for(connection, parts.settings.identity.mode, parts.desk)


def _operations(connection: Connection) -> Operations | None:
    """The names of the API's operations, where a document gives them. Raises OpenApiError."""
    if connection.openapi_file is None:
        return None
    return operations_of(connection.openapi_file, connection.upstream or "")


def _upstream(connection: Connection, injector: Injector) -> Upstream:
    return (
        StdioUpstream(connection)
        if connection.command
        else HttpUpstream(connection, certificate_of(injector))
    )


def _masks(key: bytes, connection: Connection) -> Masks:
    """The masks of a connection by profile, each made once; its own rules are in all of them."""

    @lru_cache(maxsize=16)
    def mask(profile: str) -> Mask:
        own = connection.masking_rules or MaskingRules()
        known = profile_from(profile, own.rules, own.allow, own.leave, own.forms)
        if connection.kind == ConnectionKind.KUBERNETES:
            known = replace(known, forms=(*WHERE_CLIENTS_DECODE, *known.forms))
        return _mask(Masker(key, known))

    return mask


def _mask(masker: Masker) -> Mask:
    def mask(body: bytes) -> tuple[bytes, list[Redaction]]:
        if not body:
            return body, []
        try:
            masked = masker.mask(body)
        except MaskingError as exc:
            raise MaskingFailedError(str(exc)) from exc
        except Exception as exc:
            raise MaskingFailedError(type(exc).__name__) from exc
        return masked.text, placed(masked)

    return mask


def _mask_text(mask: Mask) -> MaskText:
    """Header lines of one client hardly differ from request to request, so what was masked is remembered."""

    @lru_cache(maxsize=1024)
    def mask_text(text: str) -> tuple[str, list[Redaction]]:
        masked, redactions = mask(text.encode("latin-1", "replace"))
        return masked.decode("latin-1"), redactions

    return mask_text
