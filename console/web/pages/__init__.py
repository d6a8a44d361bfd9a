"""The pages, one module a subject, each with `routes(site)`. Whoever adds a module adds it here."""

from starlette.routing import BaseRoute

from console.web.pages import home
from console.web.site import Site

MODULES = (home,)


def routes(site: Site) -> list[BaseRoute]:
    """Those of all pages."""
    return [route for module in MODULES for route in module.routes(site)]
