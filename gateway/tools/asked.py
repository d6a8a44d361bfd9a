"""What upstream asks of the client: requests on a stream (until 2025-11-25), `inputRequests` in an answer (after).

Policy judges each with `mcp.sender == 'server'`. One that it refuses never reaches the client:

* on a stream its message is cut out (`without_asked`), and upstream gets `refusal` in a POST of the gateway's own, as
  if the client had said no;
* in an answer it cannot be cut out, since the rest makes no sense without it: the client gets `denials.denied` for
  its own request instead. Upstream keeps no state for it, so nobody has to tell it.

Source: Model Context Protocol 2025-11-25, "Client Features"; 2026-07-28, "Multi Round-Trip Requests"; SEP-2663.
"""

import json
from collections.abc import Collection, Iterator
from typing import NamedTuple

from gateway.frames import sse
from gateway.frames.jsonrpc import error_body
from gateway.policy.verdict import Verdict
from gateway.tools import spans
from gateway.tools.denials import told
from gateway.tools.spans import Span, UnreadableError
from gateway.tools.splices import without_messages

REFUSED = -32089
_INPUTS = (("result", "inputRequests"), ("params", "inputRequests"))


class Asked(NamedTuple):
    """One thing that upstream asks. `id`: its JSON literal for a request, '' for an input request, which has a `key`.

    `params` are its bytes.
    """

    method: str
    id: str
    params: bytes
    key: str = ""

    @property
    def body(self) -> bytes:
        """It as one JSON-RPC request, for policy; an input request gets its key as id."""
        request_id = self.id.encode() or json.dumps(self.key).encode()
        params = b',"params":' + self.params if self.params else b""
        return b'{"jsonrpc":"2.0","id":%b,"method":%b%b}' % (
            request_id,
            json.dumps(self.method).encode(),
            params,
        )


def asked_by_server(raw: bytes, *, event: bool = False) -> list[Asked]:
    """All that a body or an SSE event's block asks of the client; [] for nothing, or what cannot be read."""
    if not spans.may_have(raw, b'"method"'):
        return []
    data = sse.fields(raw).data if event else raw
    try:
        return [asked for message in spans.messages(data) for asked in _asked(data, message)]
    except UnreadableError:
        return []


def without_asked(raw: bytes, refused: Collection[str], *, event: bool = False) -> bytes:
    """`raw` without the requests of these ids (JSON literals); an event keeps its id, for a client that resumes."""

    def gone(data: bytes, message: Span) -> bool:
        return any(asked.id in refused for asked in _requests(data, message))

    return without_messages(raw, event, gone)


def refusal(asked: Asked, verdict: Verdict, exchange_id: str) -> bytes:
    """The JSON-RPC error that upstream gets for its request, as the body of a POST to it in the same session."""
    data = {"reason": verdict.reason_code, "rule": verdict.rule, "exchange_id": exchange_id}
    return error_body(asked.id, REFUSED, told(verdict, exchange_id), **data)


def _asked(data: bytes, message: Span) -> Iterator[Asked]:
    yield from _requests(data, message)
    for path in _INPUTS:
        for inputs in spans.at_path(data, message, *path):
            for member in spans.members(data, inputs):
                for method in spans.texts_at(data, member.value, "method"):
                    yield Asked(method, "", _params(data, member.value), member.key)


def _requests(data: bytes, message: Span) -> Iterator[Asked]:
    ids = [
        data[each.start : each.end].decode("utf-8", "replace") for each in spans.at_path(data, message, "id")
    ]
    if ids:
        for method in spans.texts_at(data, message, "method"):
            yield Asked(method, ids[-1], _params(data, message))


def _params(data: bytes, value: Span) -> bytes:
    found = spans.at_path(data, value, "params")
    return data[found[-1].start : found[-1].end] if found else b""
