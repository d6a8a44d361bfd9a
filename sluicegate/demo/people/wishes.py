"""Reading what a program asks for."""

import re
from dataclasses import dataclass

from sluicegate.demo.people.clients import Client
from sluicegate.demo.people.errors import OAuthError
from sluicegate.demo.people.forms import Parameters
from sluicegate.demo.people.grants import Wish

SCOPES = ("openid", "offline_access")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Resources:
    """For what tokens are given: the connections of one gateway, and the console where its people decide ('' for
    none). `usual` is the URL of the connection meant by default."""

    usual: str
    console: str = ""

    def wish(self, client: Client, asked: Parameters) -> Wish:
        """A token for `resource` (RFC 8707). Raises OAuthError."""
        resource = asked.get("resource") or self.usual
        root, _, name = resource.rpartition("/")
        decides = self.console and resource.rstrip("/") == self.console.rstrip("/")
        if not decides and (root != self.usual.rpartition("/")[0] or not _NAME.fullmatch(name)):
            raise OAuthError("invalid_target", f"tokens are given for connections such as {self.usual} only")
        granted = [scope for scope in asked.get("scope", "").split() if scope in SCOPES]
        return Wish(client.client_id, resource, " ".join(granted), asked.get("nonce", ""))


def same_resource(asked: Parameters, wish: Wish) -> None:
    """A program may name the resource again when it fetches its token, but no other. Raises OAuthError."""
    if asked.get("resource", wish.resource) != wish.resource:
        raise OAuthError("invalid_target", "the login was for another resource")
