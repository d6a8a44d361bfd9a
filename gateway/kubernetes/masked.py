"""Pseudonyms on their way back: a client that writes what it has read would put one in the place of the secret."""

import base64
import binascii
import re

from gateway.kubernetes.call import KubernetesCall
from gateway.kubernetes.json_patch import takes_values
from masking.pseudonym import HINT, PSEUDONYM

_HINT = HINT.encode()
_IN_BASE64 = re.compile(
    rb"W21hc2tlZD[A-Za-z0-9+/]*={0,2}"
)  # `[masked:`, as the data of a Secret would have it
WRITES = frozenset({"create", "update", "patch"})


def holds_pseudonym(body: bytes) -> bool:
    """Whether a body, in JSON, YAML or protobuf, holds what the masking puts in the place of a secret."""
    if _HINT in body and PSEUDONYM.search(body.decode("latin-1")):
        return True
    return any(map(_is_pseudonym, _IN_BASE64.findall(body)))


def takes_secret_out(call: KubernetesCall) -> bool:
    """Whether a JSON patch copies or moves something within a Secret: from its data to where nobody looks for secrets
    (annotations), or into the API server's words on why it can be no label."""
    info = call.info
    return (
        (info.api_group, info.resource) == ("", "secrets")
        and call.facts["patchType"] == "json"
        and takes_values(call.shown)
    )


def _is_pseudonym(run: bytes) -> bool:
    try:
        return PSEUDONYM.match(base64.b64decode(run, validate=True).decode("latin-1")) is not None
    except (binascii.Error, ValueError):
        return False
