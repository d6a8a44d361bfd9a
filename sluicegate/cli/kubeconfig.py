"""`kubeconfig`: how kubectl reaches a connection of the gateway."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.login import CLIENT_ID, SCOPE
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, settings_of
from sluicegate.cli.output import inert

if TYPE_CHECKING:
    from sluicegate.cli.kubeconfig_entries import Entries, Plugin, Reach
    from sluicegate.settings import Settings


def kubeconfig(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", help="Name of the connection.")],
    *,
    url: Annotated[
        str, typer.Option(metavar="URL", help="The gateway, https://…; by default as the configuration says.")
    ] = "",
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="With --url: this gateway asks nobody who they are.")
    ] = False,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Certificates that vouch for the gateway (PEM); they are put into the kubeconfig.",
        ),
    ] = None,
    context: Annotated[str, typer.Option(metavar="NAME", help="By default sluicegate-CONNECTION.")] = "",
    namespace: Annotated[str, typer.Option(metavar="NAME", help="The context's namespace.")] = "",
    issuer: Annotated[
        str,
        typer.Option(metavar="ISSUER", help="Where to log in: its name in the configuration, or its URL."),
    ] = "",
    purpose: Annotated[str, typer.Option(metavar="TEXT", help="What for; it is on the record.")] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="For a job: the token is in this file, nobody logs in."),
    ] = None,
    client_id: Annotated[str, typer.Option(help="How the issuer knows this program.")] = CLIENT_ID,
    scope: Annotated[str, typer.Option(help="What the issuer is asked for.")] = SCOPE,
    command: Annotated[
        str, typer.Option(metavar="PROGRAM", help="What kubectl runs; with a path where it is not on PATH.")
    ] = "sluicegate",
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put it into this file, beside what is there.")
    ] = None,
    merge: Annotated[
        bool,
        typer.Option("--merge", help="Put it into the file that kubectl uses: KUBECONFIG, ~/.kube/config."),
    ] = False,
    use: Annotated[bool, typer.Option("--use", help="Make it the current context of that file.")] = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Write a kubeconfig for a connection: kubectl logs in by itself, and its token is refreshed.

    Without --write and --merge it is printed.
    """
    from sluicegate.cli.kubeconfig_entries import Plugin, entries  # noqa: PLC0415

    if write and merge:
        raise Failure("--write and --merge name two files; give one of them", USAGE)
    words: list[str] = []
    words += ["--purpose", purpose] if purpose else []
    words += ["--token-file", str(token_file.absolute())] if token_file else []
    words += ["--client-id", client_id] if client_id != CLIENT_ID else []
    words += ["--scope", scope] if scope != SCOPE else []
    plugin = Plugin(command, tuple(words))
    if url:
        reach = _by_url(connection, url, None if anonymous else plugin, issuer)
    else:
        reach = _by_settings(settings_of(config), connection, plugin, issuer)
    reach = _vouched(reach, ca_file)
    _hand_over(entries(reach, context or f"sluicegate-{connection}", namespace), write, merge=merge, use=use)


def _by_url(connection: str, url: str, plugin: "Plugin | None", issuer: str) -> "Reach":
    from sluicegate.cli.kubeconfig_entries import Reach  # noqa: PLC0415

    if issuer and "://" not in issuer:
        raise Failure("with --url the issuer is named by its URL", USAGE)
    if plugin and issuer:
        plugin = _with(plugin, "--issuer", issuer)
    return Reach(connection, _root(url, plugin), "", plugin)


