"""A person at a browser, as far as a login page goes: opens a page, fills in its form, follows to the callback."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp
from yarl import URL

STEPS_MAX = 10


class BrowserError(Exception):
    """The pages did not lead to the callback; the text says where it ended."""


@dataclass
class Form:
    """The first form of a page: where it goes, and what it holds already."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def form_on(page: str) -> Form | None:
    """The first form on a page that is posted; None when there is none."""
    parser = _Forms()
    parser.feed(page)
    return parser.found


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: Form | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and self.found is None and given.get("method", "").lower() == "post":
            self.found, self._inside = Form(given.get("action", "")), True
        elif self._inside and self.found and _is_sent(tag, given):
            self.found.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def _is_sent(tag: str, given: dict[str, str]) -> bool:
    """Whether a form sends it when nobody ticks anything."""
    return tag in ("input", "button") and bool(given.get("name")) and given.get("type") != "checkbox"


async def logged_in(url: str, callback: str, answers: dict[str, str]) -> dict[str, str]:
    """Opens `url`, answers each form with `answers`; gives the parameters that `callback` is called with.

    Raises BrowserError when a page has no form, or the callback is not reached.
    """
    # A browser keeps cookies of an address, and secure ones of loopback over http too
    jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=str(URL(url).origin()))
    async with aiohttp.ClientSession(cookie_jar=jar) as session:
        method, data = "GET", None
        for _ in range(STEPS_MAX):
            async with session.request(method, url, data=data, allow_redirects=False) as answer:
                page, location = await answer.text(), answer.headers.get("location")
            if location is not None:
                url, method, data = urljoin(url, location), "GET", None
                if url.startswith(callback):
                    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
                continue
            form = form_on(page)
            if form is None:
                raise BrowserError(f"{urlsplit(url).path} answered {answer.status} without a form")
            url, method, data = urljoin(url, form.action), "POST", form.fields | answers
    raise BrowserError(f"{callback} was not reached within {STEPS_MAX} pages")
