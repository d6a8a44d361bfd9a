"""One session again: `/sessions/{id}` as a conversation, its exchanges one by one, two calls beside each other."""

from asyncio import gather, to_thread
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.failures import Refusal
from console.web.pages.replay_diff import Difference, difference
from console.web.pages.replay_exchange import FRAMES_SHOWN, View, view_of
from console.web.pages.replay_exports import Exports
from console.web.pages.replay_frames import FramePages
from console.web.pages.replay_items import SIGNS, Item, items
from console.web.pages.replay_lines import Layout
from console.web.pages.replay_looks import Looks
from console.web.pages.replay_reading import Trail
from console.web.site import Site
from console.web.viewer import Role, Viewer
from sinks.readers import Frame, FrameFilter, Session
from sinks.words import act

EXCHANGES_SHOWN = 500
OPEN_FRAMES = 12
FORMS = ("", "yaml")


def routes(site: Site) -> list[BaseRoute]:
    """All pages of a session, of its exchanges and of frames."""
    trail, looks = Trail(site), Looks(site)
    replay, frames, exports = Replay(site, trail, looks), FramePages(site, trail), Exports(site, trail)
    paths = {
        "/sessions/{id}": replay.session,
        "/sessions/{id}/compare": replay.compare,
        "/sessions/{id}/session.har": exports.har,
        "/sessions/{id}/session.jsonl": exports.jsonl,
        "/sessions/{id}/report.pdf": exports.pdf,
        "/sessions/{id}/exchanges/{exchange}": replay.exchange,
        "/sessions/{id}/exchanges/{exchange}/tree": replay.tree,
        "/sessions/{id}/exchanges/{exchange}/terminal.cast": exports.cast,
        "/frames/{id}": frames.show,
        "/frames/{id}/body": frames.body,
    }
    return [Route(path, page, methods=["GET"]) for path, page in paths.items()]


class Replay:
    """The pages."""

    def __init__(self, site: Site, trail: Trail, looks: Looks) -> None:
        self._site, self._trail, self._looks = site, trail, looks

    async def session(self, request: Request) -> Response:
        """GET /sessions/{id}: the first exchanges with their bodies, the others by their heads."""
        viewer = await self._site.viewer(request, Role.VIEWER)
        session = await self._trail.session(viewer, request.path_params["id"])
        await self._looks.session(viewer, session["session_id"])
        after = request.query_params.get("after", "")
        exchanges, opened, findings, approvals = await gather(
            self._trail.exchanges(viewer, session["session_id"], EXCHANGES_SHOWN, after),
            self._opened(viewer, session, after),
            self._trail.findings(viewer, session),
            self._trail.approvals(viewer, session),
        )
        first = int(number) if (number := request.query_params.get("from", "1")).isdecimal() else 1
        named = await self._trail.named(viewer, findings, opened)
        found = items(exchanges, named, min(first, 1_000_000_000))
        form = _form(request)
        views = await to_thread(lambda: {name: view_of(frames, form) for name, frames in opened.items()})
        return self._site.page(
            request,
            viewer,
            "replay/session.html",
            session=session,
            items=found,
            views=views,
            findings=findings,
            approvals={row["exchange_id"]: row for row in approvals},
            signs={name: [item for item in found if name in item.signs] for name in SIGNS},
            names=SIGNS,
            form=form,
            after=after,
            following=_following(found),
        )

    async def exchange(self, request: Request) -> Response:
        """GET /sessions/{id}/exchanges/{exchange}: alone as a page, or with `part=1` as a part of the session's."""
        viewer = await self._site.viewer(request, Role.VIEWER)
        session_id, exchange_id = request.path_params["id"], request.path_params["exchange"]
        frames = await self._trail.exchange(viewer, exchange_id, FRAMES_SHOWN + 1, session_id)
        await self._looks.part(viewer, session_id, exchange_id)
        part = request.query_params.get("part") == "1"
        view = await to_thread(view_of, frames, _form(request))
        return self._site.page(
            request,
            viewer,
            "replay/part.html" if part else "replay/exchange.html",
            session_id=session_id,
            id=exchange_id,
            view=view,
            title=" ".join(filter(None, act(frames[0]))) or frames[0]["http_method"],
            frame=frames[0],
            form=_form(request),
        )

    async def tree(self, request: Request) -> Response:
        """GET …/tree: what caused it, and what it caused, as far as the viewer may see."""
        viewer = await self._site.viewer(request, Role.VIEWER)
        session_id, exchange_id = request.path_params["id"], request.path_params["exchange"]
        await self._trail.exchange(viewer, exchange_id, 1, session_id)
        await self._looks.part(viewer, session_id, exchange_id)
        branches = await self._trail.reader.tree(exchange_id, viewer.connections)
        rows = [(branch, " ".join(filter(None, act(branch)))) for branch in branches]
        return self._site.page(
            request, viewer, "replay/tree.html", session_id=session_id, id=exchange_id, rows=rows
        )

    async def compare(self, request: Request) -> Response:
        """GET /sessions/{id}/compare?x=…&x=…: two calls, of this session or another one."""
        viewer = await self._site.viewer(request, Role.VIEWER)
        chosen = request.query_params.getlist("x")
        if len(chosen) != 2:
            raise Refusal(
                400,
                "Choose two calls",
                f"{len(chosen)} were chosen; exactly two are compared.",
                "Go back, tick two of them, and compare again.",
            )
        views: list[View] = []
        for exchange_id in chosen:
            frames = await self._trail.exchange(viewer, exchange_id, FRAMES_SHOWN)
            await self._looks.part(viewer, frames[0]["session_id"], exchange_id)
            views.append(await to_thread(view_of, frames, _form(request)))
        asked, answered = await to_thread(_differences, *views)
        return self._site.page(
            request,
            viewer,
            "replay/compare.html",
            session_id=request.path_params["id"],
            ids=chosen,
            views=views,
            asked=asked,
            answered=answered,
            form=_form(request),
        )

    async def _opened(self, viewer: Viewer, session: Session, after: str) -> dict[str, list[Frame]]:
        """The first frames of the session by exchange: what is seen at first sight. A page further on opens none."""
        if after:
            return {}
        wanted = FrameFilter(session=session["session_id"], connections=viewer.connections)
        frames = await self._trail.reader.frames(wanted, OPEN_FRAMES + 1)
        found: dict[str, list[Frame]] = {}
        for frame in islice(frames, OPEN_FRAMES):
            found.setdefault(frame["exchange_id"], []).append(frame)
        if len(frames) > OPEN_FRAMES:  # the last ones may go on behind what was read
            found = {name: rows for name, rows in found.items() if rows[-1]["outcome"] != "pending"}
        return found


def _differences(left: View, right: View) -> tuple[Difference, Difference]:
    """Between what was asked, and between what was answered."""
    asked = difference(_whole(left, asked=True), _whole(right, asked=True))
    return asked, difference(_whole(left, asked=False), _whole(right, asked=False))


def _whole(view: View, *, asked: bool) -> Layout:
    """All bodies of one side, one below the other."""
    shown = view.requests if asked else view.answers
    lines = [line for each in shown for line in each.body.layout.lines]
    return Layout("text", lines, next((each.body.cut for each in shown if each.body.cut), ""))


def _following(found: list[Item]) -> str:
    """The query of the next page; '' where this is the last."""
    if len(found) < EXCHANGES_SHOWN:
        return ""
    return f"?after={found[-1].id}&from={found[-1].number + 1}"


def _form(request: Request) -> str:
    form = request.query_params.get("as", "")
    return form if form in FORMS else ""
