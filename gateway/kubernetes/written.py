"""A request as people write it in expectations: `DELETE /api/v1/namespaces/prod/pods?labelSelector=a`."""

from gateway.effects import Request
from gateway.frames.headers import Headers
from gateway.kubernetes.problem import NotReadError


def request_of(line: str, body: str = "", content_type: str = "", impersonate: str = "") -> Request:
    """The request of a line `METHOD PATH?QUERY`. `impersonate`: the user whom it acts as. Raises NotReadError."""
    method, _, target = line.strip().partition(" ")
    path, _, query = target.strip().partition("?")
    if not (method.isalpha() and method.isupper() and path.startswith("/")):
        raise NotReadError("a request is written `METHOD /path?query`, as `GET /api/v1/namespaces/prod/pods`")
    headers: Headers = []
    if content_type:
        headers.append((b"content-type", content_type.encode("utf-8")))
    if impersonate:
        headers.append((b"impersonate-user", impersonate.encode("utf-8")))
    return Request(method, path, query, headers, body.encode("utf-8"), "", "", target=path)
