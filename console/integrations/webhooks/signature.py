"""Whether a message comes from who holds a secret of a webhook (Standard Webhooks)."""

import re
from collections.abc import Mapping

from console.integrations.secrets import Secrets
from console.integrations.signing import Unauthentic, Window, same, webhook_signature
from gateway.edge.credentials.injector import CredentialError

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,256}")


def verified(headers: Mapping[str, str], body: bytes, secrets: Secrets, window: Window) -> str:
    """The id of the message. Raises Unauthentic, CredentialError. Whether it was there before is not looked at."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(message_id):
        raise Unauthentic("there is no webhook-id")
    window.fresh(timestamp)
    try:
        expected = [webhook_signature(secret, message_id, timestamp, body) for secret in secrets.texts()]
    except ValueError as error:
        raise CredentialError(str(error)) from None
    given = headers.get("webhook-signature", "").split(" ")[:10]
    if not any([same(each, expected) for each in given]):  # noqa: C419 (each is looked at)
        raise Unauthentic("the signature does not fit")
    return message_id
