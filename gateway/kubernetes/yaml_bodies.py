"""YAML bodies, read as the API server reads them, or not at all.

Source: sigs.k8s.io/yaml over go.yaml.in/yaml/v2, which is YAML 1.1 but for some scalars. What people and versions of
YAML read in two ways is refused: `yes`, `0777`, `1_000`, tags, anchors, aliases, merges, a second document.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from gateway.frames import strict_json
from gateway.kubernetes.problem import NotReadError

BYTES_MAX: Final = 256 * 1024
"""Of what is no JSON: reading YAML takes its time."""

_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_DOUBTFUL: Final = re.compile(
    r"y|n|yes|no|on|off|true|false|null|[-+]?\.(?:inf|nan)|[-+]?[0-9][0-9_]*|[-+]?0[xob][0-9a-f_]+"
    r"|[-+]?[0-9_]*\.?[0-9_]+(?:e[-+]?[0-9]+)?|[-+]?[0-9_]+\.(?:e[-+]?[0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9]*)?"
    r"|=|<<",
    re.IGNORECASE,
)
_EXPONENT: Final = re.compile(rb"[0-9.][eE][-+0-9]")
_BINARY: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def yaml_to_object(body: bytes, depth_max: int) -> Any:
    """The value of a body; most are JSON, which YAML reads alike. Raises NotReadError."""
    if not _EXPONENT.search(body):
        fault, value = strict_json.read(body, depth_max)
        if not fault:
            return value
    if len(body) > BYTES_MAX:
        raise NotReadError(f"a YAML body has at most {BYTES_MAX} bytes; send JSON")
    try:
        text = body.decode("utf-8")
        return _Reader(yaml.parse(text, Loader=yaml.CSafeLoader), depth_max).document()
    except UnicodeDecodeError:
        raise NotReadError("the body is not UTF-8") from None
    except yaml.YAMLError as error:
        raise NotReadError(f"the body is not YAML: {_told(error)}") from None


class _Reader:
    """Events to values, so that nothing is made of what is refused."""

    def __init__(self, events: Iterator[yaml.Event], depth_max: int) -> None:
        self._events = events
        self._depth_max = depth_max

    def document(self) -> Any:
        """The one document of the stream."""
        next(self._events)  # the stream's start
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), 0)
        next(self._events)
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise NotReadError("the body has a second YAML document; send one")
        return value

    def _value(self, event: yaml.Event, depth: int) -> Any:
        if depth > self._depth_max:
            raise NotReadError(f"the body is nested more than {self._depth_max} levels deep")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise NotReadError("the body has YAML anchors or aliases; write out what they stand for")
        if getattr(event, "tag", None) is not None:
            raise NotReadError("the body has YAML tags; leave them out")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth)
        assert isinstance(event, yaml.ScalarEvent)
        return _scalar(event)

    def _sequence(self, depth: int) -> list[Any]:
        found = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, depth + 1))
        return found

    def _mapping(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if isinstance(key, int) and not isinstance(key, bool):
                key = str(key)
            if not isinstance(key, str):
                raise NotReadError("a key of a YAML body must be text; put it in quotes")
            if key in found:
                raise NotReadError("the body has a key twice")
            found[key] = self._value(next(self._events), depth + 1)
        return found


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if event.style:  # quoted, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _DOUBTFUL.fullmatch(text):
        raise NotReadError(
            "the body has plain text that YAML's versions read in two ways (as yes, 0777 or 1_000); put it in quotes"
        )
    return text


def _told(error: yaml.YAMLError) -> str:
    """What is wrong and where, without the text itself, which may be secret."""
    problem = getattr(error, "problem", None) or "it cannot be read"
    mark = getattr(error, "problem_mark", None)
    return f"{problem}, line {mark.line + 1}" if mark else str(problem)
