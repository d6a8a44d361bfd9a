"""Where in a structured text a redaction stands: `$.items[0].data.token` in JSON, the keys above it in
YAML.

Wrapped texts give a path a level, joined by ` / `: `$.result.content[0].text / $.data.token`.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|$|(?=\n))(\s*+:)?|[{}\[\],]', re.DOTALL)
_YAML_KEY = re.compile(r"""[ ]*(?:-[ ]+)*(?:["']?([\w./-]+)["']?[ ]*:(?=[ \r\n]|$))?""")
_LINES_MAX = 5000
"""Lines that are looked at above a redaction in YAML; a path may then lack its outer keys."""


def locate(view: str, starts: list[int]) -> list[str]:
    """The path of each of these ascending offsets; "" where the text has no structure."""
    if view.lstrip()[:1] in ("{", "["):
        return _in_json(view, starts)
    return [_in_yaml(view, start) for start in starts]


def _in_json(view: str, starts: list[int]) -> list[str]:
    paths: list[str] = []
    stack: list[str | int] = []
    for match in _TOKEN.finditer(view):
        begin = match.start()
        while len(paths) < len(starts) and starts[len(paths)] < begin:
            paths.append(_spelled(stack))
        if len(paths) == len(starts):
            break
        character = view[begin]
        if character == '"':
            inside = starts[len(paths)] < match.end()
            if match[1] is not None and stack and not inside:
                stack[-1] = view[begin + 1 : view.rindex('"', begin, match.end())]
        elif character in "{[":
            stack.append(0 if character == "[" else "")
        elif character == ",":
            _next(stack)
        elif stack:
            stack.pop()
    return paths + [_spelled(stack)] * (len(starts) - len(paths))


def _next(stack: list[str | int]) -> None:
    if stack and isinstance(stack[-1], int):
        stack[-1] += 1


def _spelled(stack: list[str | int]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in stack if part != "")


def _in_yaml(view: str, start: int) -> str:
    keys: list[str] = []
    end = view.find("\n", start)
    indent = 1 << 30
    for _ in range(_LINES_MAX):
        begin = view.rfind("\n", 0, end if end >= 0 else len(view)) + 1
        line = view[begin : end if end >= 0 else len(view)]
        match = _YAML_KEY.match(line)
        depth = match.start(1) if match and match[1] else -1
        if match and 0 <= depth < indent:
            keys.append(match[1])
            indent = depth
        if begin == 0 or indent == 0 or line.startswith("---"):
            break
        end = begin - 1
    return "$." + ".".join(reversed(keys)) if keys else ""
