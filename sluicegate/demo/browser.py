"""A person at a browser, as far as the demo's login page goes: opens it, presses a button, goes back."""

from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from mcp.shared.auth import AuthorizationCodeResult

from sluicegate.demo.story import AgentError

CALLBACK = "http://127.0.0.1:1/callback"
"""Where the browser is sent back to; it reads the address and does not go there."""


class Browser:
    """Answers login pages as the person of this name. `logins` counts how often they were asked."""

    def __init__(self, person: str) -> None:
        self.logins = 0
        self._person = person
        self._went_back = ""

    async def open(self, url: str) -> None:
        """Log in on the page at `url`. Raises AgentError when it is not the demo's."""
        self.logins += 1
        async with httpx2.AsyncClient(timeout=10.0) as http:
            page = await http.get(url)
            form = Form(page.text)
            if self._person not in form.buttons:
                raise AgentError(
                    f"{_place(url)} is no login page of the demo (status {page.status_code}): it has no button "
                    f"for {self._person}"
                )
            pressed = await http.post(urljoin(url, form.action), data={**form.hidden, "person": self._person})
        self._went_back = pressed.headers.get("location", "")
        if not self._went_back.startswith(CALLBACK):
            raise AgentError(f"{_place(url)} sent the browser elsewhere after the login")

    async def went_back(self) -> AuthorizationCodeResult:
        """What the program is told by the address that the browser was sent back to."""
        said = {name: values[0] for name, values in parse_qs(urlsplit(self._went_back).query).items()}
        return AuthorizationCodeResult(
            code=said.get("code", ""), state=said.get("state"), iss=said.get("iss")
        )


class Form(HTMLParser):
    """The form of a page: where it goes, what it holds, and the buttons called `person`."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.buttons: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for each tag."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden[given.get("name", "")] = given.get("value", "")
        elif tag == "button" and given.get("name") == "person":
            self.buttons.add(given.get("value", ""))


def _place(url: str) -> str:
    """The URL without its query, which holds what is not for logs."""
    return url.partition("?")[0]
