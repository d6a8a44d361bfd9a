"""Where a log goes on from, and what has to come out on the way. Pure: what was read back is given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from processors.checkpoints.log import Kept, Log
from processors.checkpoints.refusal import RefusedError
from schemas.merkle import Frontier


@dataclass(frozen=True, slots=True)
class Claim:
    """A tree head that `place` has. `final`: it was on the topic before; else it may never have got there."""

    place: str
    size: int
    root: bytes | None
    final: bool = True


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a log before a record is read: where leaf 0 is (None: there is no log yet), the size and all
    the roots on the topic, what the last owner left, and what others have."""

    base_offset: int | None
    published: int
    roots: tuple[tuple[int, bytes], ...] = ()
    intent: Kept | None = None
    claims: tuple[Claim, ...] = field(default=())


def opened(past: Past, low: int, end: int, trees: Sequence[Frontier], reread: int) -> Log | None:
    """The log that goes on from `past`, on a partition that has the offsets `low` until `end`. None: it can begin at
    none of `trees`, and one has to be made from the leaves on the topic. Raises RefusedError."""
    roots = _roots(past)
    base = _base(past, low)
    _check_claims(past)
    if end < base + max(roots, default=0):
        signed = max(roots)
        raise RefusedError(
            "smaller-end", f"offset {base + signed - 1} was signed, and the partition ends at {end}"
        )
    if low > base + past.published:
        raise RefusedError(
            "hole", f"offsets {base + past.published} to {low - 1} are gone and were never signed"
        )
    usable = [tree for tree in trees if tree.size <= past.published and base + tree.size >= low]
    if not past.published:
        usable = [Frontier()]
    if not usable:
        return None
    first = min(usable, key=lambda tree: tree.size)
    return Log(base, first, published=past.published, roots=roots, reread=reread)


def _base(past: Past, low: int) -> int:
    intended = past.intent.base_offset if past.intent else None
    if past.base_offset is None:
        return low if intended is None else intended
    if intended not in (None, past.base_offset):
        raise RefusedError(
            "forked", f"leaf 0 is offset {past.base_offset}, and its last owner began at {intended}"
        )
    return past.base_offset


def _roots(past: Past) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for size, root in _told(past):
        if found.setdefault(size, root) != root:
            raise RefusedError(
                "forked", f"{root.hex()} and {found[size].hex()} were signed for {size} leaves"
            )
    return found


def _told(past: Past) -> Iterable[tuple[int, bytes]]:
    yield from past.roots
    for claim in past.claims:
        if claim.root is not None:
            yield claim.size, claim.root
    if past.intent and past.intent.frontier.size:
        yield past.intent.frontier.size, past.intent.frontier.root()


def _check_claims(past: Past) -> None:
    claims = list(past.claims)
    if past.intent:
        claims.append(Claim("the last owner", past.intent.published, None))
    for claim in claims:
        if claim.final and claim.size > past.published:
            raise RefusedError(
                "rolled-back",
                f"the newest checkpoint on the topic has {past.published} leaves, and {claim.place} has one of"
                f" {claim.size}",
            )
