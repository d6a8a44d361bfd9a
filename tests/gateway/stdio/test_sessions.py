"""Eras with a handshake: one program for one Mcp-Session-Id."""

import asyncio
import json

import pytest

from gateway.edge.http1 import UpstreamBrokenError
from gateway.edge.stdio.events import KeptEvents, Place
from tests.gateway.stdio.conftest import Client, events, until

NOTE = '{"jsonrpc":"2.0","method":"notifications/message","params":{"n":%s}}'
ASKED = '{"jsonrpc":"2.0","id":"s1","method":"sampling/createMessage","params":{}}'


def note(n: int) -> tuple[str, str]:
    """The puppet says a notification."""
    return "say", NOTE % n


def kept(session: Client) -> int:
    """How many events the upstream has numbered for a session."""
    return session.upstream._sessions._sessions[session.session]._kept.newest


async def test_initialize_starts_a_program_and_names_its_session(client: Client) -> None:
    one = await client.call(1, method="initialize")
    other = await client.call(1, method="initialize")
    assert one.head.status == 200
    assert one.session
    assert one.session != other.session
    assert one.json["result"]["pid"] != other.json["result"]["pid"]


async def test_later_requests_go_to_the_program_of_their_session(client: Client) -> None:
    session = await client.opened()
    pids = {(await session.call(n)).json["result"]["pid"] for n in (1, 2)}
    assert len(pids) == 1


async def test_an_answer_that_comes_first_is_a_json_body_byte_by_byte(client: Client) -> None:
    session = await client.opened()
    line = '{ "id":7 ,"jsonrpc":"2.0", "result":{"é":1.0e2,"u":"\\u00e9"} }'
    answer = await session.call(7, ("say", line))
    assert answer.body == line.encode()
    assert dict(answer.head.headers)[b"content-type"] == b"application/json"
    assert answer.session == session.session


async def test_messages_before_the_answer_make_it_an_event_stream(client: Client) -> None:
    session = await client.opened()
    answer = await session.call(7, note(1), ("say", ASKED), ("answer", "done"))
    assert [event["event"] for event in answer.events] == ["message"] * 3
    assert [event["data"] for event in answer.events[:2]] == [NOTE % 1, ASKED]
    assert json.loads(answer.events[2]["data"])["result"] == "done"


async def test_an_answer_is_found_though_its_id_is_spelled_otherwise(client: Client) -> None:
    session = await client.opened()
    said = '{"jsonrpc":"2.0","id":"\\u0061","result":{}}'
    assert (await session.call("a", ("say", said))).body == said.encode()
    said = '{"jsonrpc":"2.0","id":5,"result":{}}'
    asked = (
        b'{"jsonrpc":"2.0","id":5.0,"method":"x","params":{"do":[["say",%b]]}}' % json.dumps(said).encode()
    )
    assert (await session.read(await session.post(asked))).body == said.encode()


async def test_a_body_over_several_lines_reaches_the_program_as_one(client: Client) -> None:
    session = await client.opened()
    body = b'{"jsonrpc":"2.0",\r\n "id":3,\n\t"method":"x",\r"params":{"text":"a\\nb \xc3\xa9"}}\n'
    await session.read(await session.post(body))
    assert session.heard()[-1] == body.translate(bytes.maketrans(b"\r\n", b"  ")) + b"\n"


async def test_a_carriage_return_of_the_program_does_not_break_the_event(client: Client) -> None:
    session = await client.opened()
    answer = await session.call(3, ("say", NOTE.replace(',"params"', ',\r"params"') % 1), ("answer", 1))
    assert answer.events[0]["data"] == NOTE.replace(',"params"', ', "params"') % 1


async def test_notifications_and_answers_of_the_client_are_accepted_without_a_body(client: Client) -> None:
    session = await client.opened()
    for message in ({"method": "notifications/initialized"}, {"id": "s1", "result": {"role": "user"}}):
        answer = await session.read(await session.post({"jsonrpc": "2.0", **message}))
        assert (answer.head.status, answer.body) == (202, b"")
    await until(lambda: b'"role": "user"' in session.heard()[-1])


