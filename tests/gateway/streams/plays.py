"""Plays over connections of kind kubernetes and http, and what their streams are made of."""

from __future__ import annotations

from dataclasses import replace

from gateway.effects import Fact, Head, ReadReady, Request
from gateway.exchange import Exchange
from gateway.frames.headers import Headers
from gateway.settings import ConnectionKind, Limits
from tests.gateway.playbook import ALICE, ID, Playbook, forwarded, frame, recorded, terms

WATCH: Headers = [(b"content-type", b"application/json")]
LOG: Headers = [(b"content-type", b"text/plain")]
PODS = "/api/v1/namespaces/prod/pods"


def asked(target: str, query: str = "", headers: Headers | None = None, method: str = "GET") -> Request:
    """A request for `target` of what stands behind the connection."""
    return Request(
        method,
        f"/k8s/demo{target}",
        query,
        headers or [],
        b"",
        peer="127.0.0.1:5000",
        user_agent="tests",
        target=target,
    )


class Play(Playbook):
    """A playbook of a connection that is no MCP server."""

    def __init__(
        self,
        request: Request,
        kind: ConnectionKind = ConnectionKind.KUBERNETES,
        limits: Limits | None = None,
    ) -> None:
        self.exchange = Exchange(ID, request, ALICE, replace(terms(limits), kind=kind))
        self._life = self.exchange.life(None)
        self.effect = next(self._life)
        self._seen = False


def streaming(
    request: Request,
    headers: Headers,
    ready: Fact = None,
    kind: ConnectionKind = ConnectionKind.KUBERNETES,
    limits: Limits | None = None,
) -> Playbook:
    """A play that has come to the first bytes of a stream."""
    return (
        Play(request, kind, limits)
        << recorded(frame("request"))
        >> True
        << forwarded(target=request.target)
        >> Head(200, headers)
        << ReadReady()
        >> ready
    )
