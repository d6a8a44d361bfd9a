"""Where a login leads to: the overview is for viewers; who only approves goes to what waits."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.roles import Role
from console.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """One."""

    async def home(request: Request) -> Response:
        viewer = await site.viewer(request)
        return site.elsewhere("/overview" if viewer.may(Role.VIEWER) else "/approvals")

    return [Route("/", home, methods=["GET"])]
