"""Watches the board, gives what is due to the services, and writes down how it went. One message a URL at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import structlog

from processors.alerts.board import Board, Parcel
from processors.alerts.delivery import deliver
from processors.alerts.metrics import AlertMetrics
from processors.alerts.rows import Target
from processors.alerts.settings import AlertSettings
from processors.alerts.text import message_of
from processors.outlet import Outlet
from processors.records import Outgoing
from schemas.alerts import AlertAttempt, attempt_value

ATTEMPTS = "alerts.attempts"
WATCH_SECONDS = 0.1
GRACE_SECONDS = 2.0
UNREAD_SECONDS = 30.0  # another worker may have read it while the partition was there
THREADS_MAX = 16

log = structlog.get_logger(__name__)


class Postman:
    """Delivers for one worker. `board` gives the board once all attempts so far are on it; None before that."""

    def __init__(
        self,
        settings: AlertSettings,
        outlet: Outlet,
        board: Callable[[], Awaitable[Board | None]],
        metrics: AlertMetrics,
        now: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._outlet = outlet
        self._board = board
        self._metrics = metrics
        self._now = now
        self._urls = {route.name: route.urls for route in settings.routes}
        self._away: dict[Target, asyncio.Task[None]] = {}
        self._hung: dict[Target, asyncio.Future[str]] = {}
        self._unread: dict[Target, tuple[str, float]] = {}
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="alerts")

    async def watch(self, stop: asyncio.Event) -> None:
        """Until `stop`, and until what is on its way then is written down.

        Raises KafkaError when an attempt cannot be written down: the worker starts again then.
        """
        try:
            while not stop.is_set():
                await self._send_due()
                try:
                    await asyncio.wait_for(stop.wait(), WATCH_SECONDS)
                except TimeoutError:
                    continue
            await asyncio.gather(*self._away.values())
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def applied(self, attempt: AlertAttempt) -> None:
        """The board knows of an attempt: its URL may be told something again."""
        target = Target(attempt["route"], attempt["url"])
        if self._unread.get(target, ("", 0.0))[0] == attempt["attempt_id"]:
            del self._unread[target]

    async def _send_due(self) -> None:
        board = await self._board()
        busy = self._busy()
        for parcel in board.due(self._now()) if board is not None else ():
            if parcel.target not in busy:
                self._away[parcel.target] = asyncio.create_task(self._bring(parcel))

    def _busy(self) -> set[Target]:
        """URLs with a message on its way, or whose last one the board does not know of yet."""
        for target, task in list(self._away.items()):
            if task.done():
                del self._away[target]
                task.result()
        self._hung = {target: late for target, late in self._hung.items() if not late.done()}
        now = time.monotonic()
        self._unread = {
            target: sent for target, sent in self._unread.items() if now - sent[1] < UNREAD_SECONDS
        }
        return self._away.keys() | self._hung.keys() | self._unread.keys()

    async def _bring(self, parcel: Parcel) -> None:
        started = time.monotonic()
        fault = await self._delivered(parcel)
        took = time.monotonic() - started
        target, outcome = parcel.target, "failed" if fault else "delivered"
        self._metrics.seconds.observe(took)
        self._metrics.attempts.labels(target.route, outcome).inc()
        attempt: AlertAttempt = {
            "attempt_id": str(uuid4()),
            "at": self._now(),
            "made_at": parcel.made_at,
            "route": target.route,
            "url": target.url,
            "letters": parcel.told(),
            "outcome": "failed" if fault else "delivered",
            "fault": fault,
        }
        log.log(
            30 if fault else 20,
            "alert_" + outcome,
            route=target.route,
            url=target.url,
            letters=len(parcel.letters),
            fault=fault,
        )
        self._unread[target] = (attempt["attempt_id"], time.monotonic())
        await self._outlet.send([Outgoing(ATTEMPTS, 0, target.route.encode(), attempt_value(attempt))])

    async def _delivered(self, parcel: Parcel) -> str:
        """'' or why not. A thread that does not end in time is left behind, and its URL rests until it does."""
        url = self._urls[parcel.target.route][parcel.target.url]
        seconds = self._settings.attempt_seconds
        loop = asyncio.get_running_loop()
        going = loop.run_in_executor(self._threads, deliver, url, message_of(parcel), seconds)
        done, _ = await asyncio.wait([going], timeout=seconds + GRACE_SECONDS)
        if done:
            return going.result()
        self._hung[parcel.target] = going
        return f"the service did not answer within {seconds + GRACE_SECONDS:.0f} s"
