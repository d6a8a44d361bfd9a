"""Requests as clients send them, in short."""

from typing import Any

import msgspec

from gateway.effects import Request
from gateway.frames.headers import Headers
from gateway.kubernetes import KubernetesCall, read

POD = "/api/v1/namespaces/prod/pods/web-0"
CONFIGMAPS = "/api/v1/namespaces/prod/configmaps"
DEPLOYMENT = "/apis/apps/v1/namespaces/prod/deployments/web"


def request(
    method: str, target: str, body: Any = b"", content_type: str = "", headers: Headers | None = None
) -> Request:
    """`body`: bytes, or what JSON is made of."""
    path, _, query = target.partition("?")
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    sent = [*(headers or []), *([(b"content-type", content_type.encode())] if content_type else [])]
    return Request(method, f"/k8s/prod{path}", query, sent, raw, "127.0.0.1:1", "", target=path)


def call(
    method: str, target: str, body: Any = b"", content_type: str = "", headers: Headers | None = None
) -> KubernetesCall:
    """What is read of it, on cluster `c`."""
    return read(request(method, target, body, content_type, headers), "c")


def patch(kind: str, body: Any) -> KubernetesCall:
    """A patch of a deployment."""
    types = {
        "json": "application/json-patch+json",
        "merge": "application/merge-patch+json",
        "strategic": "application/strategic-merge-patch+json",
        "apply": "application/apply-patch+yaml",
    }
    return call("PATCH", DEPLOYMENT, body, types[kind])
