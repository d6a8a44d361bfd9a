"""Who gave a record's decision field the value that it has.

A record says who changed it last (sys_updated_by), not who changed what. That person decided when the record was seen
undecided and has changed once since (sys_mod_count); otherwise sys_audit is asked, where the user may read it; else
nobody is taken to have decided.
"""

from dataclasses import dataclass
from typing import Any

from console.integrations.reading import member, text
from console.integrations.servicenow.api import ServiceNowApi
from console.integrations.servicenow.channel import ServiceNowChannel
from console.integrations.settings import ServiceNow
from console.integrations.tickets import Found, Tickets
from schemas.deliveries import ApprovalDelivery

TOGETHER = 50


@dataclass(slots=True)
class _Seen:
    """`changes`: sys_mod_count when it was undecided last; `value` and `person`: of the decision that stands."""

    changes: int | None = None
    value: str = ""
    person: str = ""


class ServiceNowWatcher:
    """Looks at the records of approvals that wait."""

    def __init__(
        self, settings: ServiceNow, api: ServiceNowApi, channel: ServiceNowChannel, tickets: Tickets
    ) -> None:
        self._settings = settings
        self._verbs = {
            **dict.fromkeys(settings.approve_values, "approve"),
            **dict.fromkeys(settings.deny_values, "deny"),
        }
        self._api = api
        self._channel = channel
        self._tickets = tickets
        self._seen: dict[str, _Seen] = {}
        self._fields = (
            "sys_id",
            "correlation_id",
            "sys_created_by",
            "sys_updated_by",
            "sys_mod_count",
            "short_description",
            "description",
            settings.decision_field,
        )

    async def look(self) -> None:
        """Takes every word there is. Raises DeliveryError, CredentialError."""
        waiting = {entry["external_id"]: entry for entry in self._tickets.open()}
        self._seen = {sys_id: seen for sys_id, seen in self._seen.items() if sys_id in waiting}
        entries = list(waiting.values())
        for start in range(0, len(entries), TOGETHER):
            ids = ",".join(entry["approval_id"] for entry in entries[start : start + TOGETHER])
            query = f"correlation_idIN{ids}^ORDERBYsys_updated_on"
            for record in await self._api.query(self._settings.table, query, self._fields, 2 * TOGETHER):
                entry = waiting.get(text(record, "sys_id"))
                if entry and self._ours(record, entry):
                    await self._take(entry, record)

    async def _take(self, entry: ApprovalDelivery, record: Any) -> None:
        value, changes = text(record, self._settings.decision_field), _number(record, "sys_mod_count")
        seen = self._seen.setdefault(entry["external_id"], _Seen())
        verb = self._verbs.get(value)
        if verb is None:
            seen.changes, seen.value, seen.person = changes, "", ""
            return
        if seen.value != value or not seen.person:
            seen.person = await self._person(entry["external_id"], record, seen, value)
            seen.value = value
        standing = self._tickets.waiting(entry)
        if standing is None:
            return
        altered = _lines(record, "description") != self._channel.texts(standing)[1].strip()
        altered |= _lines(record, "short_description") != self._channel.texts(standing)[0].strip()
        comment = await self._comment(entry["external_id"], seen.person)
        found = Found(f"{value}:{seen.person}", verb, seen.person, comment, altered)
        if reply := await self._tickets.take(entry, found):
            said_last = await self._comment(entry["external_id"], self._settings.username)
            if said_last != reply.text:  # it may have been said before a restart
                await self._channel.comment(entry["place"], entry["external_id"], reply.text)
            self._tickets.told(entry)

    async def _person(self, sys_id: str, record: Any, seen: _Seen, value: str) -> str:
        if seen.changes is not None and _number(record, "sys_mod_count") == seen.changes + 1:
            return text(record, "sys_updated_by")
        query = (
            f"documentkey={sys_id}^fieldname={self._settings.decision_field}^newvalue={value}"
            "^ORDERBYDESCsys_created_on"
        )
        return text(await self._api.maybe("sys_audit", query, ("user",)), "user")

    async def _comment(self, sys_id: str, person: str) -> str:
        """The person's last one; '' too where the user may not read journals."""
        if not person or "^" in person:  # it would be more than a value of the query
            return ""
        query = (
            f"element_id={sys_id}^element={self._settings.comment_field}^sys_created_by={person}"
            "^ORDERBYDESCsys_created_on"
        )
        return text(await self._api.maybe("sys_journal_field", query, ("value",)), "value")

    def _ours(self, record: Any, entry: ApprovalDelivery) -> bool:
        """Only a record that we made for this approval says anything about it."""
        made = text(record, "sys_created_by").casefold() == self._settings.username.casefold()
        return made and text(record, "correlation_id") == entry["approval_id"]


def _number(record: Any, name: str) -> int | None:
    found = member(record, name)
    return int(found) if isinstance(found, str | int) and str(found).isdigit() else None


def _lines(record: Any, name: str) -> str:
    return text(record, name).replace("\r\n", "\n").strip()
