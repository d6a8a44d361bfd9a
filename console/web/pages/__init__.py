"""The pages, one module a subject, each with `routes(site)`. Whoever adds a module adds it here."""

from starlette.routing import BaseRoute

from console.web.pages import (
    connections,
    findings,
    health,
    home,
    inbox,
    looked,
    overview,
    policy,
    replay,
    sessions,
)
from console.web.site import Site

MODULES = (home, overview, health, sessions, replay, inbox, findings, connections, policy, looked)


def routes(site: Site) -> list[BaseRoute]:
    """Those of all pages."""
    return [route for module in MODULES for route in module.routes(site)]
