"""A browser without a screen: keeps cookies, says where forms come from, follows redirects, finds forms and links."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urljoin, urlsplit

import aiohttp

REDIRECTS_MAX = 10


@dataclass
class Form:
    """A form of a page: where it goes, and its fields with what stands in them."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class Page:
    """What came back in the end."""

    url: str
    status: int
    text: str
    headers: list[tuple[str, str]]

    def header(self, name: str) -> str:
        """The only value of a header; fails where there are more."""
        found = [value for key, value in self.headers if key.casefold() == name.casefold()]
        assert len(found) <= 1, (name, found)
        return found[0] if found else ""

    @property
    def path(self) -> str:
        """Where the browser ended."""
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def title(self) -> str:
        """The page's."""
        found = re.search(r"<title>(.*?)</title>", self.text, re.DOTALL)
        return found[1].strip() if found else ""

    def forms(self) -> list[Form]:
        """In their order."""
        reading = _Forms()
        reading.feed(self.text)
        return reading.forms

    def form(self, action: str) -> Form:
        """The one that goes to `action`."""
        return next(form for form in self.forms() if form.action == action)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(said.get("action", ""), said.get("method", "get")))
        elif tag in ("input", "button") and self.forms and said.get("name"):
            self.forms[-1].fields[said["name"]] = said.get("value", "")


@dataclass
class Browser:
    """One person's. `base` is the console; cookies are kept by host alone, as ours are for a host."""

    http: aiohttp.ClientSession
    base: str
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    async def get(self, path: str, **headers: str) -> Page:
        """A person goes to an address."""
        return await self._navigate("GET", urljoin(self.base, path), None, headers)

    async def post(
        self, path: str, fields: dict[str, str], origin: str | None = None, **headers: str
    ) -> Page:
        """A form is sent; by a page of ours unless another `origin` is named ('' sends none)."""
        url = urljoin(self.base, path)
        if origin is None:
            origin = self.base
        if origin:
            headers["Origin"] = origin
        headers.setdefault("Sec-Fetch-Site", "same-origin" if origin == self.base else "cross-site")
        return await self._navigate("POST", url, fields, headers)

    async def send(self, form: Form, **changes: str) -> Page:
        """A form of a page as it stands, with changes."""
        return await self.post(form.action, {**form.fields, **changes})

    async def _navigate(
        self, method: str, url: str, fields: dict[str, str] | None, headers: dict[str, str]
    ) -> Page:
        usual = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
        named = {**usual, **{key.replace("_", "-"): value for key, value in headers.items()}}
        for _ in range(REDIRECTS_MAX):
            sent = {**named, "Cookie": "; ".join(f"{k}={v}" for k, v in self._jar(url).items())}
            async with self.http.request(
                method, url, data=fields, headers=sent, allow_redirects=False
            ) as answer:
                self._keep(url, answer.headers.getall("Set-Cookie", []))
                page = Page(url, answer.status, await answer.text(), list(answer.headers.items()))
            if answer.status not in (302, 303, 307):
                return page
            url, method, fields = urljoin(url, answer.headers["Location"]), "GET", None
            named = usual
        raise AssertionError(f"the browser is sent on and on, at last to {url}")

    def _jar(self, url: str) -> dict[str, str]:
        return self.cookies.setdefault(urlsplit(url).netloc, {})

    def _keep(self, url: str, lines: list[str]) -> None:
        for line in lines:
            self.set_cookies.append(line)
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self._jar(url).pop(name, None)
                else:
                    self._jar(url)[name] = morsel.value
