"""What a page of ours sends: a form, from our own origin, with the token of the viewer's session."""

import hmac
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from console.web.failures import Refusal

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 100
TOKEN = "csrf"
_TYPE = "application/x-www-form-urlencoded"


async def form_of(request: Request, origins: frozenset[str], most: int = BODY_BYTES_MAX) -> dict[str, str]:
    """The fields, each once, of a form that one of our own pages sent (`origins`). Raises Refusal."""
    check_origin(request, origins)
    return fields_of(request, await body_of(request, most))


def check_token(form: dict[str, str], csrf: str) -> None:
    """Takes the token off the form. Raises Refusal where it is not that of the session."""
    if not hmac.compare_digest(form.pop(TOKEN, "").encode(), csrf.encode()):
        raise Refusal(
            403,
            "This form is out of date",
            "It does not belong to your present login, so nothing was done.",
            "Go back, load the page anew, and send it again.",
        )


def check_origin(request: Request, origins: frozenset[str]) -> None:
    """A browser says where a form comes from; who sends forms without saying so is no browser of ours."""
    origin = request.headers.getlist("origin")
    site = request.headers.getlist("sec-fetch-site")
    if len(origin) != 1 or origin[0].casefold() not in origins or any(each != "same-origin" for each in site):
        raise Refusal(
            403,
            "This did not come from a page of ours",
            "Another site, or a program, sent this form. Nothing was done.",
            "Open the console by its own address, and try again there.",
        )


async def body_of(request: Request, most: int) -> bytes:
    """The whole body. Raises Refusal where it is larger than `most` bytes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise Refusal(413, "This is too much", f"A form has at most {most} bytes.", "Shorten the text.")
    return bytes(body)


def fields_of(request: Request, body: bytes) -> dict[str, str]:
    """A form's fields. Raises Refusal for what is no form, or names a field twice."""
    types = request.headers.getlist("content-type")
    if [each.partition(";")[0].strip().casefold() for each in types] != [_TYPE]:
        raise Refusal(415, "This is no form", f"Send {_TYPE}.")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            max_num_fields=FIELDS_MAX,
            errors="strict",
        )
    except ValueError:
        raise Refusal(400, "This form cannot be read", "It is cut or not UTF-8.") from None
    if len(dict(pairs)) != len(pairs):
        raise Refusal(400, "This form cannot be read", "It names a field twice.")
    return dict(pairs)


def own_origins(public_url: str, host: str) -> frozenset[str]:
    """Origins whose forms are ours: the public one, and the one that the browser spoke to."""
    parts = urlsplit(public_url)
    found = {f"{parts.scheme}://{parts.netloc}".casefold()} if parts.netloc else set()
    return frozenset(found | ({f"{parts.scheme or 'http'}://{host}".casefold()} if host else set()))
