"""Settings of the console in the browser, as frozen values."""

from dataclasses import dataclass, field
from pathlib import Path

from gateway.settings import SecretSource
from sinks.settings import SinkSettings

EVERYBODY = "*"
HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class RoleGroups:
    """Whose members have which role; `*` is everybody who can log in.

    An approver sees what waits for that person, by what the approval itself says, so everybody is one by default.
    """

    viewer: tuple[str, ...] = ()
    approver: tuple[str, ...] = (EVERYBODY,)
    auditor: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Team:
    """Members of one of `groups` see what went over `connections`."""

    name: str
    groups: tuple[str, ...]
    connections: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OidcLogin:
    """People log in at the issuer of this name (one of `identity.issuers`). Without a secret: a public client."""

    issuer: str
    client_id: str
    client_secret: SecretSource | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class SamlLogin:
    """People log in at a SAML 2.0 identity provider.

    `entity_id`: how we are called there; '' for the URL of our metadata. `certificates`: those whose keys sign its
    assertions, PEM. `issuer`: as whose subjects people are known: with that of an OIDC provider they are the same
    people as those who log in there. `subject`, `groups`, `email`, `name` are attributes; '' takes the NameID as the
    subject.
    """

    provider_entity_id: str
    sign_in_url: str
    certificates: tuple[str, ...]
    entity_id: str = ""
    issuer: str = ""
    subject: str = ""
    groups: str = "groups"
    email: str = "email"
    name: str = "name"


@dataclass(frozen=True, slots=True)
class PartProbe:
    """Where a part of the pipeline answers `/readyz` and `/metrics`: at `url`, or at the port that is written in
    `port_file`, on `host`. `certificate_file`: the one certificate that is believed there."""

    name: str
    url: str = ""
    port_file: Path | None = None
    host: str = "127.0.0.1"
    certificate_file: Path | None = None


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The pages: where the trail is read, who may see what, how people log in, and how long that lasts."""

    store: SinkSettings
    roles: RoleGroups = field(default_factory=RoleGroups)
    teams: tuple[Team, ...] = ()
    oidc: OidcLogin | None = None
    saml: SamlLogin | None = None
    idle_seconds: float = HOUR
    absolute_seconds: float = 12 * HOUR
    sessions_max: int = 10_000
    sessions_by_person_max: int = 20
    connections: tuple["ConnectionShown", ...] = ()
    parts: tuple[PartProbe, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectionShown:
    """What the pages say of a registered connection: nothing of its credentials."""

    name: str
    kind: str
    upstream: str
    owner: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    policy_file: Path | None = None
    masking: str = ""
