"""What a JSON-RPC body says of itself. The body is looked at, never re-written (G8).

Source: JSON-RPC 2.0; Model Context Protocol 2024-11-05 … 2026-07-28.
"""

from typing import Any, NamedTuple

import msgspec

MEMBERS_MAX = 1_000
VERSION_META_KEY = "io.modelcontextprotocol/protocolVersion"
_ABSENT = msgspec.UNSET


class TooDeepError(ValueError):
    """The JSON is nested deeper than a parser can follow."""


class Look(NamedTuple):
    """The facts of one body. `kind`: none, request, notification, response, error or batch."""

    kind: str = "none"
    id: str = ""
    method: str = ""
    tool: str = ""
    resource: str = ""
    error_code: int | None = None
    is_error: bool | None = None
    meta_version: str | None = None
    arguments: msgspec.Raw | None = None
    members: tuple["Look", ...] = ()


NOTHING = Look()


class _Meta(msgspec.Struct):
    version: str | msgspec.UnsetType = msgspec.field(name=VERSION_META_KEY, default=_ABSENT)


class _Params(msgspec.Struct):
    name: str | msgspec.UnsetType = _ABSENT
    uri: str | msgspec.UnsetType = _ABSENT
    arguments: msgspec.Raw = msgspec.Raw()
    meta: _Meta | msgspec.UnsetType = msgspec.field(name="_meta", default=_ABSENT)


class _Error(msgspec.Struct):
    code: int | msgspec.UnsetType = _ABSENT


class _Result(msgspec.Struct):
    is_error: bool | msgspec.UnsetType = msgspec.field(name="isError", default=_ABSENT)
    is_error_too: bool | msgspec.UnsetType = msgspec.field(
        name="is_error", default=_ABSENT
    )  # as the Python SDK reads


class _Body(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw()
    method: str | msgspec.UnsetType = _ABSENT
    params: _Params | msgspec.UnsetType = _ABSENT
    result: _Result | msgspec.UnsetType = _ABSENT
    error: _Error | msgspec.UnsetType = _ABSENT


_typed = msgspec.json.Decoder(_Body)
_members = msgspec.json.Decoder(list[msgspec.Raw])


def look(body: bytes, members_max: int = MEMBERS_MAX) -> Look:
    """The facts of `body`; `NOTHING` when it is no JSON-RPC. Raises TooDeepError.

    A batch of more than `members_max` is only counted: its `members` are that many times `NOTHING`.
    """
    try:
        if body.lstrip()[:1] == b"[":
            return _batch(_members.decode(body), members_max)
        return _single(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NOTHING
    except RecursionError as exc:
        raise TooDeepError from exc


def _single(body: bytes | msgspec.Raw) -> Look:
    try:
        return _facts(_typed.decode(body))
    except msgspec.ValidationError:  # members of unexpected types: slower, takes what fits
        return _loose(msgspec.json.decode(body))


def _facts(body: _Body) -> Look:
    raw_id = _literal(bytes(body.id))
    if body.method is not _ABSENT:
        method = str(body.method)
        params = body.params if isinstance(body.params, _Params) else _Params()
        name = params.name if isinstance(params.name, str) else ""
        uri = params.uri if isinstance(params.uri, str) else ""
        meta = params.meta.version if isinstance(params.meta, _Meta) else _ABSENT
        return Look(
            kind="request" if raw_id else "notification",
            id=raw_id,
            method=method,
            tool=name if method == "tools/call" else "",
            resource="" if method == "tools/call" else (uri or name),
            meta_version=meta if isinstance(meta, str) else None,
            arguments=params.arguments,
        )
    if isinstance(body.error, _Error):
        return Look(kind="error", id=raw_id, error_code=_code(body.error.code))
    if isinstance(body.result, _Result):
        flag = body.result.is_error_too if body.result.is_error is _ABSENT else body.result.is_error
        return Look(kind="response", id=raw_id, is_error=flag if isinstance(flag, bool) else None)
    return NOTHING


def _literal(raw: bytes) -> str:
    """An id as its JSON literal, one and the same however its characters were escaped."""
    return (msgspec.json.encode(msgspec.json.decode(raw)) if b"\\" in raw else raw).decode()


def _code(value: object) -> int | None:
    """An error code; None for what is none, or fits into no record."""
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    return None


def _batch(raw_members: list[msgspec.Raw], members_max: int) -> Look:
    if len(raw_members) > members_max:
        return Look(kind="batch", members=(NOTHING,) * len(raw_members))
    members = tuple(_single(member) for member in raw_members)

    def joined(values: list[str]) -> str:
        return ",".join(dict.fromkeys(value for value in values if value))

    return Look(
        kind="batch",
        id=joined([member.id for member in members]),
        method=joined([member.method for member in members]),
        tool=joined([member.tool for member in members]),
        resource=joined([member.resource for member in members]),
        error_code=next((m.error_code for m in members if m.error_code is not None), None),
        is_error=next((m.is_error for m in members if m.is_error is not None), None),
        members=members,
    )


def _loose(body: Any) -> Look:
    if not isinstance(body, dict):
        return NOTHING
    raw_id = msgspec.json.encode(body["id"]).decode() if "id" in body else ""
    method = body.get("method")
    if isinstance(method, str):
        params = body.get("params")
        known = params if isinstance(params, dict) else {}
        name = known.get("name") if isinstance(known.get("name"), str) else ""
        uri = known.get("uri") if isinstance(known.get("uri"), str) else ""
        return Look(
            kind="request" if raw_id else "notification",
            id=raw_id,
            method=method,
            tool=str(name) if method == "tools/call" else "",
            resource="" if method == "tools/call" else str(uri or name),
            meta_version=_loose_version(known),
            arguments=msgspec.Raw(msgspec.json.encode(known["arguments"])) if "arguments" in known else None,
        )
    error = body.get("error")
    if error is not None:
        code = error.get("code") if isinstance(error, dict) else None
        return Look(kind="error", id=raw_id, error_code=_code(code))
    if "result" in body:
        result = body["result"]
        flag = result.get("isError", result.get("is_error")) if isinstance(result, dict) else None
        return Look(kind="response", id=raw_id, is_error=flag if isinstance(flag, bool) else None)
    return NOTHING


def _loose_version(params: dict[str, Any]) -> str | None:
    meta = params.get("_meta")
    version = meta.get(VERSION_META_KEY) if isinstance(meta, dict) else None
    return version if isinstance(version, str) else None


def error_body(request_id: str, code: int, message: str, **data: Any) -> bytes:
    """A JSON-RPC error; `request_id` is the id's JSON literal, '' for none."""
    error = {"code": code, "message": message, "data": data}
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (
        request_id.encode() or b"null",
        msgspec.json.encode(error),
    )
