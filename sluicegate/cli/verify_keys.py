"""`verify keys`: the policy file of a running installation, to be kept elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluicegate.cli.failures import Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, settings_of
from sluicegate.cli.output import print_line

if TYPE_CHECKING:
    from sluicegate.settings import Settings

_HEAD = """\
# Whom `sluicegate verify` believes. Compare the keys with those that the installation shows, once, and keep this file
# where those who run the installation cannot write: whoever can change it decides what counts as true.
"""


def keys(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; printed when not given.")
    ] = None,
    quorum: Annotated[int, typer.Option(min=0, help="So many witnesses must have cosigned.")] = 0,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Write the policy file for `verify` from the public keys of this installation.

    Keep it away from the installation: it is what a check stands on.
    """
    import yaml  # noqa: PLC0415

    from sinks.verify.policy import policy_of  # noqa: PLC0415

    given = _policy(settings_of(config), quorum)
    with told(ValueError):
        policy_of(given)
    text = _HEAD + yaml.safe_dump(given, sort_keys=False, allow_unicode=True)
    if output is None:
        typer.echo(text, nl=False)
        return
    with told(OSError):
        output.write_text(text, encoding="utf-8")
    print_line(f"wrote {output}; keep it where those who run this installation cannot change it")


def _policy(settings: "Settings", quorum: int) -> dict[str, Any]:
    from schemas.notes import open_key  # noqa: PLC0415

    proof, data_dir = settings.proof, settings.data_dir
    former = [_encoded(open_key(vkey).public) for vkey in proof.former_keys]
    policy: dict[str, Any] = {
        "log": {"name": _name(settings), "public_keys": [_own(data_dir, "checkpoints"), *former]}
    }
    witnesses = [anchor.vkey for anchor in proof.anchors if anchor.kind == "witness"]
    if witnesses or quorum:
        policy["witnesses"] = {"quorum": quorum, "keys": witnesses}
    from sluicegate.settings.keys import read_public  # noqa: PLC0415

    if (retention := read_public(data_dir, "retention")) is not None:
        policy["retention"] = {"public_keys": [_encoded(retention)]}
    files = [anchor.ca_file for anchor in proof.anchors if anchor.kind == "rfc3161" and anchor.ca_file]
    if files:
        with told(OSError):
            policy["timestamps"] = {"certificates": [file.read_text("ascii") for file in files]}
    return policy


def _name(settings: "Settings") -> str:
    """The name of the logs: as configured, or as the checkpointer wrote it down."""
    if settings.proof.origin:
        return str(settings.proof.origin)
    file = settings.data_dir / "proof" / "log.vkeys"
    try:
        first = file.read_text("utf-8").partition("+")[0]
    except OSError as error:
        raise Failure(
            f"{file} cannot be read ({error.strerror}); start the installation once, run this where its data_dir is, "
            "or set proof.origin"
        ) from error
    return first.removesuffix("/audit/" + first.rpartition("/")[2])


def _own(data_dir: Path, name: str) -> str:
    from sluicegate.settings.keys import KeyFileError, read_public  # noqa: PLC0415

    with told(KeyFileError):
        public = read_public(data_dir, name)
    if public is None:
        raise Failure(
            f"{data_dir}/keys/{name}.pub is not there; start the installation once, or run this where its data_dir is"
        )
    return _encoded(public)


def _encoded(public: bytes) -> str:
    from base64 import b64encode  # noqa: PLC0415

    return b64encode(public).decode("ascii")
