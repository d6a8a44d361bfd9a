"""What a connection of kind `kubernetes` says beside where its API server is."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from sluicegate.settings.blocks import Block, FilePath, Seconds, Text, named

_PREFIX = re.compile(r"[!-~]{0,256}")
_CLUSTER = re.compile(r"[!-~]{1,256}")
_PRINTABLE = "must be at most 256 characters of ASCII, no space among them"

Prefix = Annotated[str, AfterValidator(named(_PREFIX, _PRINTABLE))]
ClusterName = Annotated[str, AfterValidator(named(_CLUSTER, _PRINTABLE))]


class KubeConfigBlock(Block):
    """A context of a kubeconfig: where the API server is, who vouches for it, and what the gateway shows it."""

    file: FilePath = Field(description="The kubeconfig; read again when it changes.")
    context: str = Field(default="", description="Context in it; not given: its `current-context`.")
    exec_seconds: Seconds = Field(
        default=30.0, description="How long the program that a kubeconfig names for credentials may take."
    )


class ImpersonationBlock(Block):
    """How the caller is named to the API server."""

    user: Literal["subject", "email", "issuer#subject"] = Field(
        default="subject", description="What of the caller becomes `Impersonate-User`."
    )
    user_prefix: Prefix = Field(default="", description="Stands before it.")
    groups: bool = Field(
        default=True, description="Whether the caller's groups go along as `Impersonate-Group`."
    )
    groups_prefix: Prefix = Field(default="", description="Stands before each of them.")
    system_allowed: tuple[Text, ...] = Field(
        default=(),
        description="Names beginning with `system:` that a caller may have there, with `*` and `?`; other such "
        "users are refused, such groups left out.",
    )


def _tag(value: Any) -> str:
    return "<block>" if isinstance(value, dict | ImpersonationBlock) else "<all>"


Impersonate = Annotated[
    Annotated[bool, Tag("<all>")] | Annotated[ImpersonationBlock, Tag("<block>")],
    Discriminator(_tag),
]