@pytest.mark.parametrize(
    ("session_id", "status"),
    [("", 400), ("nobody's", 404)],
    ids=["without a session", "of an unknown session"],
)
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_a_request_is_refused(client: Client, method: str, session_id: str, status: int) -> None:
    client.session = session_id
    body = b'{"jsonrpc":"2.0","id":1,"method":"x"}' if method == "POST" else b""
    answer = await client.read(await client.ask(method, body))
    assert answer.head.status == status
    assert answer.json["error"]["code"] == -32600
    assert answer.json["id"] == (1 if method == "POST" else None)


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, -32700),
        (b'{"a":"\n"}', {}, 400, -32700),
        (b"[]", {}, 400, -32600),
        (b'{"id":1}', {}, 400, -32600),
        (b'{"id":null,"method":"x"}', {}, 400, -32600),
        (b'[{"id":1,"method":"x"},{"id":1,"method":"x"}]', {}, 400, -32600),
        (b'{"id":1,"method":"x"}', {b"content-type": b"text/plain"}, 415, -32600),
        (b'{"id":1,"method":"x"}', {b"accept": b"application/json"}, 406, -32600),
        (b'{"id":1,"method":"x"}', {b"mcp-protocol-version": b"latest"}, 400, -32602),
    ],
)
async def test_what_is_no_message_reaches_no_program(
    client: Client, body: bytes, headers: dict[bytes, bytes], status: int, code: int
) -> None:
    session = await client.opened()
    answer = await session.read(await session.post(body, headers))
    assert (answer.head.status, answer.json["error"]["code"]) == (status, code)
    assert len(session.heard()) == 1


async def test_other_methods_are_not_allowed(client: Client) -> None:
    answer = await client.read(await client.ask("PUT", b"{}"))
    assert answer.head.status == 405
    assert (b"allow", b"GET, POST, DELETE") in answer.head.headers


async def test_delete_ends_the_session_and_its_program(client: Client) -> None:
    session = await client.opened()
    stream = await session.get()
    waiting = await session.request(1, silent=True)
    assert (await session.read(await session.ask("DELETE"))).head.status == 200
    assert (await session.read(stream)).events == []
    with pytest.raises(UpstreamBrokenError, match="ended its session"):
        await session.read(waiting)
    assert (await session.call(2)).head.status == 404


async def test_the_get_stream_carries_what_the_program_says_of_itself(client: Client) -> None:
    session = await client.opened()
    stream = await session.get()
    assert (await stream.head()).status == 200
    told = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"do": [note(1), ("say", ASKED)]}}
    await session.read(await session.post(told))
    assert [event["data"] for event in await events(stream, 2)] == [NOTE % 1, ASKED]


async def test_a_second_get_stream_is_a_conflict_until_the_first_has_gone(client: Client) -> None:
    session = await client.opened()
    stream = await session.get()
    assert (await session.read(await session.get())).head.status == 409
    session.leave(stream)
    assert (await (await session.get()).head()).status == 200


async def test_what_came_without_a_get_stream_waits_for_one(client: Client) -> None:
    session = await client.opened()
    told = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"do": [note(1), note(2)]}}
    await session.read(await session.post(told))
    await until(lambda: kept(session) == 2)
    found = await events(await session.get(), 2)
    assert [event["data"] for event in found] == [NOTE % 1, NOTE % 2]


async def test_a_get_stream_resumes_after_the_last_event_seen(client: Client) -> None:
    session = await client.opened()
    stream = await session.get()
    told = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"do": [note(1), note(2), note(3)]}}
    await session.read(await session.post(told))
    seen = await events(stream, 3)
    session.leave(stream)
    again = await events(await session.get(seen[0]["id"]), 2)
    assert again == seen[1:]


async def test_with_two_requests_in_flight_an_unaddressed_message_goes_to_the_get_stream(
    client: Client,
) -> None:
    session = await client.opened()
    stream = await session.get()
    first, second = await session.request(1, silent=True), await session.request(2, silent=True)
    told = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"do": [("say", ASKED)]}}
    await session.read(await session.post(told))
    assert [event["data"] for event in await events(stream, 1)] == [ASKED]
    for reply in (first, second):
        assert reply.ready() is None
        session.leave(reply)


async def test_progress_goes_to_the_request_whose_token_it_names(client: Client) -> None:
    session = await client.opened()
    progress = (
        '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1}}'
    )
    first = await session.request(1, silent=True, _meta={"progressToken": "one"})
    second = await session.request(2, ("say", progress % '"one"'), ("answer", 2), _meta={"progressToken": 2})
    assert (await session.read(second)).json["result"] == 2
    await first.head()
    assert (await events(first, 1))[0]["data"] == progress % '"one"'
    session.leave(first)


