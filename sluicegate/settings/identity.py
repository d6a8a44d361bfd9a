"""The block `identity`: who may call, and who says so."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from sluicegate.settings.blocks import Block, FilePath, GuardedUrl, Name, Origin, Text, some

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class ClaimsBlock(Block):
    """Where a token says what."""

    subject: Text = Field(default="sub", description="Claim that names the caller.")
    groups: Text = Field(
        default="groups", description="Claim with the groups: a list, or text with spaces or commas between."
    )
    client_id: Text = Field(default="azp", description="Claim that names the program the caller uses.")
    email: Text = Field(default="email", description="Claim with the caller's e-mail address.")


class IssuerBlock(Block):
    """One provider of tokens."""

    name: Name = Field(description="Name of the provider in errors and metrics.")
    issuer: GuardedUrl = Field(
        description="What the claim `iss` must be, to the letter; without `jwks_url` also where discovery begins."
    )
    audiences: tuple[Text, ...] = Field(
        default=(),
        description="What the claim `aud` may be; not given: the URL of the connection asked for, "
        "`PUBLIC_URL/mcp/NAME` (`/http/…`, `/k8s/…` by its kind).",
    )
    algorithms: Annotated[tuple[Algorithm, ...], AfterValidator(some)] = Field(
        default=("RS256", "ES256"),
        json_schema_extra={"minItems": 1},
        description="Signatures that are taken; those with a shared key are not to be had.",
    )
    jwks_url: GuardedUrl | None = Field(
        default=None, description="Where its keys are; not given: as its discovery document says."
    )
    jwks_file: FilePath | None = Field(
        default=None, description="File with its keys (JWKS), for a provider that cannot be reached."
    )
    origins: tuple[Origin, ...] = Field(
        default=(), description="Further origins, `https://host[:port]`, where its keys may lie."
    )
    ca_file: FilePath | None = Field(
        default=None, description="Certificates that vouch for the provider (PEM); not given: the system's."
    )
    claims: ClaimsBlock = Field(default=ClaimsBlock(), description="Where its tokens say what.")
    scopes_required: tuple[Text, ...] = Field(
        default=(), description="Scopes that a token must have; without them: 403."
    )
    types: Annotated[tuple[str, ...], AfterValidator(some)] = Field(
        default=("at+jwt", "JWT", ""),
        json_schema_extra={"minItems": 1},
        description="What the header `typ` of a token may be; empty text: none.",
    )
    id_tokens: bool = Field(default=False, description="Whether ID tokens are taken as access tokens.")
    leeway_seconds: float = Field(
        default=30.0, ge=0, le=300, allow_inf_nan=False, description="How far clocks may differ."
    )
    keys_fresh_seconds: float = Field(
        default=300.0,
        ge=1,
        le=86_400,
        allow_inf_nan=False,
        description="Keys are fetched again after this long.",
    )
    keys_stale_seconds: float = Field(
        default=86_400.0,
        ge=1,
        le=604_800,
        allow_inf_nan=False,
        description="Keys are used for this long when the provider does not answer.",
    )
    cooldown_seconds: float = Field(
        default=10.0,
        ge=1,
        le=3_600,
        allow_inf_nan=False,
        description="Unknown key ids make at most one fetch in this time.",
    )


class SessionTokensBlock(Block):
    """Short-lived tokens that the gateway gives at `POST /token`."""

    ttl_seconds: float = Field(
        default=900.0, ge=1, le=86_400, allow_inf_nan=False, description="How long one is good for."
    )
    purpose_required: bool = Field(
        default=False, description="Whether a reason must be given for one; it is on the record."
    )


class IdentityBlock(Block):
    """Who may call."""

    mode: Literal["none", "oidc"] = Field(
        description="`none`: nobody is asked who they are, on loopback addresses only; `oidc`: a token of one of "
        "`issuers` is asked for."
    )
    public_url: Origin | None = Field(
        default=None, description="How clients reach this gateway, `https://host[:port]`; needed with `oidc`."
    )
    issuers: tuple[IssuerBlock, ...] = Field(
        default=(), description="Providers of tokens, at least one with `oidc`."
    )
    session_tokens: SessionTokensBlock | None = Field(
        default=None, description="Short-lived tokens given by the gateway; not given: none are."
    )
