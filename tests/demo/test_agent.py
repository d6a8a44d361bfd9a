"""The agent's story, told to the server directly."""

import pytest

from sluicegate.demo import agent
from sluicegate.demo.seed import seeded
from sluicegate.demo.story import AgentError
from tests.demo.serving import ERAS, served


async def test_the_story_uses_every_tool_in_each_era_and_counts_what_happened() -> None:
    told: list[str] = []
    async with served() as url:
        story = await agent.run(url, log=told.append)
    assert [chapter.era for chapter in story.chapters] == list(ERAS)
    for chapter in story.chapters:
        assert len(chapter.tools) == 11
        assert (chapter.tool_errors, chapter.protocol_errors, chapter.cancelled) == (1, 1, 1)
        assert (chapter.progress, chapter.elicitations) == (5, 1)
    assert story.calls == sum(chapter.calls for chapter in story.chapters) >= 38
    assert len(told) > story.calls


async def test_the_story_can_be_told_again_over_what_it_left() -> None:
    async with served() as url:
        first = await agent.run(url, log=lambda _line: None)
        second = await agent.run(url, log=lambda _line: None)
    assert [chapter.tool_errors for chapter in first.chapters] == [c.tool_errors for c in second.chapters]


async def test_without_a_gateway_the_agent_receives_the_credentials() -> None:
    """What the gateway has to keep from it; the other tests would prove nothing if it never came."""
    async with served() as url:
        story = await agent.run(url, log=lambda _line: None)
    received = "\n".join(story.received)
    for region in ("prod-eu", "prod-us"):
        assert seeded().credentials[f"{region}/checkout-db/password"] in received


async def test_an_endpoint_that_does_not_answer_is_named(silent_port: int) -> None:
    url = f"http://127.0.0.1:{silent_port}/mcp"
    with pytest.raises(AgentError, match=url):
        await agent.run(url, log=lambda _line: None)
