"""What takes two settings to know of retention."""

from collections.abc import Iterator

from schemas.durations import DAY, seconds_in
from sluicegate.settings.connection_rules import Fault
from sluicegate.settings.model import Settings
from sluicegate.settings.retention_block import FOR_EVER
from sluicegate.settings.source import Loc


def retention_faults(settings: Settings) -> Iterator[Fault]:
    """Everything wrong with `retention`."""
    block = settings.retention
    said: list[tuple[Loc, int | None, int | None]] = [(("retention",), block.days, block.body_days)]
    said += [(("retention", "connections", n), c.days, c.body_days) for n, c in block.connections.items()]
    said += [(("retention", "labels", i), each.days, each.body_days) for i, each in enumerate(block.labels)]
    for where, days, body_days in said:
        if days and days < block.minimum_days:
            yield (
                (*where, "days"),
                f"is below `retention.minimum_days` ({block.minimum_days}): write that or more, 0 for ever",
            )
        longest = block.days if days is None else days
        if body_days and longest != FOR_EVER and body_days > longest:
            yield (*where, "body_days"), f"bodies go with their frames after {longest} days at the latest"
    yield from _strangers(settings)
    if not 60 <= seconds_in(block.every) <= DAY:
        yield ("retention", "every"), "is at least `1m` and at most `1d`"
    if block.officer_groups and settings.identity.mode == "none":
        yield (
            ("retention", "officer_groups"),
            "is of people who log in; with `identity: {mode: none}` nobody does",
        )


def _strangers(settings: Settings) -> Iterator[Fault]:
    named = {connection.name for connection in settings.connections}
    labels = {pair for connection in settings.connections for pair in connection.labels.items()}
    for index, each in enumerate(settings.retention.labels):
        if (each.label, each.value) not in labels:
            yield (
                ("retention", "labels", index, "value"),
                f"no connection has the label `{each.label}` with this value; write one that stands in `labels`",
            )
    for name in settings.retention.connections:
        if name not in named:
            yield (
                ("retention", "connections", name),
                "there is no connection of this name; of one that is gone the rules in force go on to hold",
            )
