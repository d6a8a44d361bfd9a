"""Who moved an issue into a status that decides, as Jira's changelog has it, and what that person commented last."""

from collections.abc import Iterator
from typing import Any

from console.integrations.jira.api import JiraApi, label_of
from console.integrations.jira.channel import JiraChannel
from console.integrations.jira.document import plain
from console.integrations.reading import items, member, text
from console.integrations.settings import Jira
from console.integrations.tickets import Found, Tickets
from schemas.deliveries import ApprovalDelivery

TOGETHER = 50
PAGE = 100
HISTORY_MAX = 2_000
TEXTS = ("summary", "description")
"""What a reviewer reads of an issue. Who changed it may have made another call of it."""


class JiraWatcher:
    """Looks at the issues of approvals that wait."""

    def __init__(self, settings: Jira, api: JiraApi, channel: JiraChannel, tickets: Tickets) -> None:
        self._project = settings.project
        self._verbs = {
            **dict.fromkeys((name.casefold() for name in settings.approve_statuses), "approve"),
            **dict.fromkeys((name.casefold() for name in settings.deny_statuses), "deny"),
        }
        self._api = api
        self._channel = channel
        self._tickets = tickets

    async def look(self) -> None:
        """Takes every word there is. Raises DeliveryError, CredentialError."""
        waiting = {entry["external_id"]: entry for entry in self._tickets.open()}
        entries = list(waiting.values())
        for start in range(0, len(entries), TOGETHER):
            some = entries[start : start + TOGETHER]
            names = ", ".join(f'"{label_of(entry["approval_id"])}"' for entry in some)
            jql = f'project = "{self._project}" AND labels in ({names})'
            for issue in await self._api.search(jql, ["status"], TOGETHER * 2):
                entry = waiting.get(text(issue, "key"))
                if entry and self._verb(issue):
                    await self._decide(entry)

    async def _decide(self, entry: ApprovalDelivery) -> None:
        found = await self._found(entry)
        reply = await self._tickets.take(entry, found) if found else None
        if reply is None:
            return
        if not await self._told(entry["external_id"], reply.text):
            await self._channel.comment(entry["external_id"], reply.text)
        self._tickets.told(entry)

    async def _found(self, entry: ApprovalDelivery) -> Found | None:
        """Read from the issue itself: search may be late. Only issues that we opened for this approval count."""
        key = entry["external_id"]
        issue = await self._api.find("issue", key, fields="status,labels,creator")
        if issue is None or issue.text("fields", "creator", "accountId") != await self._api.me():
            return None
        verb = self._verb(issue.document)
        if verb is None or label_of(entry["approval_id"]) not in issue.items("fields", "labels"):
            return None
        history = await self._history(key)
        status = text(issue.document, "fields", "status", "name")
        moved = [each for each in history if _moved_into(each, status)]
        if not moved:
            return None
        person, me = text(moved[-1], "author", "accountId"), await self._api.me()
        altered = any(
            text(each, "author", "accountId") != me for each in history if _fields(each) & set(TEXTS)
        )
        comment = await self._comment(key, person)
        return Found(text(moved[-1], "id"), verb, person, comment, altered)

    async def _history(self, key: str) -> list[Any]:
        """All changes, the oldest first."""
        found: list[Any] = []
        while len(found) < HISTORY_MAX:
            answer = await self._api.read(
                "issue", key, "changelog", startAt=str(len(found)), maxResults=str(PAGE)
            )
            page = answer.items("values")
            found += page
            if not page or answer.member("isLast") is True:
                break
        return found

    async def _comment(self, key: str, person: str) -> str:
        """The last one of that person."""
        for comment in await self._comments(key):
            if text(comment, "author", "accountId") == person:
                return plain(member(comment, "body"))
        return ""

    async def _told(self, key: str, words: str) -> bool:
        """Whether we said the same last, before a restart."""
        me = await self._api.me()
        own = [each for each in await self._comments(key) if text(each, "author", "accountId") == me]
        return bool(own) and plain(member(own[0], "body")) == words

    async def _comments(self, key: str) -> list[Any]:
        answer = await self._api.read("issue", key, "comment", orderBy="-created", maxResults="50")
        return answer.items("comments")

    def _verb(self, issue: Any) -> str | None:
        return self._verbs.get(text(issue, "fields", "status", "name").casefold())


def _moved_into(history: Any, status: str) -> bool:
    return any(
        text(item, "field") == "status" and text(item, "toString") == status for item in _items(history)
    )


def _fields(history: Any) -> set[str]:
    return {text(item, "field") for item in _items(history)}


def _items(history: Any) -> Iterator[Any]:
    yield from items(history, "items")
