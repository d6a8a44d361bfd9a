"""Kubernetes requests as rows, and what caused what: the view and the reader say the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest

from sinks.readers import FrameFilter, ReadError
from sinks.sql_reader import SqlReader
from tests.sinks.filling import fill
from tests.sinks.records import START_US, Trail
from tests.sinks.shared_store import Store

SECOND = 1_000_000
SCALE = {
    "k8s.cluster.name": "prod-eu",
    "k8s.verb": "patch",
    "k8s.objectRef.apiGroup": "apps",
    "k8s.objectRef.apiVersion": "v1",
    "k8s.objectRef.resource": "deployments",
    "k8s.objectRef.subresource": "scale",
    "k8s.objectRef.namespace": "prod",
    "k8s.objectRef.name": "web",
    "k8s.dryRun": "All",
    "cloud.role": "arn:aws:iam::1:role/b",
    "kubectl.command": "kubectl scale",
}


def rows(store: Store, sql: str, **values: Any) -> list[dict[str, Any]]:
    return list(store.client.query(sql, values).named_results())


@dataclass
class Story:
    """Exchanges of one test, each at a second of its own choice."""

    store: Store
    ids: dict[str, str] = field(default_factory=dict)

    def tells(self, name: str, begins: float, ends: float | None, **fields: Any) -> str:
        """An exchange from one second to another; None: it has not ended. `by` and `trace` are its attributes."""
        exchange = self.ids[name] = str(uuid4())
        claims = {"parent.exchange_id": fields.pop("by", ""), "trace.id": fields.pop("trace", "")}
        attributes = {**fields.pop("attributes", {}), **{key: each for key, each in claims.items() if each}}
        shared = {
            "exchange_id": exchange,
            "session_id": fields.pop("session_id", str(uuid4())),
            "attributes": dict(sorted(attributes.items())),
            **fields,
        }
        trail = Trail(lane=f"story-{uuid4()}")
        trail.frame(**shared, recorded_at=START_US + int(begins * SECOND))
        if ends is not None:
            answer = {"direction": "response", "http_status": 200, "outcome": "completed"}
            elapsed = {"elapsed_us": int((ends - begins) * SECOND)}
            trail.frame(**shared, **answer, **elapsed, recorded_at=START_US + int(ends * SECOND))
        fill(self.store.client, trail.values)
        return exchange

    def kubernetes(self, name: str, begins: float, **fields: Any) -> str:
        """A Kubernetes request of a tenth of a second."""
        said = {
            "protocol": "kubernetes",
            "connection": "prod",
            "method": "",
            "tool": "",
            "jsonrpc_type": "none",
        }
        verb = {"attributes": {"k8s.verb": "list", "k8s.objectRef.resource": "pods"}}
        return self.tells(name, begins, begins + 0.1, **{**said, **verb, **fields})

    def name_of(self, exchange: Any) -> str:
        """Which of them it is."""
        return next(name for name, known in self.ids.items() if known == str(exchange))

    def links(self) -> dict[str, tuple[str, str, bool]]:
        """What the view says of them: what was caused → (by what, how that is known, same caller)."""
        sql = "SELECT * FROM audit.v_exchange_tree WHERE exchange_id IN ({ids:Array(UUID)})"
        return {
            self.name_of(row["exchange_id"]): (
                self.name_of(row["parent_exchange_id"]),
                row["link"],
                row["same_principal"],
            )
            for row in rows(self.store, sql, ids=list(self.ids.values()))
        }

    async def tree(self, name: str) -> list[tuple[int, str]]:
        """What the reader says: (depth, name) from the first cause down; both ways of telling have to agree."""
        reader = SqlReader(self.store.address)
        found = await reader.tree(self.ids[name])
        await reader.close()
        said = {
            self.name_of(each["exchange_id"]): (
                self.name_of(each["parent_exchange_id"]),
                each["link"],
                bool(each["same_principal"]),
            )
            for each in found
            if each["depth"]
        }
        view = self.links()
        assert said == {each: view[each] for each in said}
        assert self.name_of(found[0]["exchange_id"]) not in view
        return [(each["depth"], self.name_of(each["exchange_id"])) for each in found]


@pytest.fixture
def story(store: Store) -> Story:
    return Story(store)


def test_a_request_is_a_row_with_its_verb_and_object(store: Store, story: Story) -> None:
    path = {
        "http_path": "/k8s/prod/apis/apps/v1/namespaces/prod/deployments/web/scale?x=1",
        "http_method": "PATCH",
    }
    exchange = story.kubernetes("scale", 0, attributes=SCALE, verdict="deny", rule="no-scaling", **path)
    (row,) = rows(store, "SELECT * FROM audit.v_kubernetes WHERE exchange_id = {e:UUID}", e=exchange)
    assert (row["verb"], row["object"], row["cluster"]) == (
        "patch",
        "apps/deployments/scale prod/web",
        "prod-eu",
    )
    assert (row["api_group"], row["resource"], row["subresource"]) == ("apps", "deployments", "scale")
    assert (row["namespace"], row["name"], row["dry_run"]) == ("prod", "web", True)
    assert (row["cloud_role"], row["kubectl_command"]) == ("arn:aws:iam::1:role/b", "kubectl scale")
    assert (row["verdict"], row["rule"], row["outcome"], row["http_status"]) == (
        *("deny", "no-scaling", "completed", 200),
    )
    assert row["latency_ms"] == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"resource": "pods", "namespace": "prod"}, "pods prod/*"),
        ({"resource": "nodes", "name": "n1"}, "nodes n1"),
        ({"resource": "namespaces", "namespace": "prod", "name": "prod"}, "namespaces prod"),
        ({}, "/healthz"),
    ],
    ids=str,
)
def test_an_object_is_told_as_in_approvals(
    store: Store, story: Story, attributes: dict[str, str], shown: str
) -> None:
    facts = {f"k8s.objectRef.{name}": value for name, value in attributes.items()}
    exchange = story.kubernetes("one", 0, attributes=facts, http_path="/k8s/prod/healthz?verbose")
    (row,) = rows(store, "SELECT object FROM audit.v_kubernetes WHERE exchange_id = {e:UUID}", e=exchange)
    assert row["object"] == shown


def test_other_requests_are_no_rows_there(store: Store, story: Story) -> None:
    exchange = story.tells("call", 0, 1)
    assert not rows(store, "SELECT 1 FROM audit.v_kubernetes WHERE exchange_id = {e:UUID}", e=exchange)


async def test_frames_are_found_by_verb_namespace_and_resource(store: Store, story: Story) -> None:
    session = str(uuid4())
    story.kubernetes("scale", 0, attributes=SCALE, session_id=session)
    story.tells("read", 1, 2, resource="file:///x", method="resources/read", tool="", session_id=session)
    reader = SqlReader(store.address)

    async def count(**wanted: str) -> int:
        return len(await reader.frames(FrameFilter(session=session, **wanted), 10))

    assert [await count(verb="patch"), await count(verb="get")] == [2, 0]
    assert [await count(namespace="prod"), await count(namespace="web")] == [2, 0]
    assert [await count(resource="deployments"), await count(resource="file:///x")] == [2, 2]
    (frame, _) = await reader.frames(FrameFilter(session=session, verb="patch"), 10)
    assert frame["attributes"]["k8s.objectRef.name"] == "web"
    await reader.close()


async def test_a_tool_call_and_the_requests_behind_it_are_one_tree(story: Story) -> None:
    call = story.tells("call", 0, 10)
    story.kubernetes("second", 5, by=call)
    first = story.kubernetes("first", 1, by=call)
    story.kubernetes("below", 1.05, by=first)
    story.kubernetes("unrelated", 2)
    whole = [(0, "call"), (1, "first"), (2, "below"), (1, "second")]
    for name in ("call", "first", "below", "second"):
        assert await story.tree(name) == whole
    assert await story.tree("unrelated") == [(0, "unrelated")]


async def test_a_claim_counts_only_where_that_exchange_is_there_and_was_under_way(story: Story) -> None:
    call = story.tells("call", 100, 110)
    story.kubernetes("before", 50, by=call)
    story.kubernetes("after", 150, by=call)
    story.kubernetes("nothing there", 105, by=str(uuid4()))
    story.kubernetes("by skewed clocks", 110.9, by=call)
    assert await story.tree("call") == [(0, "call"), (1, "by skewed clocks")]
    for alone in ("before", "after", "nothing there"):
        assert await story.tree(alone) == [(0, alone)]


async def test_an_exchange_that_has_not_ended_may_cause_something_still(story: Story) -> None:
    call = story.tells("call", 0, None)
    story.kubernetes("hours later", 7_200, by=call)
    assert await story.tree("hours later") == [(0, "call"), (1, "hours later")]


async def test_whether_both_had_the_same_caller_is_told(story: Story) -> None:
    call = story.tells("call", 0, 10, principal_subject="alice")
    story.kubernetes("hers", 1, by=call, principal_subject="alice")
    story.kubernetes("mallorys", 2, by=call, principal_subject="mallory")
    story.kubernetes(
        "another alices", 3, by=call, principal_subject="alice", principal_issuer="https://other"
    )
    assert await story.tree("call") == [(0, "call"), (1, "hers"), (1, "mallorys"), (1, "another alices")]
    assert {name: link[2] for name, link in story.links().items()} == {
        "hers": True,
        "mallorys": False,
        "another alices": False,
    }


async def test_where_only_the_trace_is_handed_on_the_call_that_began_last_is_meant(story: Story) -> None:
    trace = uuid4().hex
    story.tells("first call", 0, 100, trace=trace)
    story.tells("second call", 10, 20, trace=trace)
    story.kubernetes("one", 5, trace=trace)
    story.kubernetes("two", 15, trace=trace)
    story.kubernetes("too late", 200, trace=trace)
    assert await story.tree("second call") == [(0, "second call"), (1, "two")]
    assert await story.tree("one") == [(0, "first call"), (1, "one")]
    assert await story.tree("too late") == [(0, "too late")]
    assert story.links()["two"] == ("second call", "trace", True)


async def test_exchanges_that_claim_each_other_make_no_endless_tree(story: Story) -> None:
    ids = [str(uuid4()), str(uuid4())]
    trail = Trail(lane=f"story-{uuid4()}")
    for own, other in (ids, reversed(ids)):
        trail.frame(exchange_id=own, attributes={"parent.exchange_id": other})
    trail.frame(exchange_id=(alone := str(uuid4())), attributes={"parent.exchange_id": alone})
    trail.frame(exchange_id=(odd := str(uuid4())), attributes={"parent.exchange_id": "not an id"})
    fill(story.store.client, trail.values)
    reader = SqlReader(story.store.address)
    assert {each["exchange_id"] for each in await reader.tree(ids[0])} == set(ids)
    for each in (alone, odd):
        assert [found["exchange_id"] for found in await reader.tree(each)] == [each]
    assert await reader.tree(str(uuid4())) == []
    with pytest.raises(ReadError, match="is no id"):
        await reader.tree("x")
    await reader.close()
