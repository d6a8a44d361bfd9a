"""The digest of a call: what an approval is bound to.

    digest = SHA-256("sluicegate:call:1" ‖ canonical JSON of the decoded call)

Canonical: keys in the order of their code points, no space, no escapes that JSON does not need, numbers as Python
writes them. 1 and 1.0 are two calls, and so are two spellings of a letter: what differs is asked for again.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypedDict


class ExactCall(TypedDict):
    """A decoded call: whose, over what, and what. `arguments` is any JSON value; a field that there is not is ''."""

    principal_issuer: str
    principal_subject: str
    connection: str
    method: str
    tool: str
    verb: str
    object: str
    arguments: Any


def argument_digest(call: ExactCall) -> str:
    """64 hex digits. Raises ValueError for what is no JSON: NaN, infinities, keys that are no text, foreign types."""
    _fit(call["arguments"])
    try:
        text = json.dumps(
            call,
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
            check_circular=True,
        )
    except (TypeError, RecursionError) as error:
        raise ValueError("a call that is no JSON has no digest") from error
    return sha256(b"sluicegate:call:1" + text.encode("utf-8", "surrogatepass")).hexdigest()


def _fit(value: Any) -> None:
    """json.dumps makes text of keys that are none: 1 and "1" would be one."""
    open_values = [value]
    while open_values:
        one = open_values.pop()
        if isinstance(one, Mapping):
            if not all(isinstance(key, str) for key in one):
                raise ValueError("a call with a key that is no text has no digest")
            open_values += one.values()
        elif isinstance(one, list | tuple):
            open_values += one
