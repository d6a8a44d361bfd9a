"""Free SQL as a ClickHouse server takes it over HTTP, so that its clients work: for the store's owner, on loopback.

Who may ask: whoever has the token of run/query.token (as password, any user name), from this machine, by a name of
this machine, and not from within a web page. Source: ClickHouse's documentation of its HTTP interface.
"""

import asyncio
import hmac
import json
from collections.abc import Mapping
from ipaddress import ip_address
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sinks.access import is_loopback_name
from sinks.clickhouse import StoreAwayError
from sinks.sql import compressed
from sinks.sql.asked import Identity, identity, question
from sinks.sql.fence import RefusedError
from sinks.sql.sandbox import Answer, Sandbox

_BODY_BYTES_MAX = 1024 * 1024
_DENIED, _UNKNOWN_USER, _AWAY, _UNREADABLE = 497, 516, 210, 62
# As a server maps its codes to statuses; what is not here is 500. Source: ClickHouse, HTTPHandler.cpp.
_STATUSES = {
    497: 403,
    516: 403,
    62: 400,
    36: 400,
    47: 404,
    60: 404,
    81: 404,
    46: 404,
    115: 404,
    159: 408,
    210: 503,
}
_NAMES = {
    _DENIED: "ACCESS_DENIED",
    _UNKNOWN_USER: "AUTHENTICATION_FAILED",
    _AWAY: "NETWORK_ERROR",
    _UNREADABLE: "SYNTAX_ERROR",
    159: "TIMEOUT_EXCEEDED",
}
_TYPES = {
    "JSON": "application/json; charset=UTF-8",
    "NDJSON": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVW": "text/csv; charset=UTF-8; header=present",
    "Tab": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "XML": "application/xml; charset=UTF-8",
    "Markdown": "text/markdown; charset=UTF-8",
    "Pretty": "text/plain; charset=UTF-8",
    "Vertical": "text/plain; charset=UTF-8",
    "Values": "text/plain; charset=UTF-8",
}


class FormError(Exception):
    """What is answered instead, with ClickHouse's `code`."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


class SqlForm:
    """The routes `/` and `/ping`. Answers come from `sandbox`; where there is none, nothing is given."""

    def __init__(self, sandbox: Sandbox, token: str, database: str) -> None:
        self._sandbox = sandbox
        self._token = token.encode()
        self._database = database

    def routes(self) -> list[Route]:
        """For the API's application."""
        return [Route("/", self._answer, methods=["GET", "POST"]), Route("/ping", self._ping)]

    async def _ping(self, _request: Request) -> Response:
        return PlainTextResponse("Ok.\n")

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._answered(request)
        except FormError as exc:
            return _failed(exc.code, str(exc))
        except (RefusedError, compressed.CodingError) as exc:
            return _failed(_DENIED, str(exc))
        except UnicodeDecodeError:
            return _failed(_UNREADABLE, "the statement is no UTF-8 text")
        except StoreAwayError as exc:
            return _failed(_AWAY, str(exc))

    async def _answered(self, request: Request) -> Response:
        refused = self._refusal(request)
        if refused:
            raise FormError(_UNKNOWN_USER, refused)
        body, values = await _body(request), request.query_params
        if not body and "query" not in values:
            return PlainTextResponse("Ok.\n")
        plain = compressed.unpacked(body, request.headers.get("content-encoding", ""))
        asked = question(values, request.headers, plain.decode(), self._database)
        answer = await self._sandbox.ask(asked)
        if answer.code:
            raise FormError(answer.code, answer.error)
        return await asyncio.to_thread(_told, answer, values, request.headers)

    def _refusal(self, request: Request) -> str:
        """Why the one who asks may not; '' when they may."""
        if request.client is None or not ip_address(request.client.host).is_loopback:
            return "free SQL is for this machine alone: ask from here, or use a ClickHouse server"
        if not is_loopback_name(request.headers.get("host", "")):
            return "this name is not served here: use 127.0.0.1 or localhost"
        if "origin" in request.headers or request.headers.get("sec-fetch-site", "none") not in (
            "none",
            "same-origin",
        ):
            return "free SQL is not for web pages"
        if not self._knows(identity(request.query_params, request.headers)):
            return "the password is the token in run/query.token, and it is missing or wrong"
        return ""

    def _knows(self, who: Identity | None) -> bool:
        return who is not None and hmac.compare_digest(who.secret.encode(), self._token)


def _told(answer: Answer, values: Mapping[str, str], headers: Mapping[str, str]) -> Response:
    body, given = answer.body, _headers(answer, values)
    if values.get("compress") == "1":
        body = compressed.blocks(body)
    elif values.get("enable_http_compression") == "1":
        coding = compressed.accepted(headers.get("accept-encoding", ""))
        body = compressed.packed(body, coding)
        given |= {"content-encoding": coding} if coding else {}
    return Response(body, media_type=_type(answer.form), headers=given)


def _headers(answer: Answer, values: Mapping[str, str]) -> dict[str, str]:
    rows, size = str(answer.rows), str(len(answer.body))
    summary = {"read_rows": rows, "read_bytes": size, "result_rows": rows, "result_bytes": size}
    return {
        "x-clickhouse-format": answer.form,
        "x-clickhouse-timezone": "UTC",
        "x-clickhouse-query-id": _query_id(values),
        "x-clickhouse-server-display-name": "sluicegate",
        "x-clickhouse-summary": json.dumps({**summary, "elapsed_ns": str(int(answer.seconds * 1e9))}),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }


def _query_id(values: Mapping[str, str]) -> str:
    given = values.get("query_id", "")
    return given if given.isascii() and given.isprintable() and 0 < len(given) <= 100 else str(uuid4())


def _type(form: str) -> str:
    if form.startswith("JSON") and "EachRow" in form:
        return _TYPES["NDJSON"]
    longest = max((name for name in _TYPES if form.startswith(name)), key=len, default="")
    return _TYPES.get(longest, "application/octet-stream")


def _failed(code: int, why: str) -> Response:
    """In the engine's own form, which clients take apart: code, words, name."""
    text = (
        why
        if why.startswith("Code: ")
        else f"Code: {code}. DB::Exception: {why}. ({_NAMES.get(code, 'ERROR')})"
    )
    headers = {"x-clickhouse-exception-code": str(code), "x-clickhouse-format": ""}
    return PlainTextResponse(f"{text}\n", _STATUSES.get(code, 500), headers)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            raise FormError(_UNREADABLE, f"the statement is longer than {_BODY_BYTES_MAX // 1024} KB")
    return body
