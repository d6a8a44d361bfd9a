"""The parts of all integrations that the settings ask for, put together: routes, and work that never ends."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import ClientSession
from starlette.routing import Route

from console.integrations import landing
from console.integrations.channel import Channel
from console.integrations.courier import Courier
from console.integrations.desk import DeskLike
from console.integrations.jira import JiraChannel, JiraWatcher, jira_nudges
from console.integrations.jira.api import JiraApi
from console.integrations.means import Means
from console.integrations.servicenow import ServiceNowChannel, ServiceNowWatcher, servicenow_nudges
from console.integrations.servicenow.api import ServiceNowApi
from console.integrations.settings import IntegrationSettings, Jira, ServiceNow, TeamsBot, TeamsWorkflow
from console.integrations.slack import SlackChannel, SlackClicks
from console.integrations.teams import TeamsBotChannel, TeamsInvokes, TeamsWorkflowChannel
from console.integrations.tickets import Tickets, Watch
from console.integrations.webhooks import WebhookChannel, WebhookWords

Work = Callable[[], Awaitable[None]]


class Parts:
    """`routes` take what vendors send; `work` is to run in one process at a time, as long as its book is open."""

    def __init__(
        self, settings: IntegrationSettings, desk: DeskLike, http: ClientSession, means: Means
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._http = http
        self._means = means
        self._metrics = means.metrics
        self.routes: list[Route] = []
        self.work: list[Work] = []
        self._stops: list[Work] = []
        self._assemble()

    async def stop(self) -> None:
        """Lets what is under way come to an end."""
        await asyncio.gather(*(stop() for stop in self._stops), return_exceptions=True)

    def _assemble(self) -> None:
        settings, url, seconds = (
            self._settings,
            self._settings.public_url,
            self._settings.retries.timeout_seconds,
        )
        if settings.slack:
            clicks = SlackClicks(
                settings.slack, self._desk, self._http, self._metrics, public_url=url, timeout_seconds=seconds
            )
            self.routes += clicks.routes()
            self._stops.append(clicks.stop)
            self._send(SlackChannel(settings.slack, self._http, public_url=url, timeout_seconds=seconds))
        if settings.teams:
            self._teams(settings.teams, url, seconds)
        for hook in settings.webhooks:
            self.routes += WebhookWords(hook, self._desk, self._metrics).routes()
            self._send(WebhookChannel(hook, self._http, public_url=url, timeout_seconds=seconds))
        if settings.jira:
            self._jira(settings.jira, url, seconds)
        if settings.servicenow:
            self._servicenow(settings.servicenow, url, seconds)
        if self.work and url:
            self.routes += landing.routes()

    def _teams(self, settings: TeamsBot | TeamsWorkflow, url: str, seconds: float) -> None:
        if isinstance(settings, TeamsWorkflow):
            self._send(TeamsWorkflowChannel(settings, self._http, public_url=url, timeout_seconds=seconds))
            return
        self.routes += TeamsInvokes(settings, self._desk, self._metrics, public_url=url).routes()
        self._send(TeamsBotChannel(settings, self._http, public_url=url, timeout_seconds=seconds))

    def _jira(self, settings: Jira, url: str, seconds: float) -> None:
        api = JiraApi(settings, self._http, seconds)
        channel = JiraChannel(settings, api, public_url=url)
        tickets = Tickets(channel.name, self._desk, self._means, channel.whole)
        watch = self._watch(
            channel.name, JiraWatcher(settings, api, channel, tickets).look, settings.poll_seconds
        )
        self.routes += jira_nudges(settings, watch.nudge, self._metrics).routes()
        self._send(channel)

    def _servicenow(self, settings: ServiceNow, url: str, seconds: float) -> None:
        api = ServiceNowApi(settings, self._http, seconds)
        channel = ServiceNowChannel(settings, api, public_url=url)
        tickets = Tickets(channel.name, self._desk, self._means, channel.whole)
        watcher = ServiceNowWatcher(settings, api, channel, tickets)
        watch = self._watch(channel.name, watcher.look, settings.poll_seconds)
        self.routes += servicenow_nudges(settings, watch.nudge, self._metrics).routes()
        self._send(channel)

    def _send(self, channel: Channel) -> None:
        """A courier has no memory of its own between two times that this process has the book."""
        self.work.append(lambda: self._courier(channel).run())

    def _courier(self, channel: Channel) -> Courier:
        return Courier(channel, self._desk, self._means)

    def _watch(self, name: str, look: Work, seconds: float) -> Watch:
        watch = Watch(name, look, seconds, self._means)
        self.work.append(watch.run)
        return watch
