"""When something was decided, and the id of the decision: the two fields that every record of a person's act has."""

from typing import NamedTuple


class Stamp(NamedTuple):
    """`id`: a UUIDv7 as text; `at`: UTC in microseconds."""

    id: str
    at: int
