"""`/frames/{id}`: one frame with its header lines and its exact bytes. Whoever looks at these is on the record."""

from starlette.requests import Request
from starlette.responses import Response

from console.web.headers import page_headers
from console.web.pages.replay_body import body_of, hex_lines, is_binary, raw_body
from console.web.pages.replay_lines import as_text
from console.web.pages.replay_marks import Marker
from console.web.pages.replay_reading import Trail
from console.web.site import Site
from console.web.viewer import Role
from sinks.readers import FrameDetail

HEX_BYTES_MAX = 16 * 1024
FACTS = (
    ("frame_id", "Frame"),
    ("exchange_id", "Exchange"),
    ("recorded_at", "Recorded"),
    ("direction", "Direction"),
    ("connection", "Connection"),
    ("principal", "Person"),
    ("peer", "From"),
    ("user_agent", "Client"),
    ("http_method", "HTTP method"),
    ("http_path", "Path"),
    ("http_status", "HTTP status"),
    ("content_type", "Content type"),
    ("mcp_protocol_version", "MCP revision"),
    ("mcp_session_id", "MCP session"),
    ("jsonrpc_id", "JSON-RPC id"),
    ("method", "Method"),
    ("tool", "Tool"),
    ("resource", "Resource"),
    ("verdict", "Verdict"),
    ("rule", "Rule"),
    ("reason", "Reason"),
    ("outcome", "Outcome"),
    ("body_bytes", "Bytes before masking"),
    ("lane", "Lane"),
    ("lane_seq", "Position in the lane"),
    ("prev_digest", "Digest before it"),
    ("digest", "Digest"),
    ("audit_digest", "Digest in the log"),
)


class FramePages:
    """The pages."""

    def __init__(self, site: Site, trail: Trail) -> None:
        self._site, self._trail = site, trail

    async def show(self, request: Request) -> Response:
        """GET /frames/{id}."""
        viewer = await self._site.viewer(request, Role.VIEWER)
        frame = await self._trail.frame(viewer, request.path_params["id"])
        await self._site.looked(viewer, "frame.bytes", frame["frame_id"], session=frame["session_id"])
        raw = raw_body(frame)
        masked = [each for each in frame["redactions"] if each["path"] == "http_headers"]
        headers = Marker(frame["http_headers"].encode(), masked)
        return self._site.page(
            request,
            viewer,
            "replay/frame.html",
            frame=frame,
            facts=_facts(frame),
            lines=as_text(headers.text.rstrip("\r\n"), headers).lines,
            body=body_of(frame),
            hexes=hex_lines(raw, HEX_BYTES_MAX),
            binary=is_binary(raw) if raw else False,
            size=len(raw),
            hex_max=HEX_BYTES_MAX,
        )

    async def body(self, request: Request) -> Response:
        """GET /frames/{id}/body: the masked body byte for byte, as a file that no browser opens by itself."""
        viewer = await self._site.viewer(request, Role.VIEWER)
        frame = await self._trail.frame(viewer, request.path_params["id"])
        await self._site.looked(viewer, "frame.download", frame["frame_id"], session=frame["session_id"])
        name = f'attachment; filename="frame-{frame["frame_id"]}.bin"'
        headers = {**page_headers(tls=self._site.tls), "Content-Disposition": name}
        return Response(raw_body(frame), headers=headers, media_type="application/octet-stream")


def _facts(frame: FrameDetail) -> list[tuple[str, object]]:
    """What is known of it, without what says nothing."""
    told = [(label, frame.get(name)) for name, label in FACTS]
    more = [(name, value) for name, value in sorted(frame["attributes"].items())]
    return [(label, value) for label, value in (*told, *more) if value not in ("", None, 0)]
