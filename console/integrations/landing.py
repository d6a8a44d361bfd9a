"""Where the links of messages and tickets lead: a page that says how to see and decide the approval.

It tells nothing of the approval, not even whether there is one: whoever has a link is nobody in particular.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

PATH = "/approvals/{id:uuid}"
_TEXT = """\
Approval {id}

See it:     sluicegate approvals show {id}
Decide:     sluicegate approvals approve {id} --comment "…"
            sluicegate approvals deny {id} --comment "…"
By the API: GET /api/approvals/{id} with your bearer token; /api/openapi.json says the rest.
"""


def routes() -> list[Route]:
    """One."""
    return [Route(PATH, _show, methods=["GET"])]


async def _show(request: Request) -> Response:
    return PlainTextResponse(_TEXT.format(id=request.path_params["id"]))
