"""The era without a handshake: programs by our session id, and answers that never cross."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.edge.http1 import UpstreamBrokenError
from tests.gateway.stdio.conftest import MODERN, Client, events, puppets, until

NOTE = '{"jsonrpc":"2.0","method":"notifications/message","params":{"n":%s}}'


@pytest.fixture
def modern(client: Client) -> Client:
    """A client of 2026-07-28."""
    return replace(client, version=MODERN)


async def pid(client: Client, id_: int = 99) -> int:
    """The process that a request gets to."""
    found: int = (await client.call(id_)).json["result"]["pid"]
    return found


async def test_requests_of_one_session_share_a_program_and_need_no_handshake(modern: Client) -> None:
    assert await pid(modern, 1) == await pid(modern, 1)
    answer = await modern.call(2)
    assert answer.head.status == 200
    assert answer.session == ""


async def test_sessions_do_not_share_a_program(modern: Client) -> None:
    assert await pid(modern) != await pid(replace(modern, us="others"))


async def test_clients_that_use_the_same_id_get_each_their_own_answer(modern: Client) -> None:
    first = await modern.request(1, silent=True)
    second = await modern.call(1, ("answer", "second"))
    late = {"do": [("say", '{"jsonrpc":"2.0","id":1,"result":"first"}')]}
    await modern.read(await modern.post({"jsonrpc": "2.0", "method": "notifications/x", "params": late}))
    assert second.json["result"] == "second"
    assert (await modern.read(first)).json["result"] == "first"


async def test_clients_that_use_the_same_progress_token_are_kept_apart(modern: Client) -> None:
    first = await modern.request(1, silent=True, _meta={"progressToken": "t"})
    progress = (
        '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}'
    )
    second = await modern.call(2, ("say", progress), ("answer", 2), _meta={"progressToken": "t"})
    assert second.events[0]["data"] == progress
    assert first.ready() is None
    modern.leave(first)


async def test_requests_at_once_start_one_program(modern: Client) -> None:
    pids = await asyncio.gather(*(pid(modern, n) for n in range(8)))
    assert len(set(pids)) == 1


async def test_an_event_stream_has_no_ids_for_nothing_can_be_resumed(modern: Client) -> None:
    answer = await modern.call(1, ("say", NOTE % 1), ("answer", "done"))
    assert answer.events[0] == {"event": "message", "data": NOTE % 1}
    assert json.loads(answer.events[1]["data"])["result"] == "done"


@pytest.mark.parametrize(
    ("code", "status"), [(-32601, 404), (-32602, 400), (-32021, 400), (-32022, 400), (-32603, 200), (1, 200)]
)
async def test_an_error_that_comes_first_has_the_status_of_its_code(
    modern: Client, code: int, status: int
) -> None:
    said = '{"jsonrpc":"2.0","id":1,"error":{"code":%d,"message":"no"}}' % code
    answer = await modern.call(1, ("say", said))
    assert (answer.head.status, answer.body) == (status, said.encode())


async def test_closing_the_stream_cancels_the_request(modern: Client) -> None:
    waiting = await modern.request("é", silent=True)
    modern.leave(waiting)
    await until(lambda: len(modern.heard()) == 2)
    told = json.loads(modern.heard()[1])
    assert (told["method"], told["params"]["requestId"]) == ("notifications/cancelled", "é")


async def test_the_answer_to_a_cancelled_request_reaches_nobody(modern: Client) -> None:
    waiting = await modern.request(1, silent=True)
    modern.leave(waiting)
    second = await modern.call(2, ("say", '{"jsonrpc":"2.0","id":1,"result":"late"}'), ("answer", "own"))
    assert second.json["result"] == "own"


async def test_the_id_of_a_cancelled_request_is_not_used_again_in_its_program(modern: Client) -> None:
    before = await pid(modern)
    for id_ in (1, 1):
        modern.leave(await modern.request(id_, silent=True))
    assert await pid(modern, 1) != before


async def test_a_message_without_an_address_reaches_nobody_while_it_might_be_anothers(modern: Client) -> None:
    first = await modern.request(1, silent=True)
    second = await modern.call(2, ("say", NOTE % 1), ("answer", "own"))
    assert second.json["result"] == "own"
    assert first.ready() is None
    modern.leave(first)
    third = await modern.call(3, ("say", NOTE % 1), ("answer", "own"))  # may be about the cancelled one
    assert third.json["result"] == "own"


async def test_a_subscription_gets_what_names_it_beside_other_requests(modern: Client) -> None:
    tagged = (
        '{"jsonrpc":"2.0","method":"notifications/tools/list_changed",'
        '"params":{"_meta":{"io.modelcontextprotocol/subscriptionId":1}}}'
    )
    stream = await modern.request(1, ("say", tagged), method="subscriptions/listen")
    assert (await stream.head()).status == 200
    assert (await events(stream, 1))[0]["data"] == tagged
    other = await modern.call(2, ("say", tagged), ("say", NOTE % 2), ("answer", "own"))
    assert other.events[0]["data"] == NOTE % 2
    assert (await events(stream, 1))[0]["data"] == tagged
    modern.leave(stream)
    await until(lambda: b"notifications/cancelled" in modern.heard()[-1])


async def test_only_requests_and_notifications_may_be_posted(modern: Client) -> None:
    for body in ({"id": 1, "result": {}}, [modern.message(1)]):
        answer = await modern.read(await modern.post(body))
        assert (answer.head.status, answer.json["error"]["code"]) == (400, -32600)
    for method in ("GET", "DELETE"):
        answer = await modern.read(await modern.ask(method))
        assert answer.head.status == 405
        assert (b"allow", b"POST") in answer.head.headers
    answer = await modern.read(await modern.post({"jsonrpc": "2.0", "id": 1, "method": "x"}))
    assert (answer.head.status, answer.json["error"]["code"]) == (400, -32602)
    assert modern.heard() == []


async def test_an_unknown_version_is_for_the_program_to_judge(modern: Client) -> None:
    meta = {"_meta": {"io.modelcontextprotocol/protocolVersion": "v999"}}
    posted = {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": meta}
    answer = await modern.read(await modern.post(posted, {b"mcp-protocol-version": b"v999"}))
    assert "pid" in answer.json["result"]


async def test_the_handshake_of_the_other_eras_reaches_no_program(modern: Client) -> None:
    answer = await modern.call(1, method="initialize")
    assert (answer.head.status, answer.json["error"]["code"]) == (404, -32601)
    assert modern.heard() == []


async def test_a_cancellation_by_id_cancels_nobodys_request(modern: Client) -> None:
    waiting = await modern.request(1, silent=True)
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert (await modern.read(await modern.post(cancel))).head.status == 202
    await pid(modern)
    assert not any(b"cancelled" in line for line in modern.heard())
    modern.leave(waiting)


async def test_the_death_of_a_program_is_told_and_the_next_request_gets_another(modern: Client) -> None:
    waiting = await modern.request(1, silent=True)
    with pytest.raises(UpstreamBrokenError, match="by signal 9"):
        await modern.call(2, ("signal", 9))
    with pytest.raises(UpstreamBrokenError, match="upstream_broke"):
        await modern.read(waiting)
    assert (await modern.call(3)).head.status == 200


async def test_a_program_that_a_slow_client_stalls_is_not_given_to_others(modern: Client) -> None:
    big = json.dumps({"jsonrpc": "2.0", "method": "n", "params": {"x": "y" * 400_000}})
    before = await pid(modern)
    slow = await modern.request(1, ("say", big), ("say", big), ("answer", "slow"))
    await slow.head()
    assert await pid(modern, 2) != before
    answer = await modern.read(slow)
    assert [len(event["data"]) for event in answer.events[:2]] == [len(big)] * 2


async def test_an_idle_program_gives_way_to_another_session(tmp_path: Path) -> None:
    async with puppets(tmp_path, processes_max=1) as client:
        modern = replace(client, version=MODERN)
        assert await pid(modern) != await pid(replace(modern, us="others"))
        waiting = await modern.request(1, silent=True)
        with pytest.raises(UpstreamBrokenError, match="overloaded"):
            await replace(modern, us="others").call(1)
        modern.leave(waiting)
