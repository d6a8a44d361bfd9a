"""Kubernetes Secrets: every value under `data` and `stringData`, whatever its key is called.

Two readers, for JSON (braces) and for YAML (indentation). Both work on fragments: an SSE line, a log line, a body
that was cut short, many documents in one text. Both know Lists, and `SecretList`, whose items have no kind of
their own.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from masking import kubernetes_json, kubernetes_yaml
from masking.found import Found
from masking.literals import decode
from masking.pseudonym import is_masked

RULE = "kubernetes-secret"
KIND = "k8s-secret"
_TEMPLATE = re.compile(r"\s*(?:\{\{.*|\$\{[^{}]*\}|\$\([A-Z_]+\)|<[^<>]*>)\s*\Z", re.DOTALL)


def secrets(view: str, kinds: list[int]) -> Iterator[Found]:
    """The values of all Secrets in this view; `kinds` are the ends of what says `kind: Secret` in it, ascending.

    Raises LimitCrossed where JSON is nested too deep.
    """
    for start, end in kubernetes_json.values(view):
        yield from _found(view, start, end)
    for start, end in kubernetes_yaml.values(view, kinds):
        yield from _scalar(view, start, end)


def _scalar(view: str, start: int, end: int) -> Iterator[Found]:
    """A scalar of YAML: quoted, plain or a block."""
    quote = view[start]
    if quote in "\"'" and end - start > 1 and view[end - 1] == quote:
        start, end = start + 1, end - 1
    yield from _found(view, start, end)


def _found(view: str, start: int, end: int) -> Iterator[Found]:
    raw = view[start:end]
    if raw.strip() and not is_masked(raw) and not _TEMPLATE.match(raw):
        yield Found(start, end, RULE, KIND, plain(decode(raw) if "\\" in raw else raw))


def plain(value: str) -> str:
    """The secret behind a `data` value: decoded, so that it has the same pseudonym wherever it stands."""
    try:
        return base64.b64decode(value, validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return value
