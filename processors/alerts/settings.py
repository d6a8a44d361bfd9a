"""Settings of the alerts processor, as frozen values. Read from YAML elsewhere and passed in."""

from dataclasses import dataclass, field
from pathlib import Path

from schemas.control import Lowered
from schemas.findings import Severity


@dataclass(frozen=True, slots=True)
class Route:
    """Which findings go where. Empty `severities`, `rules`, `connections`: all of them; `rules` may hold `*` and `?`.

    `urls` are apprise URLs and hold secrets; each is told on its own. One message tells all findings of a rule and a
    principal within `group_seconds`; at most `hour_max` messages an hour go to one URL, and what was held back is
    summed up in one more.
    """

    name: str
    urls: tuple[str, ...] = field(repr=False)
    severities: tuple[Severity, ...] = ()
    rules: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    group_seconds: float = 300.0
    hour_max: int = 30


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of these findings until `until` (UTC in microseconds): `by` whom and `why`.

    `rule` may hold `*` and `?`; `principal` is `ISSUER|SUBJECT`, or `|SUBJECT` for any issuer. '': any.
    """

    until: int
    by: str
    why: str
    rule: str = ""
    principal: str = ""


@dataclass(frozen=True, slots=True)
class Responses:
    """What may be done about a finding without a person: nothing unless `on`.

    `rules` (with `*` and `?`) are those whose response is carried out; never on a principal in `exempt`
    (`ISSUER|SUBJECT`, or `|SUBJECT` for any issuer). At most so many of either kind an hour; then a person is asked
    by a finding. `lowered` is the rate that `lower_limits` sets where the rule names none.
    """

    on: bool = False
    rules: tuple[str, ...] = ("*",)
    exempt: tuple[str, ...] = ()
    blocks_hour_max: int = 5
    others_hour_max: int = 60
    lowered: Lowered = field(default_factory=lambda: Lowered(0.2, 5))


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """One worker process; of several, one works and the others stand by: topic `findings` has one partition.

    `datadir` is this worker's own directory. A delivery may take `attempt_seconds`; one that failed is tried again
    after `retry_seconds`, doubling up to `retry_seconds_max`, for as long as it takes. A URL that has been failing
    for `failing_seconds` is a finding for the other routes.
    `port` 0 takes a free one; the port that was taken is written to `port_file`, when given, once it listens.
    """

    datadir: Path
    routes: tuple[Route, ...] = ()
    silences: tuple[Silence, ...] = ()
    responses: Responses = field(default_factory=Responses)
    host: str = "127.0.0.1"
    port: int = 0
    port_file: Path | None = None
    attempt_seconds: float = 20.0
    retry_seconds: float = 2.0
    retry_seconds_max: float = 300.0
    failing_seconds: float = 60.0
    batch_records_max: int = 200
