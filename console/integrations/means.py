"""What all integrations of a process share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from console.integrations.book import Book
from console.integrations.metrics import Metrics
from console.integrations.settings import Retries
from schemas.findings import FindingRecord

Tell = Callable[[FindingRecord], Awaitable[bool]]
"""Raises a finding; False when nobody knows whether it is written."""


@dataclass(frozen=True, slots=True)
class Means:
    """The book, where findings go, what is counted, and how what fails is tried again."""

    book: Book
    raise_finding: Tell
    metrics: Metrics
    retries: Retries = field(default_factory=Retries)
