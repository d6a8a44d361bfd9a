"""What the gateway itself says to a client: HTTP status, JSON-RPC error code and text, by reason code.

Codes stand in the range that JSON-RPC leaves to servers (-32000 … -32099), outside those that MCP has taken.
"""

from dataclasses import dataclass

NOT_EXECUTED = "not executed: "
MAYBE_EXECUTED = "it may have been executed, result withheld: "


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of answer of the gateway's own."""

    status: int
    code: int
    message: str

    def told(self, detail: str, late: bool = False) -> str:
        """The message, with what is particular to this case where there is anything. `late`: upstream has got the
        request before, so that nobody may say that it was not executed (G4)."""
        message = self.message.removeprefix(NOT_EXECUTED)
        return with_detail(
            MAYBE_EXECUTED + message if late and message != self.message else self.message, detail
        )


def with_detail(message: str, detail: str) -> str:
    """`message`, and `detail` after it where there is one."""
    return f"{message}: {detail}" if detail else message


@dataclass(frozen=True, slots=True)
class Refused:
    """A request is refused: the reason code, what is particular to it, and headers that belong to the answer.

    `late`: it is only its result that is withheld, since upstream has got the request before.
    """

    reason_code: str
    detail: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    late: bool = False


def too_often(what: str, wait_seconds: float) -> Refused:
    """A refusal that says when to come back (RFC 9110, 10.2.3: whole seconds)."""
    seconds = max(1, -int(-wait_seconds // 1))
    return Refused("rate_limited", what, ((b"retry-after", b"%d" % seconds),))


AUDIT_UNAVAILABLE = "audit_unavailable"
RESULT_WITHHELD = "result_withheld"

REFUSALS = {
    AUDIT_UNAVAILABLE: Refusal(503, -32080, "not executed: the audit trail cannot be written now"),
    RESULT_WITHHELD: Refusal(502, -32081, "executed, result withheld: its record could not be written"),
    "masking_failed": Refusal(502, -32081, "executed, result withheld: it could not be masked"),
    "request_masking_failed": Refusal(
        400, -32086, "not executed: the request could not be masked for the trail"
    ),
    "upstream_unreachable": Refusal(502, -32082, "not executed: upstream cannot be reached"),
    "upstream_broke": Refusal(502, -32083, "upstream broke off; it may have executed the request"),
    "upstream_timeout": Refusal(
        504, -32084, "upstream gave no answer in time; it may have executed the request"
    ),
    "upstream_encoded": Refusal(502, -32083, "executed, result withheld: its encoding cannot be read"),
    "response_too_large": Refusal(502, -32085, "executed, result withheld: it is larger than the limit"),
    "too_deep": Refusal(400, -32086, "not executed: the JSON is nested too deep"),
    "json_invalid": Refusal(400, -32700, "not executed: the body is not JSON"),
    "json_not_utf8": Refusal(400, -32700, "not executed: the body is not JSON in UTF-8"),
    "json_lone_surrogate": Refusal(400, -32700, "not executed: the JSON has half a surrogate pair"),
    "json_number": Refusal(400, -32700, "not executed: the JSON has a number that no reader can hold"),
    "json_duplicate_key": Refusal(400, -32086, "not executed: a name stands twice in a JSON object"),
    "json_look_alike_key": Refusal(400, -32086, "not executed: a name is another spelling of the protocol's"),
    "json_too_many_values": Refusal(413, -32086, "not executed: the JSON has too many values"),
    "batch_too_large": Refusal(400, -32086, "not executed: the batch has too many members"),
    "body_too_large": Refusal(413, -32086, "not executed: the body is larger than the limit"),
    "body_incomplete": Refusal(400, -32086, "not executed: the client broke off within the body"),
    "headers_too_large": Refusal(431, -32086, "not executed: the headers are larger than the limit"),
    "content_encoding": Refusal(415, -32086, "not executed: encoded bodies are not taken, send identity"),
    "charset_not_utf8": Refusal(415, -32086, "not executed: bodies are taken in UTF-8 only"),
    "header_mismatch": Refusal(400, -32020, "header mismatch"),
    "host_not_allowed": Refusal(403, -32087, "not executed: this Host or Origin may not use the gateway"),
    "method_not_allowed": Refusal(405, -32087, "not executed: HTTP method not allowed"),
    "unknown_connection": Refusal(404, -32087, "not executed: no such connection"),
    "unauthenticated": Refusal(401, -32087, "not executed: a token is needed"),
    "invalid_token": Refusal(401, -32087, "not executed: the token is not accepted"),
    "token_expired": Refusal(401, -32087, "not executed: the token has expired"),
    "insufficient_scope": Refusal(403, -32087, "not executed: the token lacks a scope"),
    "identity_unavailable": Refusal(503, -32088, "not executed: tokens cannot be checked now"),
    "control_unavailable": Refusal(503, -32088, "not executed: who is blocked is not known yet"),
    "principal_blocked": Refusal(403, -32087, "not executed: this principal is blocked"),
    "session_killed": Refusal(403, -32087, "not executed: this session was ended by an operator"),
    "session_not_yours": Refusal(404, -32087, "not executed: no such session"),
    "connection_not_allowed": Refusal(403, -32087, "not executed: you may not use this connection"),
    "rate_limited": Refusal(429, -32088, "not executed: too many requests, try again later"),
    "credential_unavailable": Refusal(502, -32082, "not executed: no credential for upstream can be had"),
    "impersonation_not_allowed": Refusal(
        403,
        -32089,
        "not executed: no rule lets you act as somebody else (`impersonation: true` on one that allows)",
    ),
    "masked_value": Refusal(
        400,
        -32086,
        "not executed: it would write back what stands for a masked value; patch other fields alone",
    ),
    "unmasked_copy": Refusal(
        400,
        -32086,
        "not executed: a JSON patch of a Secret that moves or copies would take values to where they are not masked",
    ),
    "bad_target": Refusal(400, -32087, "not executed: the target can be read in more than one way"),
    "unreadable_request": Refusal(400, -32086, "not executed: the request can be read in more than one way"),
    "request_state_invalid": Refusal(
        400, -32086, "not executed: this requestState is not yours, or has ended"
    ),
    "unknown_method": Refusal(404, -32601, "not executed: this revision has no such method"),
    "task_not_yours": Refusal(404, -32087, "not executed: no such task"),
    "policy_denied": Refusal(403, -32089, "not executed: denied by policy"),
    "policy_held": Refusal(403, -32089, "not executed: this needs a person's approval"),
    "approval_pending": Refusal(403, -32089, "not executed: it waits for approval; send the same call again"),
    "approval_denied": Refusal(403, -32089, "not executed: it was not approved"),
    "approval_expired": Refusal(403, -32089, "not executed: nobody approved it in time"),
    "approval_revoked": Refusal(403, -32089, "not executed: its approval was revoked"),
    "approval_used": Refusal(403, -32089, "not executed: its approval is not good for this call"),
    "approval_stale": Refusal(403, -32089, "not executed: the policy has changed since it was asked for"),
    "approval_unavailable": Refusal(503, -32080, "not executed: nobody can be asked for approval now"),
    "approvals_full": Refusal(429, -32088, "not executed: too many calls wait for approval"),
    "policy_failed": Refusal(403, -32089, "not executed: a rule could not be computed"),
    "tool_changed": Refusal(403, -32089, "not executed: the tool has changed and was not accepted yet"),
    "result_too_large": Refusal(502, -32085, "executed, result withheld: it is larger than the rule allows"),
    "gateway_failed": Refusal(500, -32603, "not executed: the gateway has failed at it; its log says where"),
    "spdy_not_taken": Refusal(
        400,
        -32087,
        "not executed: SPDY cannot be recorded, so it is not taken: use kubectl 1.31 or newer, or set"
        " KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true and KUBECTL_PORT_FORWARD_WEBSOCKETS=true",
    ),
    "socket_idle": Refusal(504, -32084, "no message came for too long"),
    "socket_broke": Refusal(502, -32083, "what was sent is no WebSocket, or a message was too large"),
    "overloaded": Refusal(503, -32088, "not executed: too many exchanges at once"),
    "gateway_stopping": Refusal(
        503, -32088, "the gateway is stopping; upstream may have executed the request"
    ),
}
