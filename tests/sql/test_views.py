"""The views that answer analysts' usual questions, over rows as the sink stores them."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.sinks.filling import fill
from tests.sinks.records import START_US, Trail
from tests.sinks.shared_store import Store, embedded_store

_DAY_US = 86_400_000_000
_APPROVAL = (
    "INSERT INTO audit.approvals_requested_stored (approval_id, requested_at, kind, principal_subject, connection,"
    " tool, exchange_id, session_id, expires_at) SELECT {id:UUID}, now64(6), 'call', {who:String}, 'demo', 'restart',"
    " {x:String}, {s:String}, now64(6)"
)


@pytest.fixture
def store() -> Store:
    return embedded_store()


def rows(store: Store, sql: str, **values: Any) -> list[dict[str, Any]]:
    return list(store.client.query(sql, values).named_results())


def kubernetes(verb: str, resource: str, **more: str) -> dict[str, Any]:
    attributes = {"k8s.verb": verb, "k8s.objectRef.resource": resource, "k8s.objectRef.namespace": "prod"}
    attributes |= {f"k8s.{name}": value for name, value in more.items()}
    return {"protocol": "kubernetes", "method": "", "tool": "", "attributes": attributes}


def test_the_link_to_a_replay_is_relative_until_a_public_url_is_set(store: Store) -> None:
    trail, session = Trail(lane=f"url-{uuid4()}"), str(uuid4())
    exchange = trail.exchange(session_id=session)
    fill(store.client, trail.values)
    question = "SELECT replay_url FROM audit.v_exchanges WHERE exchange_id = {x:UUID}"

    assert rows(store, question, x=exchange) == [{"replay_url": f"/sessions/{session}#{exchange}"}]
    store.client.command(
        "INSERT INTO audit.trail_settings (name, value) VALUES ('public_url', 'https://audit.example')"
    )
    try:
        assert rows(store, question, x=exchange) == [
            {"replay_url": f"https://audit.example/sessions/{session}#{exchange}"}
        ]
        (shown,) = rows(
            store, "SELECT replay_url FROM audit.v_sessions WHERE session_id = {s:UUID}", s=session
        )
        assert shown == {"replay_url": f"https://audit.example/sessions/{session}"}
    finally:
        store.client.command("TRUNCATE TABLE audit.trail_settings")


def test_denied_calls_are_counted_by_caller_call_and_rule_and_lead_to_the_last_one(store: Store) -> None:
    who, trail = f"denied-{uuid4()}", Trail(lane=f"denied-{uuid4()}")
    no = {"verdict": "deny", "rule": "no-deletes", "reason_code": "policy_denied", "principal_subject": who}
    trail.exchange(tool="delete_pod", **no)
    last = trail.exchange(tool="delete_pod", reason="not in prod", **no)
    trail.exchange(tool="delete_pod", principal_subject=who)
    trail.exchange(**{**no, **kubernetes("delete", "pods")})
    fill(store.client, trail.values)

    found = rows(
        store, "SELECT * FROM audit.v_denied_calls WHERE principal = {w:String} ORDER BY call", w=who
    )

    assert [(row["call"], row["rule"], row["calls"]) for row in found] == [
        ("delete pods", "no-deletes", 1),
        ("delete_pod", "no-deletes", 2),
    ]
    assert (str(found[1]["last_exchange_id"]), found[1]["last_reason"]) == (last, "not in prod")
    assert found[1]["replay_url"].endswith(f"#{last}")


def test_the_first_call_of_a_tool_by_a_caller_stays_the_first(store: Store) -> None:
    who, trail = f"first-{uuid4()}", Trail(lane=f"first-{uuid4()}")
    first = trail.exchange(tool="scale", principal_subject=who, verdict="hold")
    trail.exchange(tool="scale", principal_subject=who)
    trail.exchange(tool="scale", principal_subject=f"{who}-other")
    fill(store.client, trail.values)

    (found,) = rows(store, "SELECT * FROM audit.v_first_tools WHERE principal = {w:String}", w=who)

    assert (str(found["first_exchange_id"]), found["first_verdict"], found["calls"]) == (first, "hold", 2)


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (kubernetes("list", "secrets"), ["secret-read"]),
        (kubernetes("delete", "secrets"), ["delete"]),
        (kubernetes("deletecollection", "pods"), ["delete"]),
        (kubernetes("create", "pods", **{"objectRef.subresource": "exec"}), ["exec"]),
        (kubernetes("get", "pods", **{"objectRef.subresource": "portforward"}), ["exec"]),
        (kubernetes("create", "serviceaccounts", **{"objectRef.subresource": "token"}), ["token"]),
        (kubernetes("get", "pods", **{"impersonated.user": "root"}), ["impersonation"]),
        (kubernetes("get", "pods"), []),
        (kubernetes("create", "secrets"), []),
        (kubernetes("delete", "pods", dryRun="All"), []),
    ],
)
def test_requests_that_read_secrets_delete_or_get_inside_stand_out(
    store: Store, asked: dict[str, Any], what: list[str]
) -> None:
    trail = Trail(lane=f"sensitive-{uuid4()}")
    exchange = trail.exchange(**asked)
    fill(store.client, trail.values)

    found = rows(
        store,
        "SELECT what, namespace FROM audit.v_sensitive_requests WHERE exchange_id = {x:UUID}",
        x=exchange,
    )

    assert found == [{"what": one, "namespace": "prod"} for one in what]


def test_redactions_are_counted_by_rule_and_tell_what_only_the_trail_was_spared(store: Store) -> None:
    name, trail = f"masked-{uuid4()}", Trail(lane=f"masked-{uuid4()}")
    mark = {"path": "/a", "rule": "aws-key", "start": 0, "end": 4, "pseudonym": "one"}
    trail.frame(direction="response", connection=name, redactions=[mark, {**mark, "pseudonym": "two"}])
    trail.frame(direction="response", connection=name, redactions=[mark])
    fill(store.client, trail.values)
    store.client.command(
        "INSERT INTO audit.frames_stored (frame_id, recorded_at, lane, lane_seq, part, parts, connection, direction,"
        " redactions, deep_redactions) SELECT generateUUIDv4(), recorded_at, lane, 99, 1, 1, connection, direction,"
        " [], [('/b', 'name', 0, 1, 'three')] FROM audit.frames_stored WHERE connection = {c:String} LIMIT 1",
        {"c": name},
    )

    found = rows(
        store, "SELECT * FROM audit.v_redactions WHERE connection = {c:String} ORDER BY rule", c=name
    )

    assert [(r["rule"], r["pass"], r["redactions"], r["pseudonyms"], r["frames"]) for r in found] == [
        ("aws-key", "inline", 3, 2, 2),
        ("name", "deep", 1, 1, 1),
    ]


def test_latency_of_a_tool_is_that_of_calls_that_ran_and_ended(store: Store) -> None:
    name, trail = f"slow-{uuid4()}", Trail(lane=f"slow-{uuid4()}")
    trail.exchange(tool="get", connection=name)
    trail.exchange(tool="get", connection=name, http_status=502)
    trail.exchange(tool="get", connection=name, verdict="deny", http_status=403)
    trail.frame(tool="get", connection=name)
    fill(store.client, trail.values)

    (found,) = rows(store, "SELECT * FROM audit.v_tool_latency WHERE connection = {c:String}", c=name)

    assert [found[key] for key in ("call", "calls", "errors", "denied", "pending")] == ["get", 3, 1, 1, 1]
    assert (found["p50_ms"], found["max_ms"]) == (1.5, 1.5)
    assert found["bucket"].minute % 5 == 0


def test_bytes_fetched_are_held_against_the_fourteen_days_before(store: Store) -> None:
    who = f"fetch-{uuid4()}"
    for days, size in ((0, 100), (1, 600), (14, 7_000), (15, 1)):
        trail = Trail(lane=f"out-{uuid4()}", started_us=START_US + days * _DAY_US)
        trail.frame(b"x" * 10, principal_subject=who)
        trail.frame(b"x", principal_subject=who, direction="response", body_bytes=size)
        fill(store.client, trail.values)

    found = rows(store, "SELECT * FROM audit.v_bytes_out WHERE principal = {w:String} ORDER BY day", w=who)

    assert [(r["response_bytes"], r["request_bytes"], r["days_seen"]) for r in found] == [
        (100, 10, 0),
        (600, 10, 1),
        (7_000, 10, 2),
        (1, 10, 2),
    ]
    assert [r["ratio"] for r in found] == [None, 600 / (100 / 14), 7_000 / 50, 1 / (7_600 / 14)]


def test_tools_that_were_offered_and_never_called_are_told_apart(store: Store) -> None:
    who, trail = f"idle-{uuid4()}", Trail(lane=f"idle-{uuid4()}")
    listed = json.dumps({"result": {"tools": [{"name": "get_pod"}, {"name": "delete_pod"}]}}).encode()
    exchange = trail.exchange(listed, method="tools/list", tool="", principal_subject=who)
    trail.exchange(tool="get_pod", principal_subject=who)
    fill(store.client, trail.values)

    found = rows(store, "SELECT * FROM audit.v_granted_unused WHERE principal = {w:String}", w=who)

    assert [(r["kind"], r["what"], r["exchange_id"]) for r in found] == [("tool", "delete_pod", exchange)]


def test_an_approval_that_nothing_ran_by_is_granted_and_unused(store: Store) -> None:
    who, granted, used = f"grant-{uuid4()}", str(uuid4()), str(uuid4())
    for approval in (granted, used):
        store.client.command(_APPROVAL, {"id": approval, "who": who, "x": str(uuid4()), "s": str(uuid4())})
        settled = (
            "INSERT INTO audit.approvals_settled_stored (approval_id, version, state, at, use_id, approvers)"
            " SELECT {id:UUID}, 1, 'approved', now64(6), {use:String}, ['|ann']"
        )
        store.client.command(settled, {"id": approval, "use": "" if approval == granted else str(uuid4())})

    found = rows(store, "SELECT * FROM audit.v_granted_unused WHERE principal = {w:String}", w=who)

    assert [(r["kind"], r["what"], str(r["approval_id"])) for r in found] == [
        ("approval", "restart", granted)
    ]


def test_a_lane_and_a_partition_that_lack_something_are_listed_and_whole_ones_are_not(store: Store) -> None:
    broken, whole = Trail(lane=f"broken-{uuid4()}"), Trail(lane=f"whole-{uuid4()}")
    for _ in range(4):
        broken.frame()
        whole.frame()
    fill(store.client, whole.values, partition=61, first=100)
    fill(store.client, broken.values[:1], partition=60, first=100)
    fill(store.client, broken.values[2:], partition=60, first=102)
    repeat = "INSERT INTO audit.repeats_stored (k_partition, k_offset, lane, lane_seq) VALUES"
    store.client.command(f"{repeat} (61, 104, '{whole.lane}', 4)")

    question = "SELECT * FROM audit.v_trail_gaps WHERE kind = {k:String} AND name IN {n:Array(String)}"
    (offsets,) = rows(store, question, k="offset", n=["audit/60", "audit/61"])
    (lanes,) = rows(store, question, k="lane", n=[broken.lane, whole.lane])
    unsigned = rows(store, question, k="checkpoint", n=["audit/61"])

    assert (offsets["name"], offsets["first_position"], offsets["last_position"]) == ("audit/60", 100, 103)
    assert (offsets["missing"], lanes["name"], lanes["missing"]) == (1, broken.lane, 1)
    assert [(row["missing"], row["last_at"]) for row in unsigned] == [(4, None)]


def test_what_is_kept_and_what_was_forgotten_is_told_by_connection(store: Store) -> None:
    name, trail = f"kept-{uuid4()}", Trail(lane=f"kept-{uuid4()}")
    trail.exchange(connection=name)
    fill(store.client, trail.values)
    store.client.command(
        "INSERT INTO audit.tombstones_stored (tombstone_id, at, what, why, connection, partition, first_offset,"
        " last_offset, count) SELECT generateUUIDv4(), now64(6), 'row', 'expired', {c:String}, 62, 1, 5, 5",
        {"c": name},
    )

    (found,) = rows(store, "SELECT * FROM audit.v_retention WHERE connection = {c:String}", c=name)

    assert [found[key] for key in ("frames", "whole", "without_body", "rows_forgotten")] == [2, 2, 0, 5]
    assert found["first_at"] < found["last_at"] < found["last_forgotten_at"]
