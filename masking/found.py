"""A secret that was found: where it stands in a view, and how its pseudonym has to be written there.

A *view* is a `str` in which every character stands for one byte (Latin-1 over UTF-8). Offsets in a view are
byte offsets, so what Hyperscan reports and what `re` finds fit together without conversion.
"""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """`secret` is the decoded value (a view too); `lead` and `trail` are quotes the pseudonym needs here."""

    start: int
    end: int
    rule: str
    kind: str
    secret: str
    lead: str = ""
    trail: str = ""
    path: str = ""


def outermost(found: list[Found]) -> list[Found]:
    """Sorted by start, without overlap: of two that overlap the one that starts first and reaches
    furthest.
    """
    if len(found) < 2:
        return found
    kept: list[Found] = []
    for item in sorted(found, key=_widest_first):
        if not kept or item.start >= kept[-1].end:
            kept.append(item)
        elif item.end > kept[-1].end:
            kept[-1] = _joined(kept[-1], item)
    return kept


def _widest_first(item: Found) -> tuple[int, int]:
    return item.start, -item.end


def _joined(first: Found, second: Found) -> Found:
    secret = first.secret + second.secret[-(second.end - first.end) :]
    return first._replace(end=second.end, secret=secret, trail=second.trail if first.lead else "")


def quoted(view: str, item: Found, path: str) -> Found:
    """With this path, and with quotes where it is all of a plain scalar of YAML, since `[` begins a list there.

    Elsewhere the same signs (`name: value` on a line of its own) do no harm.
    """
    start, end, rule, kind, secret, lead, trail, _ = item
    if not lead and view[start - 1 : start] == " ":
        named = view[max(0, start - 40) : start].rstrip(" ")[-1:] in (":", "-")
        after = view[end : end + 2]
        if named and (not after or after[0] in "\r\n" or after == " #"):
            lead = trail = "'"
    return Found(start, end, rule, kind, secret, lead, trail, path)
