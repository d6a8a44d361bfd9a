"""What takes two settings of a connection to know, or a file that one names."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sluicegate.settings.cloud import CloudBlock
from sluicegate.settings.cloud_rules import cloud_faults
from sluicegate.settings.connection import ConnectionBlock, QuotaBlock, RateBlock, ToolsBlock
from sluicegate.settings.credentials import ClientsOwnBlock, SecretBlock, TokenExchangeBlock
from sluicegate.settings.kubernetes_rules import kubernetes_faults
from sluicegate.settings.masking import MaskingBlock, SealedBlock, rules_at
from sluicegate.settings.reviewing_rules import access_requests_faults
from sluicegate.settings.source import Loc

Fault = tuple[Loc, str]
NO_FILE = "there is no such file (paths are relative to the folder of this file)"
FILE_FAULTS_MAX = 20


def connection_faults(connection: ConnectionBlock, loc: Loc, mode: str) -> Iterator[Fault]:
    """Everything wrong with one connection under an identity mode."""
    yield from _way(connection, loc)
    yield from kubernetes_faults(connection, loc, mode)
    yield from _openapi(connection, (*loc, "openapi"))
    yield from _credential(connection, (*loc, "credential"), mode)
    yield from _tls(connection, (*loc, "tls"))
    yield from _access(connection, (*loc, "access"), mode)
    yield from access_requests_faults(connection.access, (*loc, "access"), mode)
    yield from _tools(connection.tools, (*loc, "tools"))
    yield from _quota(connection.quota, (*loc, "quota"))
    if connection.kubeconfig:
        yield from file_faults(connection.kubeconfig.file, (*loc, "kubeconfig", "file"))
    if connection.policy:
        yield from file_faults(connection.policy, (*loc, "policy"))
    if isinstance(connection.masking, MaskingBlock):
        yield from _masking(connection.masking, (*loc, "masking"))
    if connection.sealed:
        yield from _sealed(connection.sealed, (*loc, "sealed", "recipient"))
    if connection.masking_by_group and mode == "none":
        yield (*loc, "masking_by_group"), "without identity nobody has groups; remove it"


def file_faults(path: Path, loc: Loc) -> Iterator[Fault]:
    """A file that is not there."""
    if not path.is_file():
        yield loc, NO_FILE


def _way(connection: ConnectionBlock, loc: Loc) -> Iterator[Fault]:
    if connection.upstream and connection.command:
        yield (*loc, "command"), "a connection has either `upstream` or `command`; remove one"
    if not connection.upstream and not connection.command and connection.kind != "kubernetes":
        yield loc, "a connection needs `upstream` (a URL) or `command` (a program and its arguments)"
    if connection.env and not connection.command:
        yield (*loc, "env"), "is the environment of `command`; without one it does nothing, remove it"
    if "stdio" in connection.model_fields_set and not connection.command:
        yield (*loc, "stdio"), "bounds the processes of `command`; without one it does nothing, remove it"
    if connection.kind == "http" and connection.command:
        yield (*loc, "command"), "speaks MCP; give a connection of kind `http` its `upstream`"
    if connection.trace_user_agent and connection.command:
        yield (*loc, "trace_user_agent"), "a program over stdio is sent no headers; remove it"


def _openapi(connection: ConnectionBlock, loc: Loc) -> Iterator[Fault]:
    if connection.openapi is None:
        return
    if connection.kind != "http":
        yield loc, "names the operations of an API of kind `http`; write that kind, or remove it"
    yield from file_faults(connection.openapi, loc)


def _credential(connection: ConnectionBlock, loc: Loc, mode: str) -> Iterator[Fault]:
    credential = connection.credential
    if credential is None:
        return
    if connection.command:
        yield loc, "a program over stdio is sent no headers; give it its credential in `env`"
    if isinstance(credential, ClientsOwnBlock):
        if mode != "none":
            yield (
                (*loc, "kind"),
                "what the client sends is for this gateway here and never goes on; it may with "
                "`identity: {mode: none}` only: use `token_exchange`, or a credential of the gateway's own",
            )
        return
    if isinstance(credential, CloudBlock):
        yield from cloud_faults(credential, loc, mode)
        return
    if isinstance(credential, TokenExchangeBlock) and mode == "none":
        yield (*loc, "kind"), "without identity there is no token to exchange; set `identity.mode: oidc`"
    yield from secret_faults(credential.secret, (*loc, "secret"))
    ca_file = getattr(credential, "ca_file", None)
    if ca_file:
        yield from file_faults(ca_file, (*loc, "ca_file"))


def secret_faults(secret: SecretBlock, loc: Loc) -> Iterator[Fault]:
    """A secret that is read from no place, or from two."""
    if bool(secret.env) == bool(secret.file):
        yield loc, "needs one of `env` (a variable's name) and `file` (a path)"


def _tls(connection: ConnectionBlock, loc: Loc) -> Iterator[Fault]:
    tls = connection.tls
    if tls is None:
        return
    if connection.command or urlsplit(connection.upstream or "").scheme == "http":
        yield loc, "is for an `upstream` that is https; remove it or change the URL"
    for name in ("ca_file", "certificate_file", "key_file"):
        path = getattr(tls, name)
        if path:
            yield from file_faults(path, (*loc, name))
    if tls.key_file and not tls.certificate_file:
        yield (*loc, "key_file"), "belongs to a certificate; give `certificate_file` too"


def _access(connection: ConnectionBlock, loc: Loc, mode: str) -> Iterator[Fault]:
    if connection.access.when:
        yield from _condition(connection.access.when, (*loc, "when"))
    if mode == "none":
        for name in ("groups", "subjects"):
            if getattr(connection.access, name):
                yield (
                    (*loc, name),
                    "without identity everyone is `anonymous` and nobody is let in; set `identity.mode: oidc`",
                )


def _tools(tools: ToolsBlock, loc: Loc) -> Iterator[Fault]:
    if tools.reviewers and tools.on_change != "hold":
        yield (
            (*loc, "reviewers"),
            f"approve what `on_change: hold` holds, and here it is `{tools.on_change}`; remove it, or hold",
        )


def _condition(text: str, loc: Loc) -> Iterator[Fault]:
    from gateway.policy import Condition, ConditionError  # noqa: PLC0415 - takes its time to import; few files need it

    try:
        Condition(text)
    except ConditionError as error:
        yield from ((loc, f"at character {fault.offset + 1}: {fault.text}") for fault in error.faults)


def _quota(quota: QuotaBlock, loc: Loc) -> Iterator[Fault]:
    for name, own, total in (("total_rate", quota.rate, quota.total_rate),):
        if own and total and _slower(total, own):
            yield (*loc, name), "is less than `rate`, so that one caller's share could never be had; raise it"
    if quota.concurrent and quota.total_concurrent and quota.total_concurrent < quota.concurrent:
        yield (*loc, "total_concurrent"), "is less than `concurrent`; raise it, or lower that"
    for name in ("rate", "total_rate"):
        rate: RateBlock | None = getattr(quota, name)
        if rate and rate.burst and rate.per_second > rate.burst * 1_000:
            yield (
                (*loc, name, "burst"),
                "is so small that the rate could never be reached; remove it or raise it",
            )


def _slower(one: RateBlock, other: RateBlock) -> bool:
    return one.per_second < other.per_second


def _sealed(sealed: SealedBlock, loc: Loc) -> Iterator[Fault]:
    from masking.sealed import SealError, fingerprint  # noqa: PLC0415 - takes its time to import; few files need it

    try:
        fingerprint(sealed.recipient)
    except SealError as error:
        yield loc, str(error)


def _masking(masking: MaskingBlock, loc: Loc) -> Iterator[Fault]:
    """Own rules are read and their examples tried, each entry by itself, so that a fault names its entry."""
    if masking.profile == "off" and (masking.rules or masking.allow or masking.leave or masking.forms):
        yield (*loc, "profile"), "with `off` nothing is masked, whatever else stands here; choose another"
    rules: list[Mapping[str, Any]] = []
    faults: list[Fault] = []
    for index in range(len(masking.rules)):
        found, told = _rules_of_entry(masking, index)
        rules += found
        faults += [((*loc, "rules", index), line) for line in told[:FILE_FAULTS_MAX]]
    yield from faults
    if not faults:  # names of rules can only be told wrong when all rules are known
        yield from _left(masking, rules, (*loc, "leave"))
        yield from _forms(masking, rules, (*loc, "forms"))


def _rules_of_entry(masking: MaskingBlock, index: int) -> tuple[Sequence[Mapping[str, Any]], list[str]]:
    """The rules of an entry, and what is wrong with them: one line for each fault."""
    from masking import profile_from  # noqa: PLC0415 - takes its time to import, and few files need it

    entry = masking.rules[index]
    if isinstance(entry, Path) and not entry.is_file():
        return (), [NO_FILE]
    rules: Sequence[Mapping[str, Any]] = ()
    try:
        rules = rules_at(masking, index)
        profile_from(masking.profile, rules)
    except ValueError as error:
        return (), _without_examples(str(error), rules).splitlines()
    return rules, []


def _left(masking: MaskingBlock, rules: Sequence[Mapping[str, Any]], loc: Loc) -> Iterator[Fault]:
    """Names of rules that there are not."""
    from masking import profile_from  # noqa: PLC0415

    for index, name in enumerate(masking.leave or ()):
        try:
            profile_from(masking.profile, rules, leave=[name])
        except ValueError as error:
            yield (*loc, index), str(error).removeprefix("masking: ")


def _forms(masking: MaskingBlock, rules: Sequence[Mapping[str, Any]], loc: Loc) -> Iterator[Fault]:
    """Forms of rules that there are not, and forms that say two things at once."""
    from masking import profile_from  # noqa: PLC0415

    for name, form in masking.forms.items():
        try:
            profile_from(masking.profile, rules, forms={name: form.model_dump(exclude_defaults=True)})
        except ValueError as error:
            told = str(error).removeprefix("masking: ").removeprefix(f"masking rule {name!r}: ")
            yield (*loc, name), told


def _without_examples(text: str, rules: Sequence[Mapping[str, Any]]) -> str:
    """`text` with examples by their number: they are likely to be real secrets."""
    for rule in rules:
        for name in ("examples", "counter_examples"):
            for number, example in enumerate(rule.get(name, ()), 1):
                text = text.replace(repr(example), f"number {number}")
    return text