def _by_settings(settings: "Settings", connection: str, plugin: "Plugin", issuer: str) -> "Reach":
    """As the configuration says. Raises Failure."""
    from sluicegate.cli.kubeconfig_entries import Reach  # noqa: PLC0415
    from sluicegate.settings.addresses import reachable  # noqa: PLC0415

    known = {block.name: block for block in settings.connections if block.kind == "kubernetes"}
    if connection not in known:
        names = ", ".join(known) or "none"
        raise Failure(f"the configuration has no kubernetes connection {connection} (it has: {names})", USAGE)
    tls, identity = settings.gateway.tls, settings.identity
    root = identity.public_url or f"http{'s' if tls else ''}://{reachable(settings.gateway.listen)}"
    ca_pem = _own_ca(Path(tls.certificate_file)) if tls else ""
    server = _at_host(root, known[connection].host)
    if identity.mode == "none":
        return Reach(connection, _root(root, None), ca_pem, None, server)
    return Reach(connection, _root(root, plugin), ca_pem, _at_issuer(settings, plugin, issuer), server)


def _at_host(root: str, host: str | None) -> str:
    """The address of a connection that has a host name of its own; '' for one that has none."""
    from urllib.parse import urlsplit  # noqa: PLC0415

    if host is None:
        return ""
    parts = urlsplit(root)
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _at_issuer(settings: "Settings", plugin: "Plugin", issuer: str) -> "Plugin":
    """With the issuer named to the plugin: the one asked for, or the only one there is."""
    blocks = [each for each in settings.identity.issuers if not issuer or issuer in (each.name, each.issuer)]
    if issuer and not blocks:
        names = ", ".join(each.name for each in settings.identity.issuers)
        raise Failure(f"the configuration has no issuer {issuer} (it has: {names})", USAGE)
    if len(blocks) != 1:
        return plugin
    plugin = _with(plugin, "--issuer", blocks[0].issuer)
    return _with(plugin, "--issuer-ca", str(blocks[0].ca_file)) if blocks[0].ca_file else plugin


def _with(plugin: "Plugin", *words: str) -> "Plugin":
    from dataclasses import replace  # noqa: PLC0415

    return replace(plugin, words=(*plugin.words, *words))


def _root(url: str, plugin: "Plugin | None") -> str:
    """The gateway's URL as it is written down. Raises Failure."""
    from urllib.parse import urlsplit  # noqa: PLC0415

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise Failure("the gateway's URL must look like https://gateway.example.com", USAGE)
    if parts.scheme == "http" and plugin is not None:
        raise Failure(
            "kubectl shows no token over plain HTTP: let the gateway speak TLS (gateway.tls, or a proxy before it) "
            "and name it by https://",
            USAGE,
        )
    return url.rstrip("/")


def _own_ca(file: Path) -> str:
    """The certificate in `file` that vouches for itself; '' where those that vouch for it lie elsewhere."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    with told(OSError, ValueError):
        chain = x509.load_pem_x509_certificates(file.read_bytes())
    own = [each for each in chain if each.subject == each.issuer]
    return own[-1].public_bytes(Encoding.PEM).decode("ascii") if own else ""


def _vouched(reach: "Reach", ca_file: Path | None) -> "Reach":
    """With the certificates of `ca_file` in it. Raises Failure for a file that holds none."""
    from dataclasses import replace  # noqa: PLC0415

    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    if ca_file is None:
        return reach
    with told(OSError):
        content = ca_file.read_bytes()
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise Failure(f"{ca_file} holds no certificates in PEM", USAGE) from error
    pem = b"".join(
        each.public_bytes(Encoding.PEM) for each in found
    )  # only those: a key beside them stays there
    return replace(reach, ca_pem=pem.decode("ascii"))


def _hand_over(made: "Entries", write: Path | None, *, merge: bool, use: bool) -> None:
    """Prints it, or puts it into a file."""
    from sluicegate.cli.kubeconfig_file import KubeconfigError, merged, usual_file, written  # noqa: PLC0415

    file = usual_file(os.environ.get("KUBECONFIG", "")) if merge else write
    if file is None:
        sys.stdout.write(merged("", made, use=True))
        return
    with told(KubeconfigError, OSError):
        kept = written(file, made, use=use)
    typer.echo(inert(f"{file} has the context {made.name}: kubectl --context {made.name} get pods"), err=True)
    if kept:
        typer.echo(inert(f"its comments are gone; as it was it is in {kept}"), err=True)
