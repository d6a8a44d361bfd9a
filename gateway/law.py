"""What an exchange asks of the rules of its connection. `gateway/rules.py` answers from policy, tools and pins."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.effects import Request
from gateway.frames.headers import Headers
from gateway.frames.jsonrpc import Look
from gateway.held import HeldCall
from gateway.kubernetes import KubernetesCall
from gateway.policy.verdict import ALLOWED, Verdict
from gateway.refusals import Refused
from gateway.sessions import Principal


@dataclass(slots=True)
class Case:
    """One request as the rules see it. `secrets`: how many the masking found in it."""

    request: Request
    look: Look
    principal: Principal
    session_id: str
    mcp_session_id: str
    protocol_version: str
    exchange_id: str
    secrets: int
    decoded: Any = None  # the value of the request's body, where it was decoded
    kubernetes: KubernetesCall | None = None


@dataclass(slots=True)
class Ruling:
    """The verdict on a request, the version of the policy that gave it, and further facts for the record.

    `held` is the call for those who may approve it; None where nobody can.
    """

    verdict: Verdict = ALLOWED
    version: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    held: HeldCall | None = None


@dataclass(slots=True)
class Opened:
    """A request as upstream gets it."""

    body: bytes
    headers: Headers


@dataclass(slots=True)
class Passage:
    """What becomes of a body of upstream or an event of its stream. `body` is for the client.

    `denied`: the rules deny what upstream asks of the client; the record then keeps what it asked, and `replies`
    answer it in the client's place.
    """

    body: bytes
    denied: Verdict | None = None
    replies: tuple[bytes, ...] = ()
    listed: bool = False  # whether it lists tools
    attributes: dict[str, str] = field(default_factory=dict)


class Law(Protocol):
    """The rules in force for a connection. Nothing here waits."""

    def judge(self, case: Case) -> Ruling | Refused:
        """The verdict on a request; on a batch, that of its worst member. Refused: it can be read in two ways."""
        ...

    def opened(self, request: Request, principal: Principal) -> Opened | Refused:
        """The request as upstream gets it: seals of ours opened. Refused where a seal is not this caller's."""
        ...

    def passage(self, case: Case, raw: bytes, event: bool) -> Passage:
        """What becomes of one masked body of upstream, or block of its stream (`event`)."""
        ...

    def bind(self, mcp_session_id: str, principal: Principal) -> str:
        """The session id that the client gets for upstream's own."""
        ...

    def unbind(self, mcp_session_id: str, principal: Principal) -> str | None:
        """Upstream's own id of the client's; None when it was given to another principal."""
        ...


class Open:
    """The law where there is none: everything is allowed and passes as it is."""

    def judge(self, case: Case) -> Ruling | Refused:  # noqa: ARG002
        """Allowed."""
        return Ruling()

    def opened(self, request: Request, principal: Principal) -> Opened | Refused:  # noqa: ARG002
        """As it is."""
        return Opened(request.body, request.headers)

    def passage(self, case: Case, raw: bytes, event: bool) -> Passage:  # noqa: ARG002
        """As it is."""
        return Passage(raw)

    def bind(self, mcp_session_id: str, principal: Principal) -> str:  # noqa: ARG002
        """As it is."""
        return mcp_session_id

    def unbind(self, mcp_session_id: str, principal: Principal) -> str | None:  # noqa: ARG002
        """As it is."""
        return mcp_session_id


OPEN = Open()
