"""Conversations with a mask as the gateway makes it, and what they let pass."""

from functools import cache

from gateway.drafting import MaskText
from gateway.endings import Mask
from gateway.kubernetes.channels import Conversation, Passing
from gateway.wiring import _mask, _mask_text
from masking import Masker

KEY = b"0123456789abcdef0123456789abcdef"
BYTES_MAX = 4 * 1024 * 1024


@cache
def masks(profile: str = "secrets") -> tuple[Mask, MaskText]:
    """The masks of a connection with this profile."""
    mask = _mask(Masker(KEY, profile))
    return mask, _mask_text(mask)


def conversation(
    subprotocol: str = "v5.channel.k8s.io",
    *,
    tty: bool = False,
    bytes_max: int = BYTES_MAX,
    subresource: str = "exec",
    profile: str = "secrets",
) -> Conversation:
    """One that masks with this profile."""
    return Conversation(subprotocol, *masks(profile), tty=tty, bytes_max=bytes_max, subresource=subresource)


def printed(talk: Conversation, *payloads: bytes, channel: int = 1, quiet: bool = False) -> list[Passing]:
    """What passes when a process prints these, one message each; `quiet`: with a pause behind each."""
    passings: list[Passing] = []
    for payload in payloads:
        passings += talk.take(False, bytes((channel,)) + payload, False)
        if quiet:
            passings += talk.quiet()
    return passings + talk.ended()


def typed(talk: Conversation, *payloads: bytes) -> list[Passing]:
    """What passes when the client types these, one message each."""
    return [passing for payload in payloads for passing in talk.take(True, b"\0" + payload, False)]


def seen(passings: list[Passing], channel: int = 1) -> bytes:
    """What the client gets on this channel."""
    return b"".join(p.data[1:] for p in passings if p.to_client and p.data and p.data[0] == channel)


def recorded(passings: list[Passing], channel: str) -> bytes:
    """What stands in the trail for this channel."""
    return b"".join(p.draft.body for p in passings if channel_of(p) == channel)


def channel_of(passing: Passing) -> str:
    """The channel that the frame names."""
    return attributes_of(passing)["k8s.channel"]


def attributes_of(passing: Passing) -> dict[str, str]:
    """The frame's own attributes."""
    attributes = passing.draft.facts["attributes"]
    assert isinstance(attributes, dict)
    return attributes
