"""Messages through apprise's own code to real services: what they say, and what is said when they are not taken."""

from __future__ import annotations

import time

import pytest

from processors.alerts.board import Board
from processors.alerts.delivery import deliver, unknown_urls
from processors.alerts.text import Message, message_of, safe
from processors.alerts.worker import check_routes
from tests.processors.alerts.making import SECOND, T0, finding, route, settings
from tests.processors.alerts.services import http_service, smtp_service

# apprise looks for a module that Python 3.13 has no more
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

MESSAGE = Message("[high] secret-reads: alice read 14 secrets", "one\ntwo", "failure")
TOKEN = "s3cr3ttokens3cr3ttoken1234"


def test_a_webhook_is_given_title_body_and_kind() -> None:
    with http_service() as service:
        assert deliver(f"json://{service.url}/hook", MESSAGE, 5.0) == ""
    (body,) = service.received
    assert (body["title"], body["message"], body["type"]) == (MESSAGE.title, MESSAGE.body, "failure")


def test_a_chat_webhook_is_given_both_as_text() -> None:
    with http_service() as service:
        assert deliver(f"mmost://{service.url}/{TOKEN}", MESSAGE, 5.0) == ""
    assert "alice read 14 secrets" in service.texts()[0]


def test_a_mail_is_sent() -> None:
    with smtp_service() as box:
        url = f"mailto://127.0.0.1:{box.port}?smtp=127.0.0.1&mode=insecure&from=gate@example.com&to=sec@example.com"
        assert deliver(url, MESSAGE, 5.0) == ""
    ((recipients, subject, text),) = box.mails
    assert (recipients, subject) == (["sec@example.com"], MESSAGE.title)
    assert "one" in text


@pytest.mark.parametrize("status", [302, 404, 500, 429])
def test_a_service_that_does_not_take_it_is_told_without_the_url(status: int) -> None:
    with http_service() as service:
        service.status, service.location = status, f"http://{service.url}/login"
        fault = deliver(f"json://user:{TOKEN}@{service.url}/{TOKEN}/hook", MESSAGE, 5.0)
    assert fault
    assert TOKEN not in fault
    assert len(service.received) == 1  # no redirect was followed


def test_a_service_that_never_answers_is_given_up_in_time() -> None:
    with http_service() as service:
        service.open.clear()
        started = time.monotonic()
        fault = deliver(f"json://{service.url}/hook", MESSAGE, 0.5)
        took = time.monotonic() - started
        service.open.set()
    assert fault
    assert took < 3.0


def test_nobody_listening_is_a_fault_and_so_is_no_url(silent_port: int) -> None:
    assert deliver(f"json://127.0.0.1:{silent_port}/hook", MESSAGE, 2.0)
    assert "no URL" in deliver("nonsense", MESSAGE, 2.0)


def test_urls_are_checked_without_a_network_and_never_quoted() -> None:
    known = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
    assert unknown_urls([known, "pagerduty://integration@api", "msteams://x", "nonsense"]) == [2, 3]
    with pytest.raises(ValueError, match="number 2") as fault:
        check_routes(settings(route("r", urls=(known, f"nonsense-{TOKEN}"))))
    assert TOKEN not in str(fault.value)
    assert TOKEN not in repr(route("r", urls=(f"json://{TOKEN}",)))


@pytest.mark.parametrize("over", [{"name": "a/b"}, {"name": ""}, {"hour_max": 0}, {"group_seconds": -1.0}])
def test_a_route_that_cannot_work_is_refused(over: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="route"):
        check_routes(settings(route(**{"name": "r", **over})))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name of its own"):
        check_routes(settings(route("r"), route("r")))


@pytest.mark.parametrize(
    "hostile",
    [
        "<!channel> look",
        "@everyone @here @channel",
        "<@U123> hi",
        "<https://evil.example|approve here>",
        "[approve](https://evil.example)",
        "www.evil.example",
        "\u202egnp.exe \x1b[31m\r\n.\r\nRCPT TO:<x>",
    ],
)
def test_a_title_of_a_stranger_becomes_no_mention_no_link_and_no_line(hostile: str) -> None:
    text = safe(hostile)
    for mark in ("<!channel", "@everyone", "@here", "<@U", "://", "](", "www.", "\n", "\x1b", "\u202e"):
        assert mark not in text


def test_a_letter_names_what_to_do_next() -> None:
    board = Board(settings())
    one = finding(
        title="alice read 14 secrets", facts={"technique": "T1552.007", "explanation": "Many secrets."}
    )
    board.take(one, T0)
    (parcel,) = board.due(T0)
    message = message_of(parcel)
    assert message.title == "[high] secret-reads: alice read 14 secrets"
    assert message.kind == "failure"
    lines = message.body.splitlines()
    assert lines[0] == "2026-09-21 14:13:20 UTC high: alice read 14 secrets (prod, T1552.007)"
    assert lines[1] == f"  sluicegate findings show {one['finding_id']}"
    assert lines[2] == "Many secrets."


def test_what_was_held_back_is_summed_up_by_rule_and_caller() -> None:
    board = Board(settings(route(hour_max=1)))
    for number in range(30):
        board.take(finding(f"rule-{number}"), T0 + number * SECOND)
    board.take(finding("rule-0", title="the latest", severity="critical"), T0 + SECOND)
    (parcel,) = board.due(T0 + 60 * SECOND)
    message = message_of(parcel)
    assert message.title == "[critical] 31 findings were held back by the limit of 1 messages an hour"
    lines = message.body.splitlines()
    assert lines[0].startswith("2 × rule-0 about https:")
    assert lines[0].endswith("the latest critical: the latest")
    assert lines[-2].startswith("… and of rule-")
