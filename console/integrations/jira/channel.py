"""Approvals as issues: opened by template, commented when something changes, closed when settled elsewhere."""

from console.integrations.channel import fits
from console.integrations.jira.api import LABEL, JiraApi, label_of
from console.integrations.jira.document import description, document, paragraph
from console.integrations.reading import text
from console.integrations.settings import Jira
from console.integrations.showing import bounded, status, values_of, view_of
from console.integrations.templates import checked, filled
from console.integrations.vendor import DeliveryError
from console.standing import Standing

SUMMARY_MAX = 250
ARGUMENTS_MAX = 20_000


class JiraChannel:
    """See `channel.Channel`. Raises templates.TemplateError when it is made with a template that is none."""

    name = "jira"

    def __init__(self, settings: Jira, api: JiraApi, *, public_url: str = "") -> None:
        self._settings = settings
        self._api = api
        self._public_url = public_url
        self._summary = checked(settings.summary)
        self._description = checked(settings.description)

    def place(self, standing: Standing) -> str | None:
        """The project."""
        return self._settings.project if fits(self._settings.only, standing) else None

    def whole(self, standing: Standing) -> bool:
        """Whether an issue shows all of the call."""
        return view_of(standing, "", ARGUMENTS_MAX).whole

    async def find(self, standing: Standing, place: str) -> str:
        """By the label that an issue of ours has from its beginning."""
        jql = (
            f'project = "{place}" AND labels = "{label_of(standing.approval_id)}" AND creator = currentUser()'
        )
        issues = await self._api.search(jql, ["status"], 1)
        return text(issues, 0, "key")

    async def tell(self, standing: Standing, place: str) -> str:
        """The key of the issue."""
        view = view_of(standing, self._public_url, ARGUMENTS_MAX)
        values = values_of(standing, self._public_url)
        further = dict(self._settings.fields)
        labels = further.pop("labels", [])
        fields = {
            **further,
            "project": {"key": place},
            "issuetype": {"name": self._settings.issue_type},
            "summary": bounded(filled(self._summary, values), SUMMARY_MAX),
            "description": description(filled(self._description, values), view),
            "labels": [*(labels if isinstance(labels, list) else []), LABEL, label_of(standing.approval_id)],
        }
        key = (await self._api.write("issue", document={"fields": fields})).text("key")
        if not key:
            raise DeliveryError("Jira did not say which issue it made")
        return key

    async def retell(self, standing: Standing, place: str, external_id: str) -> None:  # noqa: ARG002
        """Moves the issue where the settings say so, and comments it. An issue that is gone needs neither."""
        issue = await self._api.find("issue", external_id, fields="status")
        if issue is None:
            return
        wanted = self._settings.settled.get(standing.state)
        if wanted:
            await self._move(external_id, wanted)
        await self.comment(external_id, f"{status(standing)}.")

    async def comment(self, key: str, words: str) -> None:
        """Under the issue, for everybody who sees it."""
        await self._api.write("issue", key, "comment", document={"body": document(paragraph(words))})

    async def _move(self, key: str, name: str) -> None:
        """By the transition of that name, when there is one from where the issue stands."""
        answer = await self._api.read("issue", key, "transitions")
        for transition in answer.items("transitions"):
            if text(transition, "name").casefold() == name.casefold():
                moving = {"transition": {"id": text(transition, "id")}}
                await self._api.write("issue", key, "transitions", document=moving)
                return
