"""Who sees what: roles by groups, connections by teams, and what is beyond them looks like nothing (ABUSE 85)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.web.roles import EVERY_ROLE, Role, roles_of, scope_of
from console.web.settings import OidcLogin, RoleGroups, Team
from gateway.settings import IdentitySettings, Issuer
from tests.console.conftest import Floor
from tests.console.web.serving import Served, acts_of, assert_page, served_web, web_settings
from tests.console.web.test_oidc import begin, come_back, lying
from tests.gateway.identity.minting import jwk, jwks, rsa_key

ROLES = RoleGroups(viewer=("dev",), auditor=("audit",), admin=("platform",))
TEAMS = (Team("one", ("dev", "ops"), ("tickets",)), Team("two", ("ops",), ("shop", "bank")))


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((), {Role.APPROVER}),
        (("dev",), {Role.VIEWER, Role.APPROVER}),
        (("audit",), {Role.AUDITOR, Role.VIEWER, Role.APPROVER}),
        (("platform",), EVERY_ROLE),
        (("DEV", "*", "dev "), {Role.APPROVER}),
    ],
)
def test_roles_come_from_groups_to_the_letter(groups: tuple[str, ...], expected: set[Role]) -> None:
    assert roles_of(groups, ROLES) == expected


def test_nobody_has_a_role_where_none_is_given() -> None:
    assert roles_of(("dev",), RoleGroups(approver=())) == frozenset()
    assert roles_of(("dev",), RoleGroups(approver=()), auditors=("dev",)) == {Role.AUDITOR, Role.VIEWER}


@pytest.mark.parametrize(
    ("groups", "roles", "expected"),
    [
        (("dev",), {Role.VIEWER}, ("tickets",)),
        (("ops",), {Role.VIEWER}, ("bank", "shop", "tickets")),
        (("other",), {Role.VIEWER}, ()),
        (("dev",), {Role.AUDITOR, Role.VIEWER}, None),
        (("other",), EVERY_ROLE, None),
    ],
)
def test_connections_come_from_teams(
    groups: tuple[str, ...], roles: frozenset[Role], expected: tuple[str, ...] | None
) -> None:
    assert scope_of(groups, roles, TEAMS) == expected
    assert scope_of(groups, roles, ()) is None


async def test_what_is_out_of_scope_looks_like_nothing_and_is_on_the_record(
    floor: Floor, tmp_path: Path
) -> None:
    roles, teams = RoleGroups(viewer=("sre",)), (Team("desk", ("sre",), ("tickets",)),)
    async with lying(floor, tmp_path, roles=roles, teams=teams) as (served, liar):
        browser = await begin(served, liar)
        assert (await come_back(browser, liar)).status == 204
        shown = await browser.get("/connections")
        assert_page(shown, 200, "Connections")
        assert "tickets.example.com" in shown.text
        assert "shop" not in shown.text
        theirs = await browser.get("/policy?connection=shop")
        nobodys = await browser.get("/policy?connection=nobodys")
        assert_page(theirs, 404, "There is no such connection")
        assert theirs.text.replace("connection=shop", "") == nobodys.text.replace("connection=nobodys", "")
        told = [await acts_of(floor, name, "trail.refused") for name in ("shop", "nobodys")]
        assert [json.loads(acts[-1]["detail"])["exists"] for acts in told] == [True, False]
        assert {acts[-1]["outcome"] for acts in told} == {"refused"}


async def test_nothing_is_shown_that_cannot_be_written_down(site: Served) -> None:
    browser = await site.at_terminal()
    assert "tickets.example.com" in (await browser.get("/connections")).text
    await site.console.desk.scribe.stop()
    page = await browser.get("/connections")
    assert_page(page, 503, "Kafka is away")
    assert "tickets.example.com" not in page.text


async def test_over_https_cookies_are_bound_to_the_host_and_browsers_stay_there(
    floor: Floor, tmp_path: Path
) -> None:
    public = "https://console.example.com"
    issuer = Issuer("people", "https://id.example.com", jwks_file=tmp_path / "keys")
    (tmp_path / "keys").write_text(json.dumps(jwks(jwk(rsa_key(), "k1"))))
    pages = web_settings(tmp_path, oidc=OidcLogin("people", "console"))
    async with served_web(floor, tmp_path, IdentitySettings("oidc", public, (issuer,)), pages) as served:
        assert served.console.web is not None
        site = served.console.web.site
        assert site.cookies.session == "__Host-sluicegate"
        page = await served.browser().get("/login")
        assert page.header("Strict-Transport-Security") == "max-age=31536000"
