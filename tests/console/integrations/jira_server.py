"""Jira Cloud on loopback: the parts of its REST API (version 3) that we call, its changelog, and signed webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.console.integrations.vendors import VendorServer

EMAIL, TOKEN, ACCOUNT, SECRET = "bot@example.com", "jira-api-token", "acc-sluicegate", "jira-webhook-secret"
WORKFLOW = {
    "To Do": ["Approved", "Declined", "Done"],
    "Approved": ["To Do", "Done"],
    "Declined": ["To Do", "Done"],
}


@dataclass
class JiraServer(VendorServer):
    """`issues` by key, each as the API has it, with `history` and `comments` beside its fields."""

    issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    silent: bool = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/rest/api/3/myself", self._myself),
            web.post("/rest/api/3/issue", self._create),
            web.get("/rest/api/3/issue/{key}", self._issue),
            web.post("/rest/api/3/search/jql", self._search),
            web.get("/rest/api/3/issue/{key}/changelog", self._changelog),
            web.get("/rest/api/3/issue/{key}/comment", self._comments),
            web.post("/rest/api/3/issue/{key}/comment", self._comment),
            web.get("/rest/api/3/issue/{key}/transitions", self._transitions),
            web.post("/rest/api/3/issue/{key}/transitions", self._transition),
        ]

    # -- the REST API

    async def _myself(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        return web.json_response({"accountId": ACCOUNT, "emailAddress": EMAIL})

    async def _create(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        fields = (await request.json())["fields"]
        check_document(fields["description"])
        assert 0 < len(fields["summary"]) <= 255
        assert "\n" not in fields["summary"]
        assert all(" " not in label for label in fields["labels"])
        if fields["project"] != {"key": "OPS"} or fields["issuetype"] != {"name": "Task"}:
            return web.json_response({"errors": {"project": "valid project is required"}}, status=400)
        key = f"OPS-{len(self.issues) + 1}"
        made = {**fields, "status": {"name": "To Do"}, "creator": {"accountId": ACCOUNT}}
        self.issues[key] = {
            "id": str(10_000 + len(self.issues)),
            "key": key,
            "fields": made,
            "history": [],
            "comments": [],
        }
        if self.silent:
            self.silent = False
            return web.Response(status=504)
        return web.json_response({"id": self.issues[key]["id"], "key": key}, status=201)

    async def _issue(self, request: web.Request) -> web.StreamResponse:
        issue = self._find(request)
        wanted = request.query["fields"].split(",")
        fields = {name: value for name, value in issue["fields"].items() if name in wanted}
        return web.json_response({"id": issue["id"], "key": issue["key"], "fields": fields})

    async def _search(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        asked = await request.json()
        labels = set(re.findall(r'"(sluicegate-[0-9a-f-]{36})"', asked["jql"]))
        own = "creator = currentUser()" in asked["jql"]
        assert asked["jql"].startswith('project = "OPS" AND labels')
        found = [
            {"id": issue["id"], "key": key, "fields": {"status": issue["fields"]["status"]}}
            for key, issue in self.issues.items()
            if labels & set(issue["fields"]["labels"])
            and (not own or issue["fields"]["creator"]["accountId"] == ACCOUNT)
        ]
        return web.json_response({"issues": found[: asked["maxResults"]], "isLast": True})

    async def _changelog(self, request: web.Request) -> web.StreamResponse:
        history = self._find(request)["history"]
        start, most = int(request.query["startAt"]), min(int(request.query["maxResults"]), 2)
        page = history[start : start + most]
        last = start + most >= len(history)
        return web.json_response({"startAt": start, "total": len(history), "isLast": last, "values": page})

    async def _comments(self, request: web.Request) -> web.StreamResponse:
        assert request.query["orderBy"] == "-created"
        return web.json_response({"comments": self._find(request)["comments"][::-1]})

    async def _comment(self, request: web.Request) -> web.StreamResponse:
        issue, body = self._find(request), (await request.json())["body"]
        check_document(body)
        issue["comments"].append({"author": {"accountId": ACCOUNT}, "body": body})
        return web.json_response({"id": "1"}, status=201)

    async def _transitions(self, request: web.Request) -> web.StreamResponse:
        there = WORKFLOW.get(self._find(request)["fields"]["status"]["name"], [])
        return web.json_response({"transitions": [{"id": name.upper(), "name": name} for name in there]})

    async def _transition(self, request: web.Request) -> web.StreamResponse:
        issue, wanted = self._find(request), (await request.json())["transition"]["id"]
        name = next(name for name in WORKFLOW[issue["fields"]["status"]["name"]] if name.upper() == wanted)
        self.move(issue["key"], name, ACCOUNT)
        return web.Response(status=204)

    def _find(self, request: web.Request) -> dict[str, Any]:
        self._check(request)
        issue = self.issues.get(request.match_info["key"])
        if issue is None:
            raise web.HTTPNotFound(text='{"errorMessages":["Issue does not exist"]}')
        return issue

    def _check(self, request: web.Request) -> None:
        pair = base64.b64encode(f"{EMAIL}:{TOKEN}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {pair}":
            raise web.HTTPUnauthorized

    # -- people in front of it

    def move(self, key: str, status: str, who: str) -> None:
        """Somebody moves an issue."""
        fields = self.issues[key]["fields"]
        self._change(key, who, "status", fields["status"]["name"], status)
        fields["status"] = {"name": status}

    def edit(self, key: str, name: str, value: Any, who: str) -> None:
        """Somebody changes a field."""
        self._change(key, who, name, "before", "after")
        self.issues[key]["fields"][name] = value

    def say(self, key: str, words: str, who: str) -> None:
        """Somebody comments, in two paragraphs and with a mention."""
        mention = {"type": "mention", "attrs": {"id": "1", "text": "@bob"}}
        first, *more = words.split("\n")
        nodes = [{"type": "paragraph", "content": [{"type": "text", "text": first}, mention]}]
        nodes += [{"type": "paragraph", "content": [{"type": "text", "text": each}]} for each in more]
        body = {"type": "doc", "version": 1, "content": nodes}
        self.issues[key]["comments"].append({"author": {"accountId": who}, "body": body})

    def said(self, key: str) -> list[str]:
        """Our comments."""
        own = [each for each in self.issues[key]["comments"] if each["author"]["accountId"] == ACCOUNT]
        return [each["body"]["content"][0]["content"][0]["text"] for each in own]

    def _change(self, key: str, who: str, name: str, before: str, after: str) -> None:
        history = self.issues[key]["history"]
        item = {"field": name, "fromString": before, "toString": after}
        history.append({"id": str(500 + len(history)), "author": {"accountId": who}, "items": [item]})


@dataclass
class Hook:
    """A webhook as Jira sends it."""

    body: bytes
    headers: dict[str, str]


def webhook(key: str, *, secret: str = SECRET, at: float | None = None) -> Hook:
    """`jira:issue_updated`, signed."""
    when = int((time.time() if at is None else at) * 1_000)
    document = {"timestamp": when, "webhookEvent": "jira:issue_updated", "issue": {"key": key}}
    body = json.dumps(document).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Hub-Signature": f"sha256={digest}",
        "X-Atlassian-Webhook-Identifier": f"{key}-{when}",
    }
    return Hook(body, headers)


async def send(http: aiohttp.ClientSession, console: str, hook: Hook) -> int:
    """The status."""
    async with http.post(f"{console}/integrations/jira", data=hook.body, headers=hook.headers) as response:
        return response.status


def check_document(node: dict[str, Any]) -> None:
    """The Atlassian Document Format: known nodes, no empty text, no marks but ours."""
    assert node["type"] in ("doc", "paragraph", "codeBlock", "text")
    if node["type"] == "doc":
        assert node["version"] == 1
        assert node["content"]
    if node["type"] == "text":
        assert node["text"]
        assert {mark["type"] for mark in node.get("marks", ())} <= {"strong", "link"}
    for each in node.get("content", ()):
        check_document(each)
