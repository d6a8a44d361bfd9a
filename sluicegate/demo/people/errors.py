"""What can go wrong: a file that is not ours, and a request that is not granted (answered by RFC 6749, 5.2)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

NOT_STORED = {"Cache-Control": "no-store"}


class UnusableFileError(Exception):
    """A file of the provider cannot be used. The message says where it lies and what to do."""


class OAuthError(Exception):
    """A request is not granted: an error code of OAuth, and what is wrong in words."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.description, self.status = error, description, status


async def oauth_error(request: Request, error: Exception) -> Response:
    """The answer to a program."""
    del request  # it is answered the same way wherever it went
    assert isinstance(error, OAuthError)
    content = {"error": error.error, "error_description": error.description}
    return JSONResponse(content, error.status, NOT_STORED)
