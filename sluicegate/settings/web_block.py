"""The block `web`: the console's pages: how people log in, and who may see what."""

from typing import Annotated

from pydantic import AfterValidator, Field

from sluicegate.settings.approvals_block import Group
from sluicegate.settings.blocks import Block, Duration, FilePath, GuardedUrl, Name, Text, some
from sluicegate.settings.credentials import Secret


class LoginBlock(Block):
    """Login by OpenID Connect (code flow with PKCE)."""

    issuer: Name | None = Field(
        default=None, description="Name of one of `identity.issuers`; not given: the only one."
    )
    client_id: Text = Field(
        description="Who the console is there; register `PUBLIC_URL/login/callback` (of `approvals.public_url`)."
    )
    client_secret: Secret | None = Field(
        default=None, description="The client's secret; not given: a public client."
    )
    scopes: Annotated[tuple[Text, ...], AfterValidator(some)] = Field(
        default=("openid", "profile", "email"),
        json_schema_extra={"minItems": 1},
        description="Scopes asked for; add the one that brings groups where the provider has one.",
    )


class SamlBlock(Block):
    """Login by SAML 2.0. Our metadata is at `PUBLIC_URL/saml/metadata`."""

    provider: Text = Field(description="Entity id of the identity provider.")
    sign_in_url: GuardedUrl = Field(description="Where it takes requests (HTTP redirect binding).")
    certificate_files: Annotated[tuple[FilePath, ...], AfterValidator(some)] = Field(
        json_schema_extra={"minItems": 1},
        description="Certificates whose keys sign its assertions (PEM); two while it changes them.",
    )
    entity_id: str = Field(
        default="", description="How we are called there; not given: the URL of our metadata."
    )
    issuer: Name | None = Field(
        default=None,
        description="Name of the one of `identity.issuers` that knows people by the same subjects; not given: "
        "people are `PROVIDER|SUBJECT`, and `approvals.people` says who they are elsewhere.",
    )
    subject: str = Field(
        default="", description="Attribute with the subject; not given: the NameID, which must be lasting."
    )
    groups: Text = Field(default="groups", description="Attribute with the groups.")
    email: Text = Field(default="email", description="Attribute with the mail address.")
    name: Text = Field(default="name", description="Attribute with the name that is shown.")


class RolesBlock(Block):
    """Whose members have which role; `*` is everybody who can log in."""

    viewer: tuple[Group, ...] = Field(
        default=(), description="Groups that see sessions, findings, connections and rules."
    )
    approver: tuple[Group, ...] = Field(
        default=("*",),
        description="Groups that see the inbox; each sees there what that person asked for or may review.",
    )
    auditor: tuple[Group, ...] = Field(
        default=(), description="Groups that see everything, and who looked at what; they change nothing."
    )
    admin: tuple[Group, ...] = Field(default=(), description="Groups that have every role.")


class TeamBlock(Block):
    """A team, which sees its own connections."""

    name: Name = Field(description="Name of the team.")
    groups: Annotated[tuple[Group, ...], AfterValidator(some)] = Field(
        json_schema_extra={"minItems": 1}, description="Groups whose members are of the team."
    )
    connections: tuple[Name, ...] = Field(default=(), description="Connections whose traffic the team sees.")


class WebBlock(Block):
    """The console's pages."""

    login: LoginBlock | None = Field(
        default=None, description="Login by OpenID Connect; not given: none by it."
    )
    saml: SamlBlock | None = Field(default=None, description="Login by SAML 2.0; not given: none by it.")
    roles: RolesBlock = Field(default=RolesBlock(), description="Who has which role.")
    teams: tuple[TeamBlock, ...] = Field(
        default=(), description="Who sees which connections; without any, every viewer sees all of them."
    )
    idle: Duration = Field(default="1h", description="A login ends when nothing was asked for so long.")
    longest: Duration = Field(default="12h", description="A login ends after this long, whatever was asked.")
