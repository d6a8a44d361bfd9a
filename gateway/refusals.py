"""What the gateway itself says to a client: HTTP status, JSON-RPC error code and text, by reason code.

Codes stand in the range that JSON-RPC leaves to servers (-32000 … -32099), outside those that MCP has taken.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One kind of answer of the gateway's own."""

    status: int
    code: int
    message: str

    def told(self, detail: str) -> str:
        """The message, with what is particular to this case where there is anything."""
        return with_detail(self.message, detail)


def with_detail(message: str, detail: str) -> str:
    """`message`, and `detail` after it where there is one."""
    return f"{message}: {detail}" if detail else message


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
    "upstream_encoded": Refusal(502, -32083, "upstream's answer is encoded although identity was asked for"),
    "response_too_large": Refusal(502, -32085, "executed, result withheld: it is larger than the limit"),
    "too_deep": Refusal(400, -32086, "not executed: the JSON is nested too deep"),
    "batch_too_large": Refusal(400, -32086, "not executed: the batch has too many members"),
    "body_too_large": Refusal(413, -32086, "not executed: the body is larger than the limit"),
    "body_incomplete": Refusal(400, -32086, "not executed: the client broke off within the body"),
    "headers_too_large": Refusal(431, -32086, "not executed: the headers are larger than the limit"),
    "content_encoding": Refusal(415, -32086, "not executed: encoded bodies are not taken, send identity"),
    "header_mismatch": Refusal(400, -32020, "header mismatch"),
    "host_not_allowed": Refusal(403, -32087, "not executed: this Host or Origin may not use the gateway"),
    "method_not_allowed": Refusal(405, -32087, "not executed: HTTP method not allowed"),
    "unknown_connection": Refusal(404, -32087, "not executed: no such connection"),
    "overloaded": Refusal(503, -32088, "not executed: too many exchanges at once"),
    "gateway_stopping": Refusal(
        503, -32088, "the gateway is stopping; upstream may have executed the request"
    ),
}
