"""Signature Version 4 as AWS checks it, written down from its description.

What the server knows is the secret key, and the request as it came."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qsl, quote, unquote

SIGNATURE = "X-Amz-Signature"


def by_header(
    secret: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    s3: bool = False,
) -> bool:
    """Whether the header Authorization signs this request. `path` and `query` are as they were on the wire."""
    said = headers["authorization"].removeprefix("AWS4-HMAC-SHA256 ")
    parts = dict(part.strip().split("=", 1) for part in said.split(","))
    digest = sha256(body).hexdigest()
    if s3 and headers["x-amz-content-sha256"] != digest:
        return False
    pairs = parse_qsl(query, keep_blank_values=True)
    canonical = _request(method, _path(path, s3=s3), pairs, headers, parts["SignedHeaders"], digest)
    return _signed(secret, parts["Credential"], headers["x-amz-date"], canonical) == parts["Signature"]


def by_query(secret: str, method: str, path: str, query: str, headers: Mapping[str, str]) -> bool:
    """Whether the URL is signed in its query."""
    pairs = parse_qsl(query, keep_blank_values=True)
    asked = dict(pairs)
    rest = [pair for pair in pairs if pair[0] != SIGNATURE]
    digest = sha256(b"").hexdigest()
    canonical = _request(method, _path(path, s3=False), rest, headers, asked["X-Amz-SignedHeaders"], digest)
    return _signed(secret, asked["X-Amz-Credential"], asked["X-Amz-Date"], canonical) == asked[SIGNATURE]


def _request(
    method: str, path: str, pairs: list[tuple[str, str]], headers: Mapping[str, str], signed: str, digest: str
) -> str:
    query = "&".join(
        sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    )
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in signed.split(";")]
    return "\n".join([method, path, query, *lines, "", signed, digest])


def _path(path: str, *, s3: bool) -> str:
    once = "/".join(quote(unquote(segment), safe="-_.~") for segment in path.split("/"))
    return once if s3 else quote(once, safe="/-_.~")


def _signed(secret: str, credential: str, date: str, canonical: str) -> str:
    scope = credential.split("/", 1)[1]
    day, region, service, end = scope.split("/")
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, end):
        key = hmac.new(key, part.encode(), sha256).digest()
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, sha256(canonical.encode()).hexdigest()])
    return hmac.new(key, text.encode(), sha256).hexdigest()
