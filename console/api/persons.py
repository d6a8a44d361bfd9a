"""Who asks, and who there is."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.api.callers import Callers
from console.api.reading import check_names
from console.api.shapes import delegation, person
from console.desk import Desk


class Persons:
    """Two operations."""

    def __init__(self, desk: Desk, callers: Callers) -> None:
        self._desk, self._callers = desk, callers

    async def me(self, request: Request) -> Response:
        """GET /api/me: who the caller is, and what waits for that person."""
        caller = await self._callers.caller(request)
        check_names(request, ())
        held = self._desk.sight(caller.person).held
        return JSONResponse(
            {
                **person(caller.person),
                "auditor": caller.auditor,
                "revoker": caller.revoker,
                "waiting": len(self._desk.standings(reviewer=caller.person)),
                "held": [delegation(given) for given in held],
            }
        )

    async def people(self, request: Request) -> Response:
        """GET /api/people: everybody who is configured, to choose whom to delegate to."""
        await self._callers.caller(request)
        check_names(request, ())
        return JSONResponse({"people": [person(each) for each in self._desk.people.people()]})
