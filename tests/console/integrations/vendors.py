"""What every vendor of these tests has: its server listens on loopback, can go away, come back, and be busy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class VendorServer:
    """`faults`: statuses (and Retry-After) that the next requests get instead of answers. `asked`: what came."""

    faults: list[tuple[int, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def routes(self) -> list[web.RouteDef]:
        """What the vendor documents."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listens; on the same port again after `stop`."""
        app = web.Application(middlewares=[self._middleware])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuses connections from now on."""
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def _middleware(self) -> Any:
        @web.middleware
        async def answer(request: web.Request, handler: Any) -> web.StreamResponse:
            self.asked.append(f"{request.method} {request.path}")
            if self.faults:
                status, retry_after = self.faults.pop(0)
                headers = {"Retry-After": retry_after} if retry_after else {}
                return web.Response(status=status, headers=headers)
            found: web.StreamResponse = await handler(request)
            return found

        return answer
