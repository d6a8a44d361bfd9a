"""From the block `findings` to the settings of the anomaly and the alerts processor."""

import os
from typing import TYPE_CHECKING

from processors.alerts.settings import AlertSettings, Responses, Route, Silence
from processors.anomaly.settings import AnomalySettings
from schemas.control import Lowered
from schemas.durations import seconds_in
from sluicegate.settings.credentials import SecretBlock
from sluicegate.settings.findings_block import AlertBlock, FindingsBlock, SilenceBlock, moment
from sluicegate.settings.probes import port_file, probes_of

if TYPE_CHECKING:
    from sluicegate.settings.model import Settings


class SecretAwayError(Exception):
    """A secret that a part needs at its start cannot be read. The message says which, and never what it holds."""


def anomaly_settings(settings: "Settings", worker: int) -> AnomalySettings:
    """What the anomaly processor takes for worker number `worker`, from 0."""
    host, port = probes_of(settings, "anomaly", worker)
    return AnomalySettings(
        datadir=settings.data_dir / "faust" / f"anomaly-{worker}",
        rules=settings.findings.rules,
        responses=settings.findings.responses != "off",
        host=host,
        port=port,
        port_file=port_file(settings.data_dir, "anomaly", worker),
    )


def alert_settings(settings: "Settings", worker: int) -> AlertSettings:
    """What the alerts processor takes for worker number `worker`, from 0. Raises SecretAwayError."""
    host, port = probes_of(settings, "alerts", worker)
    block = settings.findings
    return AlertSettings(
        datadir=settings.data_dir / "faust" / f"alerts-{worker}",
        routes=tuple(_route(alert) for alert in block.alerts),
        silences=tuple(_silence(silence) for silence in block.silences),
        responses=_responses(block),
        host=host,
        port=port,
        port_file=port_file(settings.data_dir, "alerts", worker),
    )


def _route(block: AlertBlock) -> Route:
    return Route(
        name=block.name,
        urls=tuple(_read(secret) for secret in block.urls),
        severities=block.severities,
        rules=block.rules,
        connections=block.connections,
        group_seconds=float(seconds_in(block.group)),
        hour_max=block.hour_max,
    )


def _silence(block: SilenceBlock) -> Silence:
    until = int(moment(block.until).timestamp() * 1_000_000)
    return Silence(until, block.by, block.why, block.rule, block.principal)


def _responses(block: FindingsBlock) -> Responses:
    given = block.responses
    if isinstance(given, str):
        return Responses(on=given == "on")
    lowered = Lowered(given.lowered.per_second, given.lowered.burst or 1)
    return Responses(True, given.rules, given.exempt, given.blocks_hour_max, given.others_hour_max, lowered)


def _read(secret: SecretBlock) -> str:
    if secret.env:
        found = os.environ.get(secret.env, "").strip()
        what = f"the environment variable {secret.env}"
    else:
        what = f"the file {secret.file}"
        try:
            found = secret.file.read_text("utf-8").strip() if secret.file else ""
        except (OSError, UnicodeDecodeError) as error:
            raise SecretAwayError(f"{what} cannot be read: {error}") from None
    if not found:
        raise SecretAwayError(f"{what} is to hold a URL of findings.alerts, and holds nothing; set it")
    return found
