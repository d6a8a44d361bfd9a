"""Whether a request comes from Slack: `v0=HEX` of HMAC-SHA256 over `v0:TIMESTAMP:BODY` with the signing secret."""

from collections.abc import Mapping

from console.integrations.secrets import Secrets
from console.integrations.signing import Unauthentic, Window, hex_hmac, same

WINDOW_SECONDS = 300.0


def verify(headers: Mapping[str, str], body: bytes, secrets: Secrets, window: Window) -> None:
    """Raises Unauthentic: not signed by Slack, not near in time, or there before. Raises CredentialError."""
    timestamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    window.fresh(timestamp)
    content = b"v0:" + timestamp.encode() + b":" + body
    if not same(signature, ["v0=" + hex_hmac(secret, content) for secret in secrets.texts()]):
        raise Unauthentic("the signature does not fit")
    if not window.first(signature):
        raise Unauthentic("this was here before")
