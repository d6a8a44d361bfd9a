"""From a request to the operation that it is of."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gateway.openapi.document import OpenApiError, base_paths, read_document, resolved
from gateway.openapi.templates import TemplateError, Templates

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `name` is its operationId, or `METHOD /template` where it has none; `route` the template."""

    name: str
    route: str
    summary: str = ""
    tags: tuple[str, ...] = ()

    def parameters(self, path: str) -> dict[str, str]:
        """The values of its path parameters, where each is a whole segment of `path` (without the base path)."""
        pairs = zip(self.route.split("/"), path.split("/"), strict=False)
        return {part[1:-1]: unquote(value) for part, value in pairs if part[:1] == "{" and part[-1:] == "}"}


class Operations:
    """The operations of one document, as they are reached over one connection."""

    def __init__(self, file: Path, document: Mapping[str, Any], upstream: str) -> None:
        self._templates: Templates[dict[str, Operation]] = Templates()
        names: dict[str, str] = {}
        for method, operation, wide, where in _operations(file, document):
            other = names.setdefault(operation.name, where)
            if other != where:
                raise OpenApiError(
                    file, where, f"operationId {operation.name} stands at {other} too; rename one"
                )
            try:
                known = self._templates.at(operation.route, {}, wide)
            except TemplateError as exc:
                raise OpenApiError(file, where, f"{exc}; correct the path") from exc
            if method in known:
                raise OpenApiError(
                    file, where, f"it is the same path as {known[method].route}; leave one out"
                )
            known[method] = operation
        self.count = len(names)
        self._before, self._base = _alignment(base_paths(document), upstream, map(str, document["paths"]))

    def of(self, method: str, target: str) -> Operation | None:
        """The operation of a request for `target` (normal form, as upstream gets it behind the path of its URL)."""
        path = self.path_of(target)
        found = self._templates.of(path) or self._templates.of(path.rstrip("/")) if path else None
        if found is None:
            return None
        return found.get(method.lower()) or (found.get("get") if method == "HEAD" else None)

    def path_of(self, target: str) -> str:
        """The path as the document has it; '' where it lies beside the API's base path."""
        path = self._before + target
        if not self._base:
            return path
        return path[len(self._base) :] if path.startswith(self._base + "/") else ""


def operations_of(file: Path, upstream: str) -> Operations:
    """The operations that the document in `file` has for the API at the URL `upstream`. Raises OpenApiError."""
    return Operations(file, read_document(file), upstream)


def _operations(
    file: Path, document: Mapping[str, Any]
) -> Iterator[tuple[str, Operation, frozenset[str], str]]:
    """Each operation with its method (lower case), its parameters whose values may have slashes, and where it is."""
    for template, reference in document["paths"].items():
        if str(template).startswith("x-"):
            continue
        escaped = str(template).replace("~", "~0").replace("/", "~1")
        item = resolved(file, document, reference, f"#/paths/{escaped}")
        for method in METHODS:
            said = item.get(method)
            if said is None:
                continue
            where = f"#/paths/{escaped}/{method}"
            if not isinstance(said, dict):
                raise OpenApiError(file, where, "it is no object")
            parameters = [
                resolved(file, document, each, where)
                for holder in (item, said)
                for each in holder.get("parameters") or ()
            ]
            wide = frozenset(str(each.get("name")) for each in parameters if each.get("x-multi-segment"))
            yield method, _operation(method, str(template), said), wide, where


def _operation(method: str, template: str, said: Mapping[str, Any]) -> Operation:
    tags = said.get("tags")
    return Operation(
        str(said.get("operationId") or f"{method.upper()} {template}"),
        template,
        str(said.get("summary") or ""),
        tuple(map(str, tags)) if isinstance(tags, list) else (),
    )


def _alignment(bases: tuple[str, ...], upstream: str, templates: Iterable[str]) -> tuple[str, str]:
    """What stands before a target, and what is taken off that: decided once, so that no client decides it.

    An upstream at or below a base path of the document is where the document says. So is one whose path the document
    writes out. Any other is an installation of its own, with the API right behind its path.
    """
    own = urlsplit(upstream).path.rstrip("/")
    for base in sorted(filter(None, bases), key=len, reverse=True):
        if (own + "/").startswith(base + "/"):
            return own, base
    if not own:
        return "", bases[0]
    return (own if any(template.startswith(own + "/") for template in templates) else ""), ""
