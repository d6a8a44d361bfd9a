"""Where links lead, and what a console serves for vendors that it has nothing to do with."""

from __future__ import annotations

from console.integrations.settings import IntegrationSettings, Webhook
from gateway.settings import SecretSource
from tests.console.integrations.conftest import PUBLIC_URL, QUICK, Stage

HOOK = Webhook("bus", (SecretSource(env="NOT_SET"),))


async def test_a_link_leads_to_what_to_do_and_tells_nothing_of_the_approval(stage: Stage) -> None:
    approval = stage.desk.ask()
    settings = IntegrationSettings(PUBLIC_URL, webhooks=(HOOK,), retries=QUICK)
    async with stage.running(settings) as console:
        pages = []
        for name in (approval, "0190a8c0-0000-7000-8000-00000000ffff"):
            async with stage.http.get(f"{console}/approvals/{name}") as response:
                assert (response.status, response.content_type) == (200, "text/plain")
                pages.append((await response.text()).replace(name, "ID"))
        assert pages[0] == pages[1]
        assert "sluicegate approvals show ID" in pages[0]
        async with stage.http.get(f"{console}/approvals/<script>") as response:
            assert response.status == 404


async def test_nothing_is_served_for_what_is_not_configured(stage: Stage) -> None:
    async with stage.running(IntegrationSettings(PUBLIC_URL)) as console:
        for path in ("slack", "teams", "jira", "servicenow", "webhooks/bus"):
            async with stage.http.post(f"{console}/integrations/{path}") as response:
                assert response.status == 404
