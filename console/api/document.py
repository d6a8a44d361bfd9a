"""The API as an OpenAPI 3.1 document."""

from typing import Any

from console.api.approvals import KINDS, STATES
from console.api.components import COUNT, FLAG, ID, SCHEMAS, TEXT, TIME, Schema, ref
from gateway.edge.identity import metadata_url
from gateway.settings import IdentitySettings

Json = dict[str, Any]

VERSION = "1.0.0"
_PROBLEMS = {
    "400": "The request says something that cannot be meant.",
    "401": "No token, or one that is not good for the console.",
    "403": "The token lacks a scope, or the page that asks is none of ours.",
    "404": "There is none, or you may not see it.",
    "409": "The approvals processor (or a bound of the console) says no; `detail` says why.",
    "413": "The body is too large.",
    "415": "The body is no JSON.",
    "421": "The name in Host is not served here.",
    "422": "The body does not fit.",
    "429": "You ask too often, or follow too many feeds.",
    "503": "Kafka or the approvals processor does not answer; `detail` says how far it came.",
}
_ALWAYS = ("400", "401", "403", "421", "429")
_BODY = ("413", "415", "422")


def document(identity: IdentitySettings) -> Json:
    """The document for a console with this identity."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sluicegate approvals",
            "version": VERSION,
            "description": "What waits for a person, and the person's word.",
        },
        "paths": _paths(),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": _scheme(identity)},
            "responses": {f"Problem{status}": _problem(text) for status, text in _PROBLEMS.items()},
        },
        "security": [{"token": []}],
    }


def _paths() -> Json:
    return {
        "/api/approvals": {"get": _list_approvals()},
        "/api/approvals/events": {"get": _follow()},
        "/api/approvals/{id}": {
            "get": _operation(
                "showApproval", "Show an approval with the exact call.", _json("Approval"), "404", "503"
            ),
            "parameters": [_ID],
        },
        "/api/approvals/{id}/decision": {
            "post": {
                **_operation(
                    "decideApproval",
                    "Say something of an approval; answered once it counts.",
                    _json("Approval"),
                    "404",
                    "409",
                    "503",
                    *_BODY,
                ),
                "requestBody": _body("Decision"),
            },
            "parameters": [_ID],
        },
        "/api/delegations": {
            "get": _operation(
                "listDelegations", "List your delegations; an auditor sees all.", _json("DelegationList")
            ),
            "post": {
                **_operation(
                    "giveDelegation",
                    "Let somebody decide instead of you.",
                    _json("Delegation"),
                    "409",
                    "503",
                    *_BODY,
                    success="201",
                ),
                "requestBody": _body("NewDelegation"),
            },
        },
        "/api/delegations/{id}": {
            "delete": {
                **_operation(
                    "endDelegation",
                    "Take a delegation back that you gave or hold.",
                    {"description": "It has ended."},
                    "404",
                    "422",
                    "503",
                    success="204",
                ),
                "parameters": [_query("reason", TEXT, "Why.")],
            },
            "parameters": [_ID],
        },
        "/api/me": {"get": _operation("showMe", "Who you are, and what waits for you.", _json("Me"))},
        "/api/people": {"get": _operation("listPeople", "Everybody who is configured.", _json("PersonList"))},
        "/api/openapi.json": {
            "get": {
                "operationId": "showDocument",
                "summary": "This document.",
                "security": [],
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1.",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    },
                    "421": {"$ref": "#/components/responses/Problem421"},
                },
            }
        },
    }


def _list_approvals() -> Json:
    return {
        **_operation(
            "listApprovals",
            "List the approvals that you may see, the latest first.",
            _json("ApprovalPage"),
        ),
        "parameters": [
            _query("state", _several(STATES), "In one of these states."),
            _query("kind", _several(KINDS), "Of one of these kinds; grants are standing and access."),
            _query("mine", FLAG, "Those alone that wait for you."),
            _query("connection", TEXT, "Of this connection."),
            _query("requester", TEXT, "Asked by this subject, or ISSUER|SUBJECT."),
            _query("since", TIME, "Requested then or later."),
            _query("limit", {**COUNT, "minimum": 1}, "At most so many."),
            _query("after", TEXT, "`next` of the page before."),
        ],
    }


def _follow() -> Json:
    feed = {
        "description": "Events named `approval`; `data` is an ApprovalSummary as JSON. Lines `:` are heartbeats.",
        "content": {"text/event-stream": {"schema": TEXT}},
    }
    return {
        **_operation("followApprovals", "Follow every change that you may see.", feed, "503"),
        "parameters": [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "schema": TEXT,
                "description": "Go on after this event, at any console.",
            }
        ],
    }


_ID: Json = {"name": "id", "in": "path", "required": True, "schema": ID}


def _operation(name: str, summary: str, answer: Json, *problems: str, success: str = "200") -> Json:
    told = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in (*_ALWAYS, *problems)}
    return {"operationId": name, "summary": summary, "responses": {success: answer, **told}}


def _json(name: str) -> Json:
    return {"description": name, "content": {"application/json": {"schema": ref(name)}}}


def _body(name: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": ref(name)}}}


def _problem(text: str) -> Json:
    return {"description": text, "content": {"application/problem+json": {"schema": ref("Problem")}}}


def _query(name: str, schema: Schema, description: str) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _several(values: tuple[str, ...]) -> Schema:
    return {"type": "array", "items": {"enum": list(values)}}


def _scheme(identity: IdentitySettings) -> Json:
    if identity.mode == "none":
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "The token in the console's token file, which its user alone can read.",
        }
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": f"Who gives tokens is said at {metadata_url(identity.public_url.rstrip('/'))} (RFC 9728).",
    }
