"""Settings of the console, as frozen values. Read from YAML elsewhere and passed in."""

from dataclasses import dataclass, field
from pathlib import Path

from console.integrations.settings import IntegrationSettings
from console.web.settings import WebSettings
from gateway.settings import IdentitySettings, ServerTls
from schemas.signatures import TrustedKey


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """One person under all their names, the one they decide by first.

    A name is `ISSUER|SUBJECT`, `|USER@HOST` (at a terminal; `terminal:USER@HOST` means the same), or
    `PROVIDER:ID` such as `slack:T1/U123` and `mail:ann@example.com`. `groups` are what the person is a member of
    when another provider than an OIDC issuer says who it is: a token brings its own.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeskKeys:
    """`signing_seed`: 32 bytes, the seed of the key of component `console`. `machine_public`: the public key (32
    bytes) that settled records are believed with. `trusted`: those of all components that request and decide."""

    signing_seed: bytes = field(repr=False)
    machine_public: bytes
    trusted: tuple[TrustedKey, ...]


@dataclass(frozen=True, slots=True)
class DeskLimits:
    """What one desk keeps in memory, how far back it reads, and how long it waits."""

    approvals_max: int = 20_000
    bytes_max: int = 256 * 1024 * 1024
    history_max: int = 100  # answers of one approval
    back_seconds: int = 61 * 86_400  # a request may live 30 days, and the grant after it 30 more
    answer_seconds: float = 10.0
    delegations_by_person_max: int = 50


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """What one caller and one process may use. `feeds` are open streams of changes."""

    body_bytes_max: int = 64 * 1024
    requests_per_second: float = 20.0  # of one person
    requests_burst: int = 60
    page_max: int = 200
    feeds_max: int = 200
    feeds_by_person_max: int = 8
    heartbeat_seconds: float = 15.0
    connections_max: int = 1_000


@dataclass(frozen=True, slots=True)
class KeepingSettings:
    """`signing_seed`: 32 bytes, of the component's key; whose acts are believed; who is who; whether one person may
    do alone. `erasure_key` makes the marks of people. `officer_groups`: who may in the console."""

    signing_seed: bytes = field(repr=False)
    trusted: tuple[TrustedKey, ...]
    erasure_key: bytes = field(repr=False)
    people: tuple[tuple[str, ...], ...] = ()
    single_person: bool = False
    officer_groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """One console process.

    `identity`: as the gateway's, but with the console's own `public_url` (its resource) and audiences. Mode `none`
    is for loopback only: whoever can read `token_file`, written anew at each start for the owner alone, is the user
    at this terminal. Members of `auditor_groups` see every approval; those of `revoker_groups` see and may revoke
    every one. `hosts`: names in `Host` and `Origin` that are ours, beside loopback, `host` and that of the public
    URL. `port` 0 takes a free one, written to `port_file`.
    """

    keys: DeskKeys
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    host: str = "127.0.0.1"
    port: int = 8082
    hosts: tuple[str, ...] = ()
    tls: ServerTls | None = None
    people: tuple[PersonEntry, ...] = ()
    auditor_groups: tuple[str, ...] = ()
    revoker_groups: tuple[str, ...] = ()
    token_file: Path | None = None  # needed by mode none
    port_file: Path | None = None
    integrations: IntegrationSettings = field(default_factory=IntegrationSettings)
    desk: DeskLimits = field(default_factory=DeskLimits)
    api: ApiLimits = field(default_factory=ApiLimits)
    web: WebSettings | None = None  # the pages; without it there is the REST API alone
    keeping: KeepingSettings | None = (
        None  # who may say how long the trail is kept; without it nobody may here
    )
