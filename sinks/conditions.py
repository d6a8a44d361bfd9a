"""From a filter to conditions of SQL: text with `{name:Type}` parameters, never with a value inside."""

from typing import Any

from sinks.filters import AdminFilter, ApprovalFilter, FindingFilter, FrameFilter, Scope, SessionFilter

Filter = FrameFilter | SessionFilter | AdminFilter | FindingFilter | ApprovalFilter
Query = tuple[str, dict[str, Any]]

SCOPE = "connection IN {connections:Array(String)}"
"""The viewer's scope, for rows that have a connection."""


def time(name: str) -> str:
    """The parameter `name`, an ISO time."""
    return f"parseDateTime64BestEffort({{{name}:String}}, 6, 'UTC')"


def given(wanted: Filter, known: dict[str, str], scope: str = SCOPE) -> tuple[list[str], dict[str, Any]]:
    """(conditions, values) of what `wanted` asks for, out of the `known` ones; its scope is always among them."""
    values = {name: getattr(wanted, name) for name in known if getattr(wanted, name)}
    conditions = [known[name] for name in values]
    bound, scoped = within(wanted.connections, scope)
    return [*conditions, *bound], {**values, **scoped}


def within(connections: Scope, scope: str = SCOPE) -> tuple[list[str], dict[str, Any]]:
    """(conditions, values) of a scope: none where everything may be seen."""
    return ([], {}) if connections is None else ([scope], {"connections": list(connections)})


def where(conditions: list[str]) -> str:
    """The WHERE clause, '' when there is nothing to hold."""
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""
