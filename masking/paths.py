"""Where in a structured text a redaction stands: `$.items[0].data.token` in JSON, the keys above it in
YAML.

Wrapped texts give a path a level, joined by ` / `: `$.result.content[0].text / $.data.token`.
"""

from __future__ import annotations

import re

_STRING = re.compile(r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+(?:"|$|(?=\n))', re.DOTALL)
_KEY = re.compile(_STRING.pattern + r"\s*+:", re.DOTALL)
_PLAIN = r'"[^"\\\n]*+"'
_TOKEN = re.compile(
    rf"(?:{_PLAIN}\s*+:\s*+(?:{_PLAIN}|[-\w.]++)\s*+,\s*+)*+({_STRING.pattern}(?:\s*+:)?|[{{}}\[\],])",
    re.DOTALL,
)
"""One token, and before it the members of an object that have plain values and others behind them: no path goes
through those.
"""
_YAML_KEY = re.compile(r"""[ ]*(?:-[ ]+)*(?:["']?([\w./-]+)["']?[ ]*:(?=[ \r\n]|$))?""")
_LINES_MAX = 5000
"""Lines that are looked at above a redaction in YAML; a path may then lack its outer keys."""


def locate(view: str, starts: list[int]) -> list[str]:
    """The path of each of these ascending offsets; "" where the text has no structure."""
    if view.lstrip()[:1] in ("{", "["):
        return _in_json(view, starts)
    return [_in_yaml(view, start) for start in starts]


def _in_json(view: str, starts: list[int]) -> list[str]:
    """Takes the tokens before each start, all at once: one call for a thousand tokens is what makes it fast."""
    paths: list[str] = []
    stack: list[str | int] = []
    done = inside = 0
    for start in starts:
        if start >= inside:
            end = _whole_escapes(view, done, start)
            tokens = _TOKEN.findall(view, done, end)
            done = end
            if tokens and _is_half(tokens[-1]) and view.startswith(tokens[-1], end - len(tokens[-1])):
                done = end - len(tokens.pop())
                inside = _string_end(view, done) if start < starts[-1] else end
            _take(tokens, stack)
        paths.append(_spelled(stack))
    return paths


def _whole_escapes(view: str, begin: int, end: int) -> int:
    """The end, or one more where it would part a backslash from what it escapes."""
    slashes = end
    while slashes > begin and view[slashes - 1] == "\\":
        slashes -= 1
    return end + (end - slashes) % 2


def _is_half(token: str) -> bool:
    """Whether this is the beginning of a string that goes on behind the end of what was read."""
    if token[0] != '"' or (token[-1] == ":" and _KEY.fullmatch(token)):
        return False
    body = token[1:-1].rstrip("\\")
    return len(token) == 1 or token[-1] != '"' or (len(token) - 2 - len(body)) % 2 == 1


def _string_end(view: str, begin: int) -> int:
    string = _STRING.match(view, begin)
    return string.end() if string else begin


def _take(tokens: list[str], stack: list[str | int]) -> None:
    """Changes the stack of open containers, each with its key or how far it is."""
    for token in tokens:
        character = token[0]
        if character == '"':
            if token[-1] == ":" and stack:
                stack[-1] = token
        elif character == ",":
            if stack and type(stack[-1]) is int:
                stack[-1] += 1
        elif character in "{[":
            stack.append(0 if character == "[" else "")
        elif stack:
            stack.pop()


def _spelled(stack: list[str | int]) -> str:
    return "$" + "".join(map(_step, stack))


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    key = part[1 : max(1, part.rfind('"'))]
    return f".{key}" if key else ""


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
