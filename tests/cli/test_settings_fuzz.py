"""Whatever is wrong with a file, it is told as a fault with its place: nothing else is raised, and no value shown."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluicegate.settings import SettingsError, load

WHOLE: dict[str, Any] = {
    "identity": {
        "mode": "oidc",
        "public_url": "https://gw.example.com",
        "issuers": [{"name": "a", "issuer": "https://id.example.com", "claims": {"groups": "roles"}}],
        "session_tokens": {"ttl_seconds": 60},
    },
    "gateway": {"listen": "0.0.0.0:8443", "hosts": ["gw.example.com"], "limits": {"exchanges_max": 5}},
    "telemetry": {"sample_ratio": 0.5},
    "approvals": {
        "listen": "0.0.0.0:8444",
        "public_url": "https://approve.example.com",
        "audiences": ["people"],
        "wait": {"stream": "5m", "calls_max": 50},
        "people": [
            {"names": ["https://id.example.com|ann", "terminal:ann@pc", "slack:T/U"], "groups": ["sec"]}
        ],
        "slack": {"bot_token": {"env": "A"}, "signing_secrets": [{"env": "A"}], "channels": [{"id": "C"}]},
        "teams": {"url": {"env": "A"}},
        "webhooks": [{"name": "w", "secrets": [{"env": "A"}], "decisions": True}],
        "jira": {
            "url": "https://j.example.com",
            "token": {"env": "A"},
            "project": "OPS",
            "fields": {"a": [1]},
        },
        "servicenow": {
            "url": "https://s.example.com",
            "username": "u",
            "password": {"env": "A"},
            "settled": {"denied": {"state": "4"}},
        },
    },
    "findings": {
        "responses": {"exempt": ["|root"]},
        "alerts": [{"name": "ops", "urls": [{"env": "A"}], "severities": ["high"], "connections": ["a"]}],
        "silences": [{"until": "2026-07-28T18:00:00Z", "by": "ann", "why": "a drill"}],
    },
    "connections": [
        {
            "name": "a",
            "host": "a.example.com",
            "labels": {"env": "prod"},
            "upstream": "https://up.example.com/mcp",
            "access": {"groups": ["g"], "when": "true", "requests": {"reviewers": ["sre"], "for_max": "1h"}},
            "quota": {"rate": {"per_second": 5}, "concurrent": 3},
            "tools": {"on_change": "hold", "reviewers": ["sre"]},
            "credential": {"kind": "basic", "username": "u", "secret": {"env": "A"}},
            "tls": {"server_name": "b.example.com"},
            "masking": {
                "profile": "strict",
                "rules": [{"id": "a", "pattern": "x{3}"}],
                "allow": ["a"],
                "forms": {"jwt": {"keep_last": 2}},
            },
            "masking_by_group": {"g": "secrets"},
        },
        {
            "name": "b",
            "upstream": "https://up.example.com/mcp",
            "credential": {
                "kind": "token_exchange",
                "token_url": "https://id.example.com/token",
                "client_id": "gw",
                "secret": {"env": "A"},
            },
        },
        {"name": "c", "command": ["serve"], "env": {"A": "b"}, "stdio": {"processes_max": 2}},
    ],
}
CANARY = "cAnArY-3f9b"


def places(value: Any, loc: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where anything stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [loc, *(place for key, inner in items for place in places(inner, (*loc, key)))]


def at(document: Any, loc: tuple[Any, ...]) -> Any:
    for part in loc:
        document = document[part]
    return document


def told(folder: Path, document: Any) -> str:
    """The faults of a file that holds `document`; '' when it is good."""
    file = folder / "s.yaml"
    file.write_text(json.dumps(document, indent=1))
    try:
        load(file, {}, files=True)
    except SettingsError as error:
        return str(error).replace(f"{folder}/", "")
    return ""


PLACES = [place for place in places(WHOLE) if place]
VALUES = st.recursive(
    st.one_of(
        st.sampled_from(
            [None, True, 0, -1, 1.5, 10**30, "", CANARY, "<block>", "<header>", "a b", "https://"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="$"), max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["kind", "env", "file", "secret", "header", "id", "<rule>", "[key]", CANARY]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES, st.booleans()), min_size=1, max_size=3))
def test_any_change_of_a_file_is_read_or_told(
    tmp_path: Path, changes: list[tuple[tuple[Any, ...], Any, bool]]
) -> None:
    document = copy.deepcopy(WHOLE)
    for loc, value, renamed in changes:
        try:
            block = at(document, loc[:-1])
            if renamed and isinstance(block, dict):
                block[f"{loc[-1]}x"] = block.pop(loc[-1])
            else:
                block[loc[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    for line in told(tmp_path, document).splitlines():
        assert line.startswith("s.yaml:"), line
        assert json.dumps(document).count("<") or "<" not in line


def test_the_whole_file_is_good(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(json.dumps(WHOLE))
    assert load(file, {}).gateway_settings()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_secret_in_the_wrong_place_is_not_told(tmp_path: Path, place: tuple[Any, ...]) -> None:
    document = copy.deepcopy(WHOLE)
    at(document, place[:-1])[place[-1]] = CANARY
    assert CANARY not in told(tmp_path, document)
