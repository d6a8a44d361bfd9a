"""The block `credential` of a connection: what the gateway shows upstream. A secret is named, never written."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from sluicegate.settings.blocks import Block, FilePath, GuardedUrl, Text, VariableName, named
from sluicegate.settings.cloud import (
    KIND,
    SCOPES,
    EksBlock,
    GoogleBlock,
    ServiceAccountBlock,
    SessionTokenBlock,
    SigV4Block,
)

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_USER_NAME = re.compile(r"[^:\x00-\x1f\x7f]{1,256}")
_NOT_OURS = frozenset(
    {
        *(
            "accept",
            "accept-encoding",
            "content-encoding",
            "content-length",
            "content-type",
            "expect",
            "host",
        ),
        *("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
        *("last-event-id", "origin", "traceparent", "tracestate", "user-agent"),
    }
)


class SecretBlock(Block):
    """Where a secret is read: one of the two."""

    env: VariableName | None = Field(
        default=None, description="Environment variable that holds the secret, of the part that uses it."
    )
    file: FilePath | None = Field(
        default=None, description="File that holds the secret; read again when it changes."
    )


def _no_literal(value: Any) -> Any:
    if isinstance(value, str | int | float):
        raise ValueError("a secret does not stand in this file: write `{env: NAME}` or `{file: path}`")
    return value


def _free_header(name: str) -> str:
    if name.lower() in _NOT_OURS or name.lower().startswith("mcp-"):
        raise ValueError("is a header of the protocol itself; a credential goes into one of its own")
    return name.lower()


Secret = Annotated[SecretBlock, BeforeValidator(_no_literal)]
_SECRET = Field(description="The secret.")
_TOKEN_URL = Field(description="Where tokens are given: the provider's token endpoint.")
_CLIENT_ID = Field(description="Who the gateway is to the provider of tokens.")
_AUDIENCE = Field(default="", description="Audience asked for: the name of the upstream at the provider.")
_CA_FILE = Field(
    default=None,
    description="Certificates that vouch for the provider of tokens (PEM); not given: the system's.",
)


class BearerBlock(Block):
    """`Authorization: Bearer SECRET`."""

    kind: Literal["bearer"] = KIND
    secret: Secret = _SECRET


class BasicBlock(Block):
    """`Authorization: Basic`, with a user and the secret as password."""

    kind: Literal["basic"] = KIND
    username: Annotated[
        str,
        AfterValidator(named(_USER_NAME, "must not be empty and must not hold `:` or control characters")),
    ] = Field(description="User of `basic`.")
    secret: Secret = _SECRET


class HeaderBlock(Block):
    """Any header, with the secret as its whole value."""

    kind: Literal["header"] = KIND
    header: Annotated[
        str,
        AfterValidator(named(_HEADER_NAME, "must be the name of a header, such as X-Api-Key")),
        AfterValidator(_free_header),
    ] = Field(description="Header of `header`, such as `X-Api-Key`.")
    secret: Secret = _SECRET


class ClientCredentialsBlock(Block):
    """OAuth 2.0 client credentials."""

    kind: Literal["client_credentials"] = KIND
    token_url: GuardedUrl = _TOKEN_URL
    client_id: Text = _CLIENT_ID
    secret: Secret = _SECRET
    scopes: tuple[Text, ...] = SCOPES
    audience: str = _AUDIENCE
    ca_file: FilePath | None = _CA_FILE


class TokenExchangeBlock(Block):
    """RFC 8693: the caller's token for one that upstream takes."""

    kind: Literal["token_exchange"] = KIND
    token_url: GuardedUrl = _TOKEN_URL
    client_id: Text = _CLIENT_ID
    secret: Secret = _SECRET
    scopes: tuple[Text, ...] = SCOPES
    audience: str = _AUDIENCE
    resource: str = Field(
        default="", description="Resource asked for by `token_exchange`: a URL of the upstream."
    )
    ca_file: FilePath | None = _CA_FILE


class ClientsOwnBlock(Block):
    """What the client sends as its credential goes on."""

    kind: Literal["client"] = KIND


_KINDS = (
    *("bearer", "basic", "header", "client_credentials", "token_exchange", "client"),
    *("service_account", "eks", "aws_sigv4", "google", "session_token"),
)


def _tag(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"<{kind}>" if kind in _KINDS else None


CredentialBlock = Annotated[
    Annotated[BearerBlock, Tag("<bearer>")]
    | Annotated[BasicBlock, Tag("<basic>")]
    | Annotated[HeaderBlock, Tag("<header>")]
    | Annotated[ClientCredentialsBlock, Tag("<client_credentials>")]
    | Annotated[TokenExchangeBlock, Tag("<token_exchange>")]
    | Annotated[ClientsOwnBlock, Tag("<client>")]
    | Annotated[ServiceAccountBlock, Tag("<service_account>")]
    | Annotated[EksBlock, Tag("<eks>")]
    | Annotated[SigV4Block, Tag("<aws_sigv4>")]
    | Annotated[GoogleBlock, Tag("<google>")]
    | Annotated[SessionTokenBlock, Tag("<session_token>")],
    Discriminator(
        _tag,
        custom_error_type="unknown_kind",
        custom_error_message=f"needs `kind`, one of {', '.join(_KINDS)}",
    ),
]
