"""`evidence`: what an auditor takes away, for a framework and a time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, ConfigFile, kafka_of, settings_of, time_option

if TYPE_CHECKING:
    from sinks.evidence.catalogue import Framework
    from sinks.evidence.folder import Proof
    from sinks.evidence.gather import Asked, Found
    from sinks.readers import Reader
    from sluicegate.settings import Settings


def evidence(
    framework: Annotated[
        str, typer.Argument(metavar="FRAMEWORK", help="soc2, iso27001, pci-dss, hipaa or eu-ai-act.")
    ],
    since: Annotated[str, time_option("From this ISO time (UTC).")],
    until: Annotated[str, time_option("Before this ISO time.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder to make.")],
    *,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The policy file of public keys, to verify the trail by."),
    ] = None,
    sample: Annotated[int, typer.Option(min=1, max=1_000, help="Rows of each sample.")] = 25,
    seed: Annotated[int, typer.Option(help="What samples are drawn by; the same draws the same.")] = 0,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Make a folder of evidence for an auditor: for each control the questions, their answers and a sample.

    With how complete and how sound the trail is. The making is on the record, with the digest of what was made.
    """
    from sinks.evidence.catalogue import frameworks  # noqa: PLC0415
    from sinks.evidence.folder import FolderError  # noqa: PLC0415
    from sinks.evidence.gather import Asked  # noqa: PLC0415
    from sinks.spans import moment  # noqa: PLC0415

    chosen = frameworks().get(framework)
    if chosen is None:
        raise Failure(f"there is no framework {framework!r}; there are {', '.join(frameworks())}", USAGE)
    if not since or not until or moment(since) >= moment(until):
        raise Failure("--since must be before --until", USAGE)
    settings = settings_of(config)
    with told(FolderError):
        digest = _made(settings, config, chosen, Asked(since, until, sample, seed), output=output, keys=keys)
    typer.echo(f"{output / 'index.html'}\nmanifest.json has SHA-256 {digest}")


def _made(
    settings: "Settings",
    config: Path,
    framework: "Framework",
    asked: "Asked",
    *,
    output: Path,
    keys: Path | None,
) -> str:
    from sinks.evidence.folder import Folder  # noqa: PLC0415
    from sluicegate.cli.decisions import Act  # noqa: PLC0415
    from sluicegate.cli.reading import answer  # noqa: PLC0415
    from sluicegate.cli.recorded import recorded  # noqa: PLC0415

    kafka = kafka_of(settings)
    folder = Folder(output, framework, asked)
    detail = {"since": asked.since, "until": asked.until, "sample": asked.sample, "seed": asked.seed}
    act = Act(f"export.evidence.{framework.name}", str(output), detail=detail)
    with recorded(kafka, act, "made") as came_to:
        found = answer(config, lambda reader: _gathered(reader, framework, asked))
        digest = folder.write(found, _proof(config, kafka, keys))
        came_to["manifest_sha256"] = digest
    return digest


async def _gathered(reader: "Reader", framework: "Framework", asked: "Asked") -> "dict[str, Found]":
    from sinks.evidence.catalogue import exhibits  # noqa: PLC0415
    from sinks.evidence.gather import gather  # noqa: PLC0415

    return {name: await gather(reader, exhibits()[name], asked) for name in framework.exhibits}


def _proof(config: Path, kafka: Any, keys: Path | None) -> "Proof":
    """How sound and how complete it is now."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from processors.completeness_report import State, completeness_report  # noqa: PLC0415
    from sinks.evidence.folder import Proof  # noqa: PLC0415
    from sluicegate.cli.completeness import row_of  # noqa: PLC0415
    from sluicegate.cli.quiet import run_quietly  # noqa: PLC0415

    faults = []
    with told(KafkaError, OSError):
        complete = run_quietly(completeness_report(kafka))
    if complete.state is State.INCOMPLETE:
        faults.append("Frames lack, or expired before they were processed: see below.")
    if keys is None:
        faults.append("The trail was not verified: no policy file of public keys was given (--keys).")
        return Proof("not checked", [], [row_of(each) for each in complete.partitions], faults)
    verdict, lines = _verified(config, keys)
    return Proof(verdict, lines, [row_of(each) for each in complete.partitions], faults)


def _verified(config: Path, keys: Path) -> tuple[str, list[dict[str, Any]]]:
    from sinks.clickhouse import StoreError  # noqa: PLC0415
    from sinks.verify.findings import VerifyError  # noqa: PLC0415
    from sinks.verify.policy import load_policy  # noqa: PLC0415
    from sluicegate.cli.verify import checked_live  # noqa: PLC0415

    with told(VerifyError, StoreError, OSError):
        report = checked_live(config, load_policy(keys), {}, wait=10.0, quiet=True)
    parts = [each.as_json() for each in report.coverage]
    return report.verdict.name.lower().replace("_", " "), [
        *parts,
        *(each.as_json() for each in report.findings),
    ]
