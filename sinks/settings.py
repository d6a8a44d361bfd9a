"""Settings of the store process, read by the command line and passed as frozen values."""

from dataclasses import dataclass
from pathlib import Path

from sinks.clickhouse import ClickHouseAddress
from sinks.retention.settings import RetentionSettings
from sinks.sql.teams import TeamScope

GROUP = "sluicegate-sink"


@dataclass(frozen=True, slots=True)
class SinkTopics:
    """The topics that are read, and the one that takes what cannot be stored."""

    audit: str = "audit"
    findings: str = "findings"
    dead_letters: str = "dead-letters"
    admin: str = "admin"
    sealed: str = "sealed"
    requested: str = "approvals.requested"
    decided: str = "approvals.decided"
    settled: str = "approvals.settled"
    alerts: str = "alerts.attempts"
    tombstones: str = "tombstones"
    retention: str = "retention"
    checkpoints: str = "checkpoints"

    @property
    def stored(self) -> tuple[str, ...]:
        """Those that are read."""
        approvals = (self.requested, self.decided, self.settled)
        proof = (self.tombstones, self.retention, self.checkpoints)
        return (self.audit, self.findings, self.admin, self.sealed, *approvals, self.alerts, *proof)


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One store process: which store, where it listens, and how large a batch may be.

    A batch ends at `rows_max` rows, `bytes_max` bytes or `linger_ms` milliseconds, whichever is first.
    `instance` is a fixed name in the Kafka group: under it a restart after a crash takes over at once, instead of
    waiting until the group gives up the dead member; '' for none, None lets the store's kind decide.
    `hosts` are further names by which the query API may be addressed (the Host header), beside loopback.
    `public_url` is how browsers reach the console, for links in the views; `teams` get roles on a server.
    """

    clickhouse: ClickHouseAddress
    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8081
    hosts: tuple[str, ...] = ()
    group: str = GROUP
    instance: str | None = None
    rows_max: int = 10_000
    bytes_max: int = 8 * 1024 * 1024
    linger_ms: int = 300
    topics: SinkTopics = SinkTopics()
    retention: RetentionSettings | None = None
    public_url: str = ""
    teams: tuple[TeamScope, ...] = ()

    @property
    def member(self) -> str:
        """The fixed name in the Kafka group: `instance`, or one for the only owner of an embedded store."""
        if self.instance is None:
            return "store-owner" if self.clickhouse.embedded else ""
        return self.instance

    @property
    def token_path(self) -> Path:
        """Where the query API's bearer token lies, readable for the owner alone."""
        return self.data_dir / "run" / "query.token"
