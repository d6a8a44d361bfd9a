"""The scripted person at a browser does what a person does: no more than fill in the form."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.keycloak.browser import BrowserError, form_on, logged_in

CALLBACK = "http://127.0.0.1:1/callback"
PAGE = """<form action="/search"><input name="q"></form>
<form id="login" method="post" action="/login?a=1&amp;b=2">
  <input name="username"><input name="password" type="password"><input type="hidden" name="tab" value="7">
  <input type="checkbox" name="remember" value="on"><button name="login" value="yes">Log in</button>
</form><input name="outside">"""


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """A login page that sets a cookie and wants it back."""

    async def page(_: web.Request) -> web.Response:
        response = web.Response(text=PAGE, content_type="text/html")
        response.set_cookie("session", "s1", secure=True)
        return response

    async def login(request: web.Request) -> web.Response:
        form = await request.post()
        if request.cookies.get("session") != "s1" or form.get("password") != "right":
            return web.Response(status=400, text="no")
        return web.Response(status=302, headers={"Location": f"{CALLBACK}?code=c1&state={form['tab']}"})

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_post("/login", login)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


def test_the_form_that_is_posted_is_found_with_what_it_holds() -> None:
    form = form_on(PAGE)
    assert form is not None
    assert form.action == "/login?a=1&b=2"
    assert form.fields == {"username": "", "password": "", "tab": "7", "login": "yes"}
    assert form_on("<p>nothing to fill in</p>") is None


async def test_a_login_ends_at_the_callback_with_its_parameters(site: str) -> None:
    assert await logged_in(site, CALLBACK, {"username": "alice", "password": "right"}) == {
        "code": "c1",
        "state": "7",
    }


async def test_a_login_that_is_refused_says_where_it_ended(site: str) -> None:
    with pytest.raises(BrowserError, match="/login answered 400"):
        await logged_in(site, CALLBACK, {"username": "alice", "password": "wrong"})
