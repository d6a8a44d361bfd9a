"""The scripted person at a browser, before the demo's provider and before something else."""

from pathlib import Path

import pytest

from sluicegate.demo.browser import Browser
from sluicegate.demo.caller import Caller
from sluicegate.demo.story import AgentError
from tests.demo.people import people
from tests.demo.serving import served


async def test_who_has_no_button_cannot_log_in(tmp_path: Path) -> None:
    async with people(tmp_path) as provider:
        url = f"{provider.issuer}/authorize?client_id=unknown&state=secret"
        with pytest.raises(AgentError, match=r"no login page of the demo \(status 400\)") as raised:
            await Browser("alice").open(url)
    assert "secret" not in str(raised.value)


async def test_where_nobody_is_asked_nobody_logs_in() -> None:
    async with served() as url:
        caller = Caller("alice", url)
        async with caller.http() as http:
            await http.post(url, json={})
    assert not caller.logged_in
