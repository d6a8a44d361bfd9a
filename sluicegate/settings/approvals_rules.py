"""What takes two settings to know of approvals and findings."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from schemas.durations import DAY, seconds_in
from schemas.people import is_person
from sluicegate.settings.addresses import is_loopback
from sluicegate.settings.approvals_block import ApprovalsBlock, PersonBlock
from sluicegate.settings.connection_rules import Fault, file_faults, secret_faults
from sluicegate.settings.credentials import SecretBlock
from sluicegate.settings.findings_block import FindingsBlock
from sluicegate.settings.integration_blocks import WebhookBlock
from sluicegate.settings.model import Settings
from sluicegate.settings.source import Loc


def approvals_faults(settings: Settings) -> Iterator[Fault]:
    """Everything wrong with `approvals` and `findings`."""
    block = settings.approvals
    yield from _address(settings)
    yield from _audiences(settings)
    yield from _wait(block)
    yield from _people(block.people)
    yield from _places(settings)
    yield from _webhooks(block.webhooks)
    yield from _secrets(block, ("approvals",))
    yield from _secrets(settings.findings, ("findings",))
    yield from _findings(settings.findings)
    yield from _reviewers(settings)


def _address(settings: Settings) -> Iterator[Fault]:
    block, where = settings.approvals, ("approvals", "listen")
    if not is_loopback(block.listen):
        if settings.identity.mode == "none":
            yield (
                where,
                "`identity: {mode: none}` asks nobody who they are, so only a loopback address may be listened on: "
                "write 127.0.0.1, or ask with `mode: oidc`",
            )
        elif not block.public_url:
            yield (
                where,
                "is reached from elsewhere, so people's tokens must name it; give `approvals.public_url`",
            )
    if block.tls:
        for name in ("certificate_file", "key_file"):
            yield from file_faults(getattr(block.tls, name), ("approvals", "tls", name))
        if (block.public_url or "").startswith("http:"):
            yield ("approvals", "public_url"), "is http, and `approvals.tls` speaks https; write https"
    if block.anonymous == "allow" and settings.identity.mode != "none":
        yield ("approvals", "anonymous"), "with `mode: oidc` nobody is without identity; remove it"
    if block.status_url and "{id}" not in block.status_url:
        yield ("approvals", "status_url"), "must have `{id}` in it, where the approval's id goes"


def _audiences(settings: Settings) -> Iterator[Fault]:
    """A token that an agent holds must not decide in the name of its owner."""
    block, identity = settings.approvals, settings.identity
    if block.audiences and identity.mode == "none":
        yield ("approvals", "audiences"), "with `mode: none` nobody is asked for a token; remove it"
    for_agents = {audience for issuer in identity.issuers for audience in issuer.audiences}
    for index, audience in enumerate(block.audiences):
        if audience in for_agents:
            yield (
                ("approvals", "audiences", index),
                "is an audience of `identity.issuers` too, so that an agent could approve with the token that it was "
                "given; register another one for people who decide",
            )
    if identity.mode == "oidc" and block.public_url and block.public_url == identity.public_url:
        yield (
            ("approvals", "public_url"),
            "is the gateway's own, so that tokens for agents would be good here; give it a name of its own",
        )


def _wait(block: ApprovalsBlock) -> Iterator[Fault]:
    wait, where = block.wait, ("approvals", "wait")
    stream, poll, keep_alive = (seconds_in(text) for text in (wait.stream, wait.poll, wait.keep_alive))
    for name, seconds in (("stream", stream), ("poll", poll)):
        if seconds > DAY:
            yield (*where, name), "is at most 24h"
    if keep_alive >= stream:
        yield (
            (*where, "keep_alive"),
            "is not less than `stream`, so that no sign of life were ever sent; lower it",
        )
    if wait.calls_by_caller_max > wait.calls_max:
        yield (*where, "calls_by_caller_max"), "is more than `calls_max`, that of all callers; lower it"


def _people(people: Iterable[PersonBlock]) -> Iterator[Fault]:
    """One person has one entry: two that share a name would be one person to the rules, and two to a reader."""
    taken: dict[str, int] = {}
    for index, person in enumerate(people):
        for number, name in enumerate(person.names):
            first = taken.setdefault(name.casefold(), index)
            if first != index or name.casefold() in {each.casefold() for each in person.names[:number]}:
                told = "this entry" if first == index else f"approvals.people[{first}]"
                yield (
                    ("approvals", "people", index, "names", number),
                    f"stands in {told} already; all names of one person go into one entry, each once",
                )


def _places(settings: Settings) -> Iterator[Fault]:
    """Connections that there are not."""
    known = {connection.name for connection in settings.connections}
    for loc, block in [
        *_blocks(settings.approvals, ("approvals",)),
        *_blocks(settings.findings, ("findings",)),
    ]:
        for index, name in enumerate(getattr(block, "connections", ())):
            if name not in known:
                yield (
                    (*loc, "connections", index),
                    "there is no connection of this name; write one of `connections`",
                )


def _webhooks(webhooks: Iterable[WebhookBlock]) -> Iterator[Fault]:
    names: set[str] = set()
    for index, webhook in enumerate(webhooks):
        loc: Loc = ("approvals", "webhooks", index)
        if webhook.name in names:
            yield (*loc, "name"), "a webhook of this name stands above already; give this one another name"
        names.add(webhook.name)
        if not webhook.url and not webhook.decisions:
            yield loc, "neither sends nor takes anything; give `url`, or `decisions: true`"


def _findings(block: FindingsBlock) -> Iterator[Fault]:
    if block.rules:
        yield from file_faults(block.rules, ("findings", "rules"))
    names: set[str] = set()
    for index, alert in enumerate(block.alerts):
        if alert.name in names:
            yield (
                ("findings", "alerts", index, "name"),
                "an alert of this name stands above already; give this one another name",
            )
        names.add(alert.name)


def _reviewers(settings: Settings) -> Iterator[Fault]:
    """Without tokens nobody is a person of an issuer, unless an entry of `people` says so."""
    if settings.identity.mode != "none":
        return
    known = {name for person in settings.approvals.people for name in person.names}
    for index, connection in enumerate(settings.connections):
        for number, name in enumerate(connection.tools.reviewers):
            if is_person(name) and not name.startswith("|") and name not in known:
                yield (
                    ("connections", index, "tools", "reviewers", number),
                    "without identity nobody is this person: those who decide are at a terminal "
                    "(`terminal:USER@HOST`) or in `approvals.people`; or set `identity.mode: oidc`",
                )


def _secrets(block: BaseModel, loc: Loc) -> Iterator[Fault]:
    for place, found in _blocks(block, loc):
        if isinstance(found, SecretBlock):
            yield from secret_faults(found, place)


def _blocks(value: Any, loc: Loc) -> Iterator[tuple[Loc, BaseModel]]:
    """All blocks at `loc` and below, with where they stand."""
    if isinstance(value, BaseModel):
        yield loc, value
        for name in type(value).model_fields:
            yield from _blocks(getattr(value, name), (*loc, name))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _blocks(each, (*loc, index))
