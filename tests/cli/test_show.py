"""How exchanges look to a person: what is done, to what, below what."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sinks.readers import Branch, Frame
from sinks.words import act
from sluicegate.cli.show import replay_head
from sluicegate.cli.tree import cells

BLANK = {"method": "", "tool": "", "resource": "", "http_method": "GET", "http_path": "", "attributes": {}}


def row(**facts: Any) -> Frame:
    return cast("Frame", {**BLANK, "protocol": "mcp", **facts})


def ref(**facts: str) -> dict[str, str]:
    return {f"k8s.objectRef.{name}": value for name, value in facts.items()}


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"method": "tools/call", "tool": "pods_list"}, ("tools/call", "pods_list")),
        ({"method": "resources/read", "resource": "file:///x"}, ("resources/read", "file:///x")),
        (
            {
                "protocol": "kubernetes",
                "attributes": {
                    "k8s.verb": "patch",
                    **ref(
                        apiGroup="apps",
                        resource="deployments",
                        subresource="scale",
                        namespace="prod",
                        name="web",
                    ),
                },
            },
            ("patch", "apps/deployments/scale prod/web"),
        ),
        (
            {
                "protocol": "kubernetes",
                "attributes": {"k8s.verb": "list", **ref(resource="pods", namespace="prod")},
            },
            ("list", "pods prod/*"),
        ),
        (
            {
                "protocol": "kubernetes",
                "attributes": {"k8s.verb": "get", **ref(resource="namespaces", namespace="a", name="a")},
            },
            ("get", "namespaces a"),
        ),
        (
            {"protocol": "kubernetes", "http_path": "/k8s/prod/version?x", "attributes": {"k8s.verb": "get"}},
            ("get", "/version"),
        ),
        ({"protocol": "kubernetes", "http_path": "/k8s/prod/%2e%2e"}, ("get", "/%2e%2e")),  # was not read
        ({"protocol": "http", "http_path": "/http/gitlab/api?x=1"}, ("GET", "/http/gitlab/api")),
        (
            {"protocol": "http", "attributes": {"http.operation": "listProjects"}},
            ("GET", "listProjects"),
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_is_done_and_to_what_is_told_in_the_words_of_its_protocol(
    facts: dict[str, Any], shown: tuple[str, str]
) -> None:
    assert act(row(**facts)) == shown


def test_a_replayed_message_of_a_terminal_names_its_channel() -> None:
    told = {
        "k8s.verb": "connect",
        **ref(resource="pods", subresource="exec", name="p"),
        "k8s.channel": "stdout",
    }
    facts = {"recorded_at": "2026-11-21T05:00:00.000000Z", "direction": "response", "status": 101}
    facts |= {"outcome": "pending", "jsonrpc_error": None, "tool_is_error": None, "reason_code": ""}
    head = replay_head(row(protocol="kubernetes", attributes=told, **facts))
    assert "connect pods/exec p" in head
    assert "stdout" in head


def branch(exchange: str, depth: int, **facts: Any) -> Branch:
    common = {
        **BLANK,
        "protocol": "mcp",
        "method": "tools/call",
        "exchange_id": exchange,
        "depth": depth,
        "started_at": "2026-11-21T05:00:00.000000Z",
        "latency_ms": 12.345,
        "principal": "alice",
        "same_principal": True if depth else None,
        "connection": "tools",
        "http_status": 200,
        "outcome": "completed",
        "verdict": "allow",
        "rule": "",
        "reason_code": "",
        "jsonrpc_error": None,
        "tool_is_error": None,
        "redactions": 0,
    }
    return cast("Branch", {**common, **facts})


def test_each_exchange_stands_below_its_cause_with_who_and_how_it_ended() -> None:
    denied = {"verdict": "deny", "rule": "no", "outcome": "refused", "reason_code": "policy_denied"}
    tree = [
        branch("a", 0, tool="x", tool_is_error=True, redactions=2),
        branch("b", 1, tool="y", same_principal=False, principal="mallory"),
        branch("c", 2, tool="z", **denied),
    ]
    found = cells(tree, "b")
    assert [line[2] for line in found] == ["tools/call x", "└ tools/call y", "  └ tools/call z"]
    assert [line[3] for line in found] == ["alice", "mallory (not the same caller)", "alice"]
    assert [line[6] for line in found] == [
        "completed, tool error",
        "completed",
        "refused, deny by no, policy_denied",
    ]
    assert [line[7] for line in found] == [2, "", ""]
    assert [line[8] for line in found] == ["a", "b*", "c"]
    assert cells(tree[:1], "a")[0][8] == "a"  # alone, nothing needs a mark
