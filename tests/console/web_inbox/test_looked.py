"""Who looked at what, and what changed in rules: from the trail itself, for those who may see it."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4

from gateway.edge.announce import Announcer, stamp
from schemas.admin import GATEWAY, Actor, admin_record, admin_value
from schemas.control import policy_in_force
from tests.console.web.browsing import Browser, Page
from tests.console.web.serving import assert_page
from tests.console.web_inbox.conftest import Desk
from tests.processors.approvals.making import ISSUER
from tests.processors.trail import fill, until

EVIL = '<img src=x onerror="alert(1)">\u202egpj.exe\x1b[2J'


async def comes(browser: Browser, path: str, text: str) -> Page:
    """The page once it says `text`: the store takes a moment."""
    found: list[Page] = []

    async def there() -> bool:
        found[:] = [await browser.get(path)]
        return text in found[0].text

    await until(there, 60)
    return found[0]


async def test_an_auditor_sees_what_somebody_looked_at_and_nobody_else_does(desk: Desk) -> None:
    name = f"vera-{uuid4().hex[:6]}"
    vera, auditor = desk.as_(name, "viewers"), desk.as_("otto", "auditors")
    assert (await vera.get("/connections")).status == 200
    page = await comes(auditor, f"/looked?actor={name}", "connections.view")
    assert_page(page, 200, "Who looked at what")
    assert_page(await vera.get("/looked"), 403, "Your role does not allow this")
    assert "admin.view" in (await comes(auditor, "/looked?actor=otto", "admin.view")).text, "that, too"
    nothing = await auditor.get(f"/looked?actor={name}&action=session.kill")
    assert "Nothing fits" in nothing.text


async def test_what_was_looked_for_is_shown_and_cannot_act(desk: Desk) -> None:
    name = f"mallory-{uuid4().hex[:6]}"
    mallory, auditor = desk.as_(name, "viewers"), desk.as_("otto", "auditors")
    await mallory.get(f"/policy?connection={quote(EVIL)}")
    await mallory.get(f"/sessions?text={quote(EVIL)}")
    page = await comes(auditor, f"/looked?actor={name}", "session.search")
    assert "&lt;img src=x" in page.text
    assert "<img src=x" not in page.text
    assert not {"\u202e", "\x1b"} & set(page.text)
    assert "U+202E" in page.text


async def test_the_pages_of_a_long_list_follow_each_other(desk: Desk) -> None:
    name, auditor = f"paul-{uuid4().hex[:6]}", desk.as_("otto", "auditors")
    paul = Actor("console", name, ISSUER)
    made = [admin_record(stamp(), paul, "connections.view", "connections", "done") for _ in range(101)]
    await fill(desk.floor.broker, "admin", [(0, name.encode(), admin_value(record)) for record in made])
    first = await comes(auditor, f"/looked?actor={name}", "Next page")
    assert first.text.count('<td class="mono">connections.view</td>') == 100
    following = next(part.split('"')[0] for part in first.text.split('href="') if "before=" in part)
    second = await auditor.get(following.replace("&amp;", "&"))
    assert second.text.count('<td class="mono">connections.view</td>') == 1


async def test_what_changed_between_two_versions_of_rules_is_shown(desk: Desk) -> None:
    connection, texts = f"shop-{uuid4().hex[:6]}", ("default: allow\n", 'default: deny  # "<b>"\n')
    announcer = Announcer(desk.floor.kafka)
    announcer.start()
    for number, text in enumerate(texts):
        version = f"{number}" * 64
        detail = {"version": version, "problems": [], "rules": text}
        record = admin_record(stamp(), GATEWAY, "policy.load", connection, "done", detail=detail)
        assert await announcer.admin(record)
        force = policy_in_force(stamp(), connection, version, by="gateway")
        assert await announcer.control(force["target"], force)
    await announcer.stop()
    viewer = desk.as_("vera", "viewers")
    page = await comes(viewer, f"/policy?connection={connection}", 'class="gone"')
    assert '<code class="gone">-default: allow</code>' in page.text
    assert '<code class="added">+default: deny  # &#34;&lt;b&gt;&#34;</code>' in page.text
    assert connection in (await viewer.get("/policy")).text
