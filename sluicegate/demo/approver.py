"""Who decides on the calls that policy holds: somebody at the console's API, who logs in as the agent does."""

import asyncio
from typing import Any, Final

import httpx2

from sluicegate.demo.caller import Caller
from sluicegate.demo.story import AgentError, Log

SEEN_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.2


class Approver:
    """The person of this name at the console under `url`."""

    def __init__(self, name: str, url: str, log: Log) -> None:
        self._caller, self._log = Caller(name, url), log
        self._url = url

    async def decide(self, tool: str, verb: str, comment: str) -> None:
        """Decide on the call of `tool` that waits now. Raises AgentError when none comes, or it cannot be decided."""
        async with self._caller.http() as http:
            found = await self._waiting(http, tool)
            does = {"approve": "approves", "deny": "denies"}[verb]
            told = f"waits; {self._caller.name} (sre) sees the exact call and {does}"
            self._log(f"  [yellow]⏸[/] [bold]{tool}[/] {told}  [dim]{comment}[/]")
            word = {"verb": verb, "comment": comment, "digest": found["digest"]}
            answer = await http.post(f"{self._url}/api/approvals/{found['id']}/decision", json=word)
        if answer.status_code != 200:
            raise AgentError(f"the console took no decision: {answer.status_code} {answer.text[:200]}")

    async def _waiting(self, http: httpx2.AsyncClient, tool: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(SEEN_SECONDS):
                while True:
                    for found in await self._pending(http):
                        if found["call"] and found["tool"] == tool:
                            return found
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise AgentError(f"no call of {tool} came to wait for approval at {self._url}") from None

    async def _pending(self, http: httpx2.AsyncClient) -> list[dict[str, Any]]:
        answer = await http.get(f"{self._url}/api/approvals", params={"state": "pending", "mine": "true"})
        if answer.status_code != 200:
            raise AgentError(f"the console showed no approvals: {answer.status_code} {answer.text[:200]}")
        ids = [each["id"] for each in answer.json()["approvals"]]
        shown = [await http.get(f"{self._url}/api/approvals/{one}") for one in ids]
        return [each.json() for each in shown if each.status_code == 200]
