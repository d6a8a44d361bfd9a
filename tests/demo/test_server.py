"""The demo's server, spoken to by the official client in both protocol eras."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
import yaml
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from sluicegate.demo.seed import seeded
from tests.demo.serving import ERAS, served

READ_ONLY = {
    "namespaces_list",
    "pods_list",
    "pods_log",
    "resources_list",
    "resources_get",
    "secret_read",
    "diagnostics_status",
}
DESTRUCTIVE = {"rollout_restart", "resources_delete"}


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    async with served() as address:
        yield address


@pytest.fixture(params=list(ERAS))
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def text(result: CallToolResult) -> str:
    assert not result.is_error, result
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def first_pod(client: Client, region: str = "prod-eu") -> str:
    table = text(await client.call_tool("pods_list", {"namespace": region, "app": "checkout"}))
    return table.splitlines()[1].split()[1]


async def test_each_era_is_reached_on_the_same_endpoint(url: str) -> None:
    for era, mode in ERAS.items():
        async with Client(url, mode=mode) as client:
            assert client.protocol_version == era


async def test_tools_say_whether_they_only_look_or_destroy(url: str, era: str) -> None:
    async with Client(url, mode=ERAS[era]) as client:
        tools = (await client.list_tools()).tools
    hints = {tool.name: tool.annotations for tool in tools if tool.annotations}
    assert len(hints) == len(tools) == 11
    assert {name for name, hint in hints.items() if hint.read_only_hint} == READ_ONLY
    assert {name for name, hint in hints.items() if hint.destructive_hint} == DESTRUCTIVE
    assert all(tool.description for tool in tools)


@pytest.mark.parametrize("output", ["yaml", "json"])
async def test_a_secret_is_given_as_the_api_gives_it(url: str, era: str, output: str) -> None:
    arguments = {"kind": "Secret", "name": "checkout-db", "namespace": "prod-eu", "output": output}
    async with Client(url, mode=ERAS[era]) as client:
        answer = text(await client.call_tool("resources_get", arguments))
    found = json.loads(answer) if output == "json" else yaml.safe_load(answer)
    assert found == seeded().cluster.get("Secret", "checkout-db", "prod-eu")


async def test_reading_a_secret_decodes_it(url: str, era: str) -> None:
    async with Client(url, mode=ERAS[era]) as client:
        result = await client.call_tool("secret_read", {"namespace": "prod-eu", "name": "checkout-db"})
    assert result.structured_content is not None
    password = seeded().credentials["prod-eu/checkout-db/password"]
    assert result.structured_content["stringData"]["password"] == password


async def test_a_failing_call_is_a_result_that_says_why(url: str, era: str) -> None:
    async with Client(url, mode=ERAS[era]) as client:
        result = await client.call_tool(
            "deployment_scale", {"namespace": "prod-eu", "name": "nope", "replicas": 1}
        )
    assert result.is_error
    assert 'deployments "nope" not found' in str(result.content)


async def test_a_missing_resource_is_a_protocol_error(url: str, era: str) -> None:
    async with Client(url, mode=ERAS[era]) as client:
        with pytest.raises(MCPError, match='pods "nope" not found') as caught:
            await client.read_resource("cluster://prod-eu/Pod/nope")
    assert caught.value.code == -32602


async def test_resources_and_the_prompt_can_be_read(url: str, era: str) -> None:
    async with Client(url, mode=ERAS[era]) as client:
        (overview,) = (await client.read_resource("cluster://overview")).contents
        (whole,) = (await client.read_resource("cluster://prod-us/Deployment/catalog")).contents
        prompt = await client.get_prompt("incident_triage", {"namespace": "prod-eu", "app": "checkout"})
    assert "prod-eu/checkout 0/2 ready" in str(overview)
    assert "replicas: 2" in str(whole)
    assert "checkout is failing in prod-eu" in str(prompt.messages)


@pytest.mark.parametrize(
    ("answer", "gone"),
    [
        (ElicitResult(action="accept", content={"confirm": True}), True),
        (ElicitResult(action="accept", content={"confirm": False}), False),
        (ElicitResult(action="decline"), False),
        (ElicitResult(action="cancel"), False),
    ],
)
async def test_deleting_asks_the_user_and_does_as_told(
    url: str, era: str, answer: ElicitResult, gone: bool
) -> None:
    questions: list[str] = []

    async def user(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        questions.append(params.message)
        return answer

    async with Client(url, mode=ERAS[era], elicitation_callback=user) as client:
        pod = await first_pod(client)
        said = text(
            await client.call_tool("resources_delete", {"kind": "Pod", "name": pod, "namespace": "prod-eu"})
        )
        left = text(await client.call_tool("pods_list", {"namespace": "prod-eu"}))
    assert questions == [f"Delete Pod prod-eu/{pod}? This cannot be undone."]
    assert (pod not in left) == gone
    assert ("not deleted" in said) != gone


async def test_deleting_is_refused_to_a_client_that_cannot_ask(url: str, era: str) -> None:
    async with Client(url, mode=ERAS[era]) as client:
        pod = await first_pod(client)
        try:
            result = await client.call_tool(
                "resources_delete", {"kind": "Pod", "name": pod, "namespace": "prod-eu"}
            )
            assert result.is_error
        except MCPError:
            pass  # the eras differ in how; both refuse
        assert pod in text(await client.call_tool("pods_list", {"namespace": "prod-eu"}))


async def test_diagnostics_report_progress_before_they_answer(url: str, era: str) -> None:
    seen: list[tuple[float, float | None]] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total))

    async with Client(url, mode=ERAS[era]) as client:
        arguments = {"namespace": "prod-eu", "name": await first_pod(client), "rounds": 2, "pause_ms": 1}
        answer = text(await client.call_tool("diagnostics_run", arguments, progress_callback=on_progress))
    assert seen == [(float(done), 10.0) for done in range(1, 11)]
    assert "database login: FAILED" in answer


async def test_a_cancelled_call_stops_in_the_server(url: str, era: str) -> None:
    begun = asyncio.Event()

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        begun.set()

    async with Client(url, mode=ERAS[era]) as client:
        arguments = {"namespace": "prod-eu", "name": await first_pod(client), "rounds": 1000, "pause_ms": 50}
        call = asyncio.create_task(
            client.call_tool("diagnostics_run", arguments, progress_callback=on_progress)
        )
        await begun.wait()
        call.cancel()
        await asyncio.wait({call})
        while (runs := (await client.call_tool("diagnostics_status")).structured_content) is None or runs[
            "running"
        ]:
            pass
    assert runs == {"running": 0, "finished": 0, "cancelled": 1}


async def test_a_session_can_resume_its_stream_after_the_last_event_it_saw(url: str) -> None:
    head = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
    about = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}
    async with aiohttp.ClientSession() as http:
        async with http.post(url, json=hello, headers=head) as answer:
            head["Mcp-Session-Id"] = answer.headers["Mcp-Session-Id"]
            events = (await answer.text()).replace("\r", "").strip().split("\n\n")
        ids = [line for event in events for line in event.split("\n") if line.startswith("id: ")]
        head["Last-Event-ID"] = ids[0].removeprefix("id: ")
        async with http.get(url, headers=head) as resumed:
            assert resumed.status == 200
            lines = [(await resumed.content.readline()).decode().strip() for _ in range(3)]
    assert ids[1] in lines
    assert any('"serverInfo"' in line for line in lines)
