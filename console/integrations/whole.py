"""All integrations of one console: their routes, and the one process among several that delivers."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import ClientSession
from starlette.routing import Route

from console.integrations.book import KafkaBook
from console.integrations.courier import Channel, Courier
from console.integrations.desk import DeskLike
from console.integrations.jira import JiraChannel, JiraNudges, JiraWatcher
from console.integrations.jira.api import JiraApi
from console.integrations.servicenow import ServiceNowChannel, ServiceNowNudges, ServiceNowWatcher
from console.integrations.servicenow.api import ServiceNowApi
from console.integrations.settings import (
    IntegrationSettings,
    Jira,
    ServiceNow,
    TeamsBot,
    TeamsWorkflow,
)
from console.integrations.slack import SlackChannel, SlackClicks
from console.integrations.teams import TeamsBotChannel, TeamsInvokes, TeamsWorkflowChannel
from console.integrations.tickets import Tickets, Watch
from console.integrations.webhooks import WebhookChannel, WebhookWords
from gateway.edge.announce import FINDINGS, Announcer
from schemas.kafka import KafkaAddress

log = structlog.get_logger("integrations")

Work = Callable[[], Awaitable[None]]


class Integrations:
    """One a process. `routes` are served beside the console's own, without its bearer tokens: each asks for the
    vendor's signature. `run` delivers while this process has the book."""

    def __init__(
        self, settings: IntegrationSettings, desk: DeskLike, http: ClientSession, kafka: KafkaAddress
    ) -> None:
        self._settings = settings
        self._desk = desk
        self._http = http
        self._book = KafkaBook(kafka)
        self._announcer = Announcer(kafka, topics=(FINDINGS,))
        self._routes: list[Route] = []
        self._work: list[Work] = []
        self._stops: list[Work] = []
        self._assemble()

    def routes(self) -> list[Route]:
        """All below `/integrations/`."""
        return list(self._routes)

    async def run(self) -> None:
        """Until cancelled."""
        if not self._work:
            return
        self._announcer.start()
        keeper = asyncio.create_task(self._book.run())
        try:
            while True:
                await self._book.opened.wait()
                await self._deliver()
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await asyncio.gather(*(stop() for stop in self._stops), return_exceptions=True)
            await self._announcer.stop()

    async def _deliver(self) -> None:
        """Until the book is another's. When a part fails for a reason that nobody foresaw, all begin again."""
        tasks = [asyncio.ensure_future(work()) for work in self._work]
        closed = asyncio.create_task(self._book.closed.wait())
        try:
            done, _ = await asyncio.wait([closed, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (closed, *tasks):
                task.cancel()
            await asyncio.gather(closed, *tasks, return_exceptions=True)
        for task in done - {closed}:
            if error := task.exception():
                log.error("integration_failed", error=type(error).__name__, exc_info=error)
                await asyncio.sleep(self._settings.retries.first_seconds)

    # -- putting it together

    def _assemble(self) -> None:
        settings, url, seconds = (
            self._settings,
            self._settings.public_url,
            self._settings.retries.timeout_seconds,
        )
        if settings.slack:
            clicks = SlackClicks(
                settings.slack, self._desk, self._http, public_url=url, timeout_seconds=seconds
            )
            self._routes += clicks.routes()
            self._stops.append(clicks.stop)
            self._send(SlackChannel(settings.slack, self._http, public_url=url, timeout_seconds=seconds))
        if settings.teams:
            self._teams(settings.teams, url, seconds)
        for hook in settings.webhooks:
            self._routes += WebhookWords(hook, self._desk).routes()
            self._send(WebhookChannel(hook, self._http, public_url=url, timeout_seconds=seconds))
        if settings.jira:
            self._jira(settings.jira, url, seconds)
        if settings.servicenow:
            self._servicenow(settings.servicenow, url, seconds)

    def _teams(self, settings: TeamsBot | TeamsWorkflow, url: str, seconds: float) -> None:
        if isinstance(settings, TeamsWorkflow):
            self._send(TeamsWorkflowChannel(settings, self._http, public_url=url, timeout_seconds=seconds))
            return
        self._routes += TeamsInvokes(settings, self._desk, public_url=url).routes()
        self._send(TeamsBotChannel(settings, self._http, public_url=url, timeout_seconds=seconds))

    def _jira(self, settings: Jira, url: str, seconds: float) -> None:
        api = JiraApi(settings, self._http, seconds)
        channel = JiraChannel(settings, api, public_url=url)
        tickets = Tickets(channel.name, self._desk, self._book, channel.whole)
        watch = self._watch(
            channel.name, JiraWatcher(settings, api, channel, tickets).look, settings.poll_seconds
        )
        self._routes += JiraNudges(settings, watch.nudge).routes()
        self._send(channel)

    def _servicenow(self, settings: ServiceNow, url: str, seconds: float) -> None:
        api = ServiceNowApi(settings, self._http, seconds)
        channel = ServiceNowChannel(settings, api, public_url=url)
        tickets = Tickets(channel.name, self._desk, self._book, channel.whole)
        watcher = ServiceNowWatcher(settings, api, channel, tickets)
        watch = self._watch(channel.name, watcher.look, settings.poll_seconds)
        self._routes += ServiceNowNudges(settings, watch.nudge).routes()
        self._send(channel)

    def _send(self, channel: Channel) -> None:
        """A courier has no memory of its own between two times that this process has the book."""
        self._work.append(lambda: self._courier(channel).run())

    def _courier(self, channel: Channel) -> Courier:
        return Courier(channel, self._desk, self._book, self._settings.retries, self._announcer.finding)

    def _watch(self, name: str, look: Work, seconds: float) -> Watch:
        watch = Watch(name, look, seconds, self._settings.retries, self._announcer.finding)
        self._work.append(watch.run)
        return watch
