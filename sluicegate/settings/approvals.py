"""Keys and settings of approvals: one signing key for each component that has a say, beside the others in `keys`."""

from pathlib import Path

from gateway.settings import Holding
from processors.approvals.settings import ApprovalSettings
from schemas.durations import seconds_in
from schemas.signatures import SigningKey, TrustedKey
from sluicegate.settings.keys import key, read_public, write_public
from sluicegate.settings.model import Settings
from sluicegate.settings.probes import port_file, probes_of

VERBS = {
    "gateway": frozenset({"request", "use", "revoke"}),
    "cli": frozenset({"approve", "deny", "revoke", "review"}),
    "console": frozenset({"approve", "deny", "revoke", "review", "delegate"}),
}
"""What each component may sign; the processor's own key, `machine`, settles."""

TERMINAL = ""
"""The issuer of people at a terminal: the command line speaks for nobody else."""


def signing_seed(data_dir: Path, component: str) -> bytes:
    """The seed of a component's key, made when there is none yet; its public key is written beside it.

    Raises KeyFileError.
    """
    seed = key(data_dir, f"approvals-{component}", "approvals that are pending cannot be decided then")
    write_public(data_dir, f"approvals-{component}", SigningKey(seed).public)
    return seed


def public_key(data_dir: Path, component: str) -> bytes:
    """The public key of a component: as its file says, so that no machine needs the seeds of others; where there is
    no such file, that of its seed, which is made when there is none yet. Raises KeyFileError."""
    found = read_public(data_dir, f"approvals-{component}")
    return found or SigningKey(signing_seed(data_dir, component)).public


def trusted_keys(data_dir: Path) -> tuple[TrustedKey, ...]:
    """The public keys of all components. Raises KeyFileError."""
    return tuple(
        TrustedKey(
            public_key(data_dir, component),
            component,
            verbs,
            frozenset({TERMINAL if component == "cli" else "*"}),
        )
        for component, verbs in VERBS.items()
    )


def machine_key(data_dir: Path) -> TrustedKey:
    """The key that settled records are believed with. Raises KeyFileError."""
    return TrustedKey(public_key(data_dir, "machine"), "machine", frozenset({"settle"}))


def holding(settings: Settings) -> Holding:
    """How held calls wait in the gateway. Raises KeyFileError."""
    wait = settings.approvals.wait
    return Holding(
        signing_seed=signing_seed(settings.data_dir, "gateway"),
        machine_public=machine_key(settings.data_dir).public,
        stream_seconds=float(seconds_in(wait.stream)),
        poll_seconds=float(seconds_in(wait.poll)),
        keep_alive_seconds=float(seconds_in(wait.keep_alive)),
        waiting_max=wait.calls_max,
        waiting_by_principal_max=wait.calls_by_caller_max,
        status_url=settings.approvals.status_url or "",
    )


def approval_settings(settings: Settings, worker: int) -> ApprovalSettings:
    """What `processors.approvals.worker` takes for worker number `worker`, from 0. Raises KeyFileError."""
    host, port = probes_of(settings, "approvals", worker)
    return ApprovalSettings(
        datadir=settings.data_dir / "faust" / f"approvals-{worker}",
        signing_seed=signing_seed(settings.data_dir, "machine"),
        trusted=trusted_keys(settings.data_dir),
        people=[person.names for person in settings.approvals.people],
        revoker_groups=settings.approvals.revoker_groups,
        anonymous=settings.approvals.anonymous == "allow",
        host=host,
        port=port,
        port_file=port_file(settings.data_dir, "approvals", worker),
    )
