"""What an export is made of: rows of the trail in one order, each with a time and an id by which it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sinks.spans import moment

Kind = Literal["exchanges", "findings", "admin", "frames"]
EVENTS: tuple[Kind, ...] = ("exchanges", "findings", "admin")
"""What has a form in the languages of events; `frames` go out as rows alone."""


class Place(NamedTuple):
    """Up to where one kind was given out: the time (ISO) and the id of its last row; ('', '') before the first."""

    at: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One row. `at`: when an exchange ended, a finding was seen last, an act was done,
    a frame was recorded."""

    kind: Kind
    at: str
    id: str
    row: Mapping[str, Any]

    @property
    def place(self) -> Place:
        """Where an export goes on after it."""
        return Place(self.at, self.id)

    @property
    def day(self) -> str:
        """The day (UTC), `2026-11-21`."""
        return self.at[:10]

    @property
    def link(self) -> str:
        """Where the console shows it, below its public URL."""
        if self.kind == "exchanges":
            return f"/sessions/{self.row['session_id']}#{self.id}"
        return f"/findings/{self.id}" if self.kind == "findings" else "/looked"


def asked(row: Mapping[str, Any]) -> str:
    """What an exchange asked for, as its name: a tool, verb and resource of Kubernetes, or a method."""
    attributes = row["attributes"]
    verb, resource = attributes.get("k8s.verb", ""), attributes.get("k8s.objectRef.resource", "")
    return row["tool"] or f"{verb} {resource}".strip() or row["method"] or row["http_method"]


def refused(row: Mapping[str, Any]) -> bool:
    """Whether policy kept an exchange from happening: denied, or held and not approved."""
    return row["verdict"] in ("deny", "hold") and row["outcome"] == "refused"


def millis(iso: str) -> int:
    """Milliseconds since 1970 of an ISO time (UTC where it says nothing)."""
    return round(moment(iso).timestamp() * 1_000)


def host_and_port(peer: str) -> tuple[str, int | None]:
    """`127.0.0.1:5000` or `[::1]:5000` apart; a name alone has no port."""
    host, colon, port = peer.rpartition(":")
    if not colon or not port.isdecimal():
        return peer, None
    return host.strip("[]"), int(port)
