"""What a vendor does for the courier, and which approvals are for whom."""

from typing import Protocol

from console.integrations.settings import Only
from console.standing import Standing


class Channel(Protocol):
    """One vendor's way to tell people. All raise DeliveryError (or CredentialError) for what is to be tried again."""

    @property
    def name(self) -> str:
        """As the book and the metrics have it."""
        ...

    def place(self, standing: Standing) -> str | None:
        """Where this approval is told; None: not here."""
        ...

    async def find(self, standing: Standing, place: str) -> str:
        """The message of an earlier try that nobody knows the end of; '' when there is none, or no way to know."""
        ...

    async def tell(self, standing: Standing, place: str) -> str:
        """Tells; the vendor's name of the message."""
        ...

    async def retell(self, standing: Standing, place: str, external_id: str) -> None:
        """Brings that message up to date."""
        ...


def wanted(standing: Standing) -> bool:
    """Whether somebody has to do something."""
    return standing.state == "pending" or standing.review_due


def fits(only: Only, standing: Standing) -> bool:
    """Whether an approval is one of these."""
    asked = {reviewer for part in standing.request["quorum"] for reviewer in part["reviewers"]}
    return (not only.connections or standing.request["connection"] in only.connections) and (
        not only.reviewers or bool(asked.intersection(only.reviewers))
    )
