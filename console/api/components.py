"""The shapes of the API as JSON Schema 2020-12, for the OpenAPI document. See `shapes` and the bodies beside it."""

from typing import Any

from console.api.approvals import COMMENT_CHARACTERS_MAX, KINDS, STATES
from console.api.delegations import NAME_MAX, REASON_MAX

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "string", "format": "uuid"}


def ref(name: str) -> Schema:
    """A reference to one of the schemas below."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(name: str) -> Schema:
    """An array of one of the schemas below."""
    return {"type": "array", "items": ref(name)}


def told(schema: Schema, description: str) -> Schema:
    """The schema, described."""
    return {**schema, "description": description}


def closed(properties: dict[str, Schema], *optional: str, **more: Any) -> Schema:
    """An object with these members and no others; all but the `optional` ones are always there."""
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
        **more,
    }


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


_NAMED = {"issuer": told(TEXT, "Empty at a terminal."), "subject": TEXT}

_SUMMARY: dict[str, Schema] = {
    "id": ID,
    "state": {"enum": list(STATES), "description": "unread: the approvals processor has not seen it yet."},
    "kind": {"enum": list(KINDS)},
    "requested_at": TIME,
    "ends_at": told(TIME, "When it ends by itself: the request while it is pending, then the grant."),
    "requester": closed({**_NAMED, "groups": TEXTS, "client_id": TEXT}),
    "connection": TEXT,
    "call": told(TEXT, "What is called, in one line."),
    "rule": told(TEXT, "The rule that held the call."),
    "reason": TEXT,
    "comment_required": FLAG,
    "hours": told(TEXT, "When it may be approved; empty: always."),
    "quorum": {
        "type": "array",
        "items": closed({"reviewers": TEXTS, "people": {"type": "integer", "minimum": 1}}),
        "description": "All parts are needed: so many different people, each of one of these groups or persons.",
    },
    "approvers": told(TEXTS, "Who has agreed, as ISSUER|SUBJECT."),
    "uses_left": told(maybe(COUNT), "Of what is granted; null: until it ends."),
    "review_due_at": told(maybe(TIME), "Until when somebody has to look at a broken glass."),
    "reviewed_by": TEXT,
    "you": closed(
        {
            "asked": told(FLAG, "It is your own request: you never decide on it, and may take it back."),
            "review": told(FLAG, "You are one of its reviewers, yourself or by a delegation."),
            "waits": told(FLAG, "It waits for you."),
            "delegation_id": told(maybe(ID), "The delegation by which you are."),
        }
    ),
}

_TURN: dict[str, Schema] = {
    "version": {"type": "integer", "minimum": 1},
    "at": TIME,
    "state": {"enum": list(STATES)},
    "verb": told(TEXT, "Empty where time did it, or a gateway used it."),
    "who": told(TEXT, "ISSUER|SUBJECT."),
    "instead_of": told(TEXT, "Who delegated, as ISSUER|SUBJECT."),
    "comment": TEXT,
    "refusal": told(TEXT, "Why it did not count; empty: it did."),
    "use_id": told(TEXT, "The exchange that was let run by it."),
}

_WHOLE: dict[str, Schema] = {
    **_SUMMARY,
    "method": TEXT,
    "tool": TEXT,
    "verb": TEXT,
    "object": TEXT,
    "exchange_id": TEXT,
    "session_id": TEXT,
    "policy_version": TEXT,
    "bound": told(TEXT, "What arguments a standing grant holds for, in CEL."),
    "arguments": told(TEXT, "JSON, masked."),
    "digest": told(TEXT, "SHA-256 of the exact call, in hex; to be sent with an approval."),
    "expires_at": TIME,
    "grant_seconds": COUNT,
    "uses_max": COUNT,
    "break_glass_groups": TEXTS,
    "history": listed("Turn"),
}

_PERSON: dict[str, Schema] = {**_NAMED, "groups": TEXTS, "aliases": TEXTS}

SCHEMAS: dict[str, Schema] = {
    "ApprovalSummary": closed(_SUMMARY),
    "Approval": closed(_WHOLE),
    "Turn": told(closed(_TURN), "One answer of the approvals processor."),
    "ApprovalPage": closed(
        {
            "approvals": listed("ApprovalSummary"),
            "next": told(maybe(TEXT), "`after` of the next page; null: this is the last."),
        }
    ),
    "Decision": closed(
        {
            "verb": {"enum": ["approve", "deny", "revoke", "review"]},
            "digest": {
                "type": "string",
                "pattern": "^([0-9a-f]{64})?$",
                "description": "Of the call that you saw. Needed to approve.",
            },
            "comment": {"type": "string", "maxLength": COMMENT_CHARACTERS_MAX},
            "delegation_id": told(TEXT, "Instead of whom; by default one is found where it takes one."),
        },
        "digest",
        "comment",
        "delegation_id",
    ),
    "NewDelegation": closed(
        {
            "to": closed(
                {
                    "issuer": {"type": "string", "maxLength": NAME_MAX},
                    "subject": {"type": "string", "minLength": 1, "maxLength": NAME_MAX},
                }
            ),
            "until": told(TIME, "At most 90 days from now."),
            "reason": {"type": "string", "maxLength": REASON_MAX},
        },
        "reason",
    ),
    "Delegation": closed(
        {
            "id": ID,
            "from": closed(_NAMED),
            "to": closed(_NAMED),
            "groups": told(TEXTS, "Those of the giver on the day it was given: they are what it lends."),
            "from_at": TIME,
            "until": TIME,
            "reason": TEXT,
        }
    ),
    "DelegationList": closed({"delegations": listed("Delegation")}),
    "Person": closed(_PERSON),
    "PersonList": closed({"people": listed("Person")}),
    "Me": closed(
        {**_PERSON, "auditor": FLAG, "revoker": FLAG, "waiting": COUNT, "held": listed("Delegation")}
    ),
    "Problem": {
        "type": "object",
        "description": "RFC 9457.",
        "properties": {
            "type": {"type": "string", "pattern": "^urn:sluicegate:problem:[a-z_]+$"},
            "title": TEXT,
            "status": {"type": "integer"},
            "detail": TEXT,
        },
        "required": ["type", "title", "status", "detail"],
    },
}
