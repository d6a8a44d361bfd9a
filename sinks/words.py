"""Frames and exchanges in words: what is done, to what, and how it ended. Rows in, text out; no I/O."""

import re

from sinks.readers import Exchange, Frame

_OBJECT = ("apiGroup", "resource", "subresource", "namespace", "name")
_OWN_PREFIX = re.compile(r"^/k8s/[^/]+")


def act(row: Frame | Exchange) -> tuple[str, str]:
    """(what is done, to what): method and tool of MCP, verb and object of Kubernetes, method and path of HTTP."""
    facts = row["attributes"]
    if row["protocol"] == "kubernetes":
        return facts.get("k8s.verb", "") or row["http_method"].lower(), kubernetes_object(row)
    if row["protocol"] == "http":
        return row["http_method"], facts.get("http.operation", "") or row["http_path"].partition("?")[0]
    return row["method"], row["tool"] or row["resource"]


def kubernetes_object(row: Frame | Exchange) -> str:
    """As `v_kubernetes` has it: `apps/deployments/scale prod/web`, `pods prod/*`, or a path."""
    facts = {name: row["attributes"].get(f"k8s.objectRef.{name}", "") for name in _OBJECT}
    if not facts["resource"]:
        return _OWN_PREFIX.sub("", row["http_path"].partition("?")[0])
    what = "/".join(filter(None, (facts["apiGroup"], facts["resource"], facts["subresource"])))
    namespace = facts["namespace"] if facts["resource"] != "namespaces" else ""
    return f"{what} " + "/".join(filter(None, (namespace, facts["name"] or "*")))


def outcome(frame: Frame) -> str:
    """How it stands with the exchange after this frame, in words: the terminal outcome, errors, the reason."""
    words = [] if frame["outcome"] == "pending" else [frame["outcome"]]
    if frame["jsonrpc_error"] is not None:
        words.append(f"error {frame['jsonrpc_error']}")
    if frame["tool_is_error"]:
        words.append("tool error")
    if frame["reason_code"]:
        words.append(frame["reason_code"])
    return ", ".join(words)
