"""Write docs/reference/kubernetes-operations.md out of the operations: `python -m tests.kubernetes.table`."""

from __future__ import annotations

from itertools import groupby

from tests.kubernetes.sides import Operation, operations
from tests.kubernetes.versions import ETCD, HERE, KUBERNETES, KWOK

FILE = HERE.parent.parent / "docs" / "reference" / "kubernetes-operations.md"
_GROUPS = {
    "read": "Reading",
    "create": "Creating",
    "change": "Changing",
    "streams": "Logs, exec, attach, cp, port-forward, watch, debug, proxy",
    "python": "The Python client",
    "delete": "Deleting",
}
_SHOWN = 110


def main() -> None:
    """Writes the page."""
    FILE.write_text(page(operations()))
    print(FILE)


def page(table: list[Operation]) -> str:
    """The whole page, in Markdown."""
    parts = [_head(len(table))]
    parts += [_section(name, list(group)) for name, group in groupby(table, key=lambda each: each.group)]
    return "\n".join(parts)


def _head(count: int) -> str:
    return f"""# What kubectl and other clients do through the gateway

`make kubernetes` runs these {count} operations twice, against a real control plane (kube-apiserver {KUBERNETES},
etcd {ETCD}, its controller manager, pods by kwok {KWOK}): directly, and through the gateway. For each of them it
checks that

- the exit code, the output and the complaints are the same, but for what was masked. Names, ids, versions and times
  of objects that were made twice are taken out before; where an object is only read, ages alone are;
- no secret of the run is shown;
- the trail has a record of it, with the verb and resource that stand in the last column;
- every request that the API server's own audit log has of that time is in the trail, with the same verb, API group,
  version, resource, subresource, namespace and name; and no request of the direct run is.

kubectl and the Python client are those of Kubernetes 1.36. Two things to know: `kubectl proxy` wants
`--append-server-path`, because the server's URL has a path; and an object that was masked can be edited and applied,
since kubectl sends only what changed, but cannot be fetched and put back as a whole (`kubectl replace`): the
pseudonyms would go with it, and the gateway refuses that.

The page is written by `python -m tests.kubernetes.table`.
"""


def _section(name: str, group: list[Operation]) -> str:
    rows = [_row(operation) for operation in group]
    return "\n".join(
        [f"## {_GROUPS[name]}", "", "| operation | command | in the trail |", "|---|---|---|", *rows, ""]
    )


def _row(operation: Operation) -> str:
    record = f"`{operation.record}`" if operation.record else "nothing: the client asks nobody"
    masked = ", masked" if operation.masked else ""
    return f"| {operation.name} | `{_command(operation)}` | {record}{masked} |"


def _command(operation: Operation) -> str:
    """Its first line of kubectl or Python, cut; as one cell of a table."""
    lines = [line.strip() for line in operation.run.splitlines()]
    first = next((line for line in lines if "kubectl" in line), lines[0])
    cut = first if len(first) <= _SHOWN else first[:_SHOWN].rstrip() + " …"
    return cut.replace("|", "\\|").replace("`", "'")


if __name__ == "__main__":
    main()
