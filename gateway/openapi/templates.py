"""Path templates: which one a path is of. What is concrete wins over what is templated (OpenAPI 3.1.1, 4.8.8.2)."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote, unquote

T = TypeVar("T")
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_SAFE = "!$&'()*+,=:@~"  # what stands plain in a path that the gateway lets through


class TemplateError(ValueError):
    """Not a path template; the text says why."""


@dataclass(slots=True)
class _Node(Generic[T]):
    """One place in the tree of segments. `mixed`: segments that are text and parameters, the most text first."""

    plain: dict[str, "_Node[T]"] = field(default_factory=dict)
    mixed: list[tuple[re.Pattern[str], "_Node[T]"]] = field(default_factory=list)
    any: "_Node[T] | None" = None
    leaf: T | None = None


class Templates(Generic[T]):
    """What belongs to a path, by its template. Looking one up costs about a microsecond a segment."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._wide: list[tuple[int, re.Pattern[str], T]] = []

    def at(self, template: str, leaf: T, wide: Collection[str] = ()) -> T:
        """What stands at this template: `leaf`, or what was put there before under other names of parameters.

        `wide`: parameters whose values may have slashes in them. Raises TemplateError.
        """
        if not template.startswith("/"):
            raise TemplateError("a path begins with /")
        node = self._root
        for segment in template[1:].split("/"):
            node = self._below(node, segment)
        if node.leaf is None:
            node.leaf = leaf
        if wide:
            self._widened(template, node.leaf, wide)
        return node.leaf

    def _widened(self, template: str, leaf: T, wide: Collection[str]) -> None:
        """The same for values with slashes, behind all that matches without them; the most text first."""
        parts = _PARAMETER.split(template)
        text = "".join(parts[::2])
        pattern = "".join(
            (".+" if part in wide else "[^/]+")
            if index % 2
            else re.escape(quote(unquote(part), safe=_SAFE + "/"))
            for index, part in enumerate(parts)
        )
        if all(known.pattern != pattern for _, known, _ in self._wide):
            self._wide.append((len(text), re.compile(pattern), leaf))
            self._wide.sort(key=lambda each: -each[0])

    def of(self, path: str) -> T | None:
        """What belongs to a path in its normal form, None when no template is of it."""
        if not path.startswith("/"):
            return None
        found = _found(self._root, path[1:].split("/"), 0)
        if found is None:
            return next((leaf for _, pattern, leaf in self._wide if pattern.fullmatch(path)), None)
        return found

    def _below(self, node: _Node[T], segment: str) -> _Node[T]:
        names = _PARAMETER.findall(segment)
        if "{" in _PARAMETER.sub("", segment) or "}" in _PARAMETER.sub("", segment):
            raise TemplateError(f"the braces in {segment!r} do not close")
        if not names:
            return node.plain.setdefault(quote(unquote(segment), safe=_SAFE), _Node())
        if _PARAMETER.fullmatch(segment):
            node.any = node.any or _Node()
            return node.any
        pattern = "".join(
            "([^/]+?)" if index % 2 else re.escape(quote(unquote(part), safe=_SAFE))
            for index, part in enumerate(_PARAMETER.split(segment))
        )
        for known, below in node.mixed:
            if known.pattern == pattern:
                return below
        node.mixed.append((re.compile(pattern), _Node()))
        node.mixed.sort(key=lambda each: -len(each[0].pattern))
        return next(below for known, below in node.mixed if known.pattern == pattern)


def _found(node: _Node[T], segments: list[str], index: int) -> T | None:
    if index == len(segments):
        return node.leaf
    segment = segments[index]
    below = node.plain.get(segment)
    found = _found(below, segments, index + 1) if below is not None else None
    if found is not None or not segment:
        return found
    for pattern, mixed in node.mixed:
        if pattern.fullmatch(segment) and (found := _found(mixed, segments, index + 1)) is not None:
            return found
    return _found(node.any, segments, index + 1) if node.any is not None else None