async def test_a_client_that_leaves_cancels_nothing_and_may_resume(client: Client) -> None:
    session = await client.opened()
    stream = await session.request(1, note(1), silent=True)
    await stream.head()
    seen = await events(stream, 1)
    session.leave(stream)
    late = '{"jsonrpc":"2.0","id":1,"result":"late"}'
    told = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"do": [note(2), ("say", late)]}}
    await session.read(await session.post(told))
    await until(lambda: kept(session) == 3)
    rest = await session.read(await session.get(seen[0]["id"]))
    assert [event["data"] for event in rest.events] == [NOTE % 2, late]
    assert not any(b"cancelled" in line for line in session.heard())


async def test_a_stream_resumed_while_its_request_is_in_flight_goes_on(client: Client) -> None:
    session = await client.opened()
    stream = await session.request(1, note(1), silent=True)
    await stream.head()
    seen = await events(stream, 1)
    resumed = await session.get(seen[0]["id"])
    with pytest.raises(UpstreamBrokenError):
        await session.read(stream)  # a client that comes back has lost the old connection
    late = {"do": [("say", '{"jsonrpc":"2.0","id":1,"result":"late"}')]}
    await session.read(await session.post({"jsonrpc": "2.0", "method": "notifications/x", "params": late}))
    assert len((await session.read(resumed)).events) == 1


async def test_a_cancelled_request_ends_though_the_program_does_not_answer(client: Client) -> None:
    session = await client.opened()
    waiting = await session.request(1, silent=True)
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert (await session.read(await session.post(cancel))).head.status == 202
    answer = await session.read(waiting)
    assert answer.json["error"]["code"] == -32800
    assert answer.json["id"] == 1
    assert b"notifications/cancelled" in session.heard()[-1]


async def test_a_batch_is_answered_when_all_its_requests_are(client: Client) -> None:
    session = await client.opened()
    one, two = ('{"jsonrpc":"2.0","id":%d,"result":{}}' % n for n in (1, 2))
    apart = [session.message(1, ("say", one), ("say", two)), session.message(2)]
    assert [event["data"] for event in (await session.read(await session.post(apart))).events] == [one, two]
    together = [session.message(1, ("say", f"[{one},{two}]")), session.message(2)]
    assert (await session.read(await session.post(together))).body == f"[{one},{two}]".encode()


async def test_an_id_that_is_in_flight_is_not_taken_again(client: Client) -> None:
    session = await client.opened()
    waiting = await session.request(1, silent=True)
    assert (await session.call(1)).head.status == 400
    session.leave(waiting)


async def test_an_initialize_that_fails_leaves_no_session(client: Client) -> None:
    said = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}'
    answer = await client.call(1, ("say", said), method="initialize")
    assert (answer.session, answer.body) == ("", said.encode())


async def test_the_death_of_a_program_is_told_to_everyone_who_waits(client: Client) -> None:
    session = await client.opened()
    stream, waiting = await session.get(), await session.request(1, silent=True)
    with pytest.raises(UpstreamBrokenError) as broken:
        await session.call(2, ("exit", 3))
    assert broken.value.fact.reason_code == "upstream_broke"  # type: ignore[union-attr]
    assert broken.value.fact.reason == "its program ended with status 3"  # type: ignore[union-attr]
    for reply in (stream, waiting):
        with pytest.raises(UpstreamBrokenError, match="status 3"):
            await session.read(reply)
    assert (await session.call(4)).head.status == 404


async def test_what_was_said_before_the_death_is_still_delivered(client: Client) -> None:
    session = await client.opened()
    reply = await session.request(1, note(1), ("answer", "last words"), ("exit", 0))
    answer = await session.read(reply)
    assert json.loads(answer.events[-1]["data"])["result"] == "last words"


async def test_a_silent_get_stream_shows_that_it_lives(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.edge.stdio.sessions.PING_SECONDS", 0.01)
    session = await client.opened()
    stream = await session.get()
    async with asyncio.timeout(30):
        assert await stream.chunk() == b": keep-alive\n\n"


def test_kept_events_are_bounded_and_of_one_stream() -> None:
    kept = KeptEvents(events_max=3, bytes_max=1000)
    for n in range(4):
        kept.add(n % 2, b"%d" % n)
    assert [block.split(b"data: ")[1] for block in kept.after(Place(1, 0))] == [b"1\n\n", b"3\n\n"]
    assert [block.split(b"data: ")[1] for block in kept.after(Place(0, 0))] == [b"2\n\n"]
    kept.add(0, b"x" * 2000)
    assert len(kept.after(Place(0, 0))) == 1
    assert kept.after(Place(1, 0)) == []
    assert kept.forgotten == 4
