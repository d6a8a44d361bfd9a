"""Our own files: CSS, ES modules, pictures. Their URLs hold a hash over all of them, so browsers keep them for good,
and modules import each other by relative paths."""

from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from console.web.failures import Refusal

FOLDER = Path(__file__).parent / "static"
FOR_GOOD = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}


class StaticFiles:
    """Read once, held in memory."""

    def __init__(self, folder: Path = FOLDER) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
        self._files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        whole = sha256()
        for name, content in self._files.items():
            whole.update(b"%s\0%d\0%s" % (name.encode(), len(content), content))
        self.version = whole.hexdigest()[:16]

    def url(self, name: str) -> str:
        """Where a file is. Raises KeyError for one that is not there."""
        if name not in self._files:
            raise KeyError(f"there is no static file {name}")
        return f"/static/{self.version}/{name}"

    def routes(self) -> list[BaseRoute]:
        """One for all."""
        return [Route("/static/{version}/{name:path}", self._file, methods=["GET"])]

    async def _file(self, request: Request) -> Response:
        """A page of another version of ours gets the file too, but does not keep it: replicas are renewed in turn."""
        name = request.path_params["name"]
        if name not in self._files:
            raise Refusal(404, "There is no such file", "This console has no file of that name.")
        kept = FOR_GOOD if request.path_params["version"] == self.version else "no-cache"
        headers = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
        return Response(self._files[name], headers=headers, media_type=_TYPES[Path(name).suffix])
