"""Approvals as records of a table: made by template, commented at each change, closed when settled."""

from console.integrations.channel import fits
from console.integrations.reading import text
from console.integrations.servicenow.api import ServiceNowApi
from console.integrations.settings import ServiceNow
from console.integrations.showing import bounded, status, values_of, view_of
from console.integrations.templates import checked, filled
from console.integrations.vendor import DeliveryError
from console.standing import Standing

SHORT_MAX = 160
TEXT_MAX = 4_000
"""What the fields hold as they come; what is longer would be cut there."""

ARGUMENTS_MAX = 2_500
OURS = "sluicegate"


class ServiceNowChannel:
    """See `channel.Channel`. Raises templates.TemplateError when it is made with a template that is none."""

    name = "servicenow"

    def __init__(self, settings: ServiceNow, api: ServiceNowApi, *, public_url: str = "") -> None:
        self._settings = settings
        self._api = api
        self._public_url = public_url
        self._short = checked(settings.short_description)
        self._description = checked(settings.description)

    def place(self, standing: Standing) -> str | None:
        """The table."""
        return self._settings.table if fits(self._settings.only, standing) else None

    def whole(self, standing: Standing) -> bool:
        """Whether a record shows all of the call."""
        fits_in = len(self._text(standing)) <= TEXT_MAX
        return fits_in and view_of(standing, "", ARGUMENTS_MAX).whole

    def texts(self, standing: Standing) -> tuple[str, str]:
        """Short description and description, as they were written."""
        values = values_of(standing, self._public_url)
        return bounded(filled(self._short, values), SHORT_MAX), self._text(standing)[:TEXT_MAX]

    async def find(self, standing: Standing, place: str) -> str:
        """By the correlation id, among the user's own records."""
        query = f"correlation_id={standing.approval_id}^sys_created_by={self._settings.username}"
        return text(await self._api.query(place, query, ("sys_id",), 1), 0, "sys_id")

    async def tell(self, standing: Standing, place: str) -> str:
        """The sys_id of the record."""
        short, description = self.texts(standing)
        record = {
            **self._settings.fields,
            "short_description": short,
            "description": description,
            "correlation_id": standing.approval_id,
            "correlation_display": OURS,
        }
        sys_id = (await self._api.insert(place, record)).text("result", "sys_id")
        if not sys_id:
            raise DeliveryError("ServiceNow did not say which record it made")
        return sys_id

    async def retell(self, standing: Standing, place: str, external_id: str) -> None:
        """One update: what changed as a comment, and the fields that the settings have for this state."""
        record = dict(self._settings.settled.get(standing.state, {}))
        record[self._settings.comment_field] = f"{status(standing)}."
        await self._api.update(place, external_id, record)

    async def comment(self, place: str, sys_id: str, words: str) -> None:
        """Into the record's journal."""
        await self._api.update(place, sys_id, {self._settings.comment_field: words})

    def _text(self, standing: Standing) -> str:
        """The template's text, and always what exactly is asked."""
        view = view_of(standing, self._public_url, ARGUMENTS_MAX)
        lines = [filled(self._description, values_of(standing, self._public_url)), ""]
        lines += [f"{name}: {said}" for name, said in view.facts]
        if view.arguments:
            lines += ["Arguments:", view.arguments]
        if not view.whole:
            lines.append("The arguments are longer than this; see all of them in the console.")
        return "\n".join([*lines, view.url] if view.url else lines)
