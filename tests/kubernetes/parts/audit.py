"""What the gateway reads in a request line is what the API server's own audit log says of the same line."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from gateway.effects import Request
from gateway.kubernetes import NotReadError, read
from tests.kubernetes import audit
from tests.kubernetes.bench import Bench, Findings
from tests.kubernetes.raw import RawRequest, status_of
from tests.kubernetes.trail import FACTS
from tests.kubernetes.versions import HERE

REQUESTS = HERE.parent / "gateway" / "kubernetes" / "requests.yaml"
MARK = "request-line/"
SENDERS = 8
LOGGED_S = 20.0


def run(bench: Bench) -> Findings:
    """Sends each request of the table, and looks it up in the audit log by its User-Agent."""
    rows = _rows(REQUESTS)
    with ThreadPoolExecutor(SENDERS) as senders:
        statuses = list(senders.map(lambda row: status_of(bench.cluster, _raw(*row)), enumerate(rows)))
    logged = _logged(bench, sum(status != 0 for status in statuses))
    findings, compared, unread = Findings(), 0, 0
    for number, row in enumerate(rows):
        event = logged.get(number)
        if event is None:  # the HTTP server itself refused it: the API server never saw a request
            findings.check("expect" not in row, f"{_told(row)}: is not in the audit log ({statuses[number]})")
        elif "expect" in row:
            compared += 1
            _same(row, event, findings)
        else:
            unread += 1
    findings.figures = {"request lines": len(rows), "compared": compared, "refused by the gateway": unread}
    return findings


def _rows(file: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = yaml.safe_load(file.read_text())
    return rows


def _told(row: dict[str, Any]) -> str:
    return f"{row['method']} {row['target']}"


def _raw(number: int, row: dict[str, Any]) -> RawRequest:
    headers = {"User-Agent": f"{MARK}{number}"}
    if "content_type" in row:
        headers["Content-Type"] = row["content_type"]
    return RawRequest(row["method"], row["target"], headers, row.get("body", "").encode())


def _logged(bench: Bench, count: int) -> dict[int, audit.Event]:
    """The events by row, once there are so many or no more come."""
    found: dict[int, audit.Event] = {}
    deadline, before = time.monotonic() + LOGGED_S, -1
    while len(found) < count and (len(found) > before or time.monotonic() < deadline):
        before = len(found)
        time.sleep(0.5)
        found = {
            int(event.user_agent.removeprefix(MARK)): event
            for event in audit.events(bench.cluster)
            if event.user_agent.startswith(MARK)
        }
    return found


def _same(row: dict[str, Any], event: audit.Event, findings: Findings) -> None:
    path, _, query = row["target"].partition("?")
    kind = [(b"content-type", row["content_type"].encode())] if "content_type" in row else []
    body = row.get("body", "").encode()
    request = Request(row["method"], f"/k8s/c{path}", query, kind, body, "127.0.0.1:1", "", target=path)
    try:
        attributes = read(request, "c").attributes
    except NotReadError as error:
        findings.check(False, f"{_told(row)}: the gateway does not read it: {error}")
        return
    ours = {"verb": attributes.get("k8s.verb", "")}
    ours |= {name: attributes.get(f"k8s.objectRef.{name}", "") for name in FACTS[1:]}
    differs = {name: (event.facts[name], ours[name]) for name in ours if event.facts[name] != ours[name]}
    findings.check(not differs, f"{_told(row)}: (API server, gateway) {differs}")
