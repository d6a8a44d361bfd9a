"""Kubernetes objects in a text that is still coming: may the last one turn out as a Secret, and has it ended?

kubectl prints the keys of an object in order, so that `data` comes before `kind`; the API server itself says `kind`
first. Both as JSON and as YAML.
"""

import re

_YAML_VERSION = re.compile(rb"^[ ]*(?:-[ ]+)*[\"']?apiVersion[\"']?:[ ]*[\"']?v1[\"']?[ ]*\r?$", re.MULTILINE)
_YAML_SECRET = re.compile(
    rb"^[ ]*(?:-[ ]+)*[\"']?kind[\"']?:[ ]*[\"']?Secret(?:List)?[\"']?[ ]*\r?$", re.MULTILINE
)
_YAML_KEY = re.compile(rb"[\"']?([A-Za-z][\w.-]*)[\"']?:(?=[ \r\n]|\Z)")
_JSON_VERSION = re.compile(rb"\"apiVersion\"\s*:\s*\"v1\"")
_JSON_SECRET = re.compile(rb"\"kind\"\s*:\s*\"Secret(?:List)?\"")
_JSON_TOKEN = re.compile(rb"(\"(?:[^\"\\]|\\.)*+\"?)(\s*:)?|[{}\[\]]", re.DOTALL)
_JSON_VALUE = re.compile(rb"\s*(?:\"[^\"]*\"|\[)")
_YAML_KIND_ABOVE = re.compile(rb"^[ ]*(?:-[ ]+)*[\"']?kind[\"']?:.*\n\Z", re.MULTILINE)
_JSON_KIND_COMING = re.compile(rb"\"kind\"\s*(?P<colon>:)?\s*(?P<quote>\")?(?P<value>(?<=\")[A-Za-z]*)?\Z")
_SECRET = b'Secret"}'
_DECIDING = (b"kind", b"items")


def undecided(text: bytes) -> int:
    """Where an object begins that may hold data of a Secret and is not whole; -1 for none."""
    places = []
    if b"apiVersion" in text or b"Secret" in text:
        places += [_yaml(text, match, until_end=False) for match in _YAML_VERSION.finditer(text)]
        places += [_json(text, match, until_end=False) for match in _JSON_VERSION.finditer(text)]
    if b"Secret" in text:
        places += [_yaml(text, match, until_end=True) for match in _YAML_SECRET.finditer(text)]
        places += [_json(text, match, until_end=True) for match in _JSON_SECRET.finditer(text)]
    return min((place for place in places if place >= 0), default=-1)


def closing(text: bytes) -> bytes:
    """What stands behind `text`, which is not looked at for longer, so that an object it breaks off in counts as a
    Secret if it can be one."""
    return as_secret(text) if undecided(text) >= 0 else b""


def as_secret(text: bytes) -> bytes:
    """What makes a Secret of the object that `text` breaks off in, standing behind it; b"" if it cannot be one."""
    for match in reversed(list(_JSON_VERSION.finditer(text))):
        closing = _json_closing(text, match.end())
        if closing:
            return closing
    for match in reversed(list(_YAML_VERSION.finditer(text))):
        if _yaml(text, match, until_end=False) >= 0:
            return b"\n" + b" " * _column(match.group()) + b"kind: Secret\n"
    return b""


def _yaml(text: bytes, match: "re.Match[bytes]", *, until_end: bool) -> int:
    """The start of the object that the line of `match` belongs to, if it goes on; else -1.

    `until_end` looks for its end, else what it is is enough.
    """
    column = _column(match.group())
    if not until_end and _YAML_KIND_ABOVE.search(
        text, text.rfind(b"\n", 0, match.start() - 1) + 1, match.start()
    ):
        return -1
    for line, whole in _lines(text, match.end()):
        if not line.strip():
            continue
        if not whole:
            break
        if _column(line) < column or line.startswith((b"---", b"...")):
            return -1
        if _column(line) == column:
            key = _YAML_KEY.match(line.lstrip(b" "))
            if key is None or (not until_end and key[1] in _DECIDING):
                return -1
    return _yaml_start(text, match.start(), column) if until_end else match.start()


def _yaml_start(text: bytes, at: int, column: int) -> int:
    """Where the mapping begins that has a key in this column on the line at `at`."""
    while at > 0:
        above = text.rfind(b"\n", 0, at - 1) + 1
        line = text[above : at - 1]
        if b"-" in text[at : at + column] or (line.strip() and _column(line) < column):
            return at
        if line.strip() and _column(line) == column and not _YAML_KEY.match(line.lstrip(b" -")):
            return at
        at = above
    return at


def _lines(text: bytes, at: int) -> "list[tuple[bytes, bool]]":
    """The lines behind the one that ends at `at`; whether each has ended."""
    rest = text[at:].partition(b"\n")[2]
    lines = rest.split(b"\n")
    return [(line, True) for line in lines[:-1]] + [(lines[-1], False)]


def _column(line: bytes) -> int:
    """The column of the key, behind any list dashes."""
    return len(line) - len(line.lstrip(b" -"))


def _json(text: bytes, match: "re.Match[bytes]", *, until_end: bool) -> int:
    brace, depth = _brace(text, match.start()), 0
    if not until_end and b'"kind"' in text[brace : match.start()]:
        return -1
    for token in _JSON_TOKEN.finditer(text, match.end()):
        sign = token.group()
        if sign in b"{[":
            depth += 1
        elif sign in b"}]":
            depth -= 1
            if depth < 0:
                return -1
        elif depth == 0 and not until_end and _decides(text, token):
            return -1
    return brace


def _decides(text: bytes, token: "re.Match[bytes]") -> bool:
    """Whether this key says what the object is, and its value is there."""
    return bool(token[2]) and token[1].strip(b'"') in _DECIDING and bool(_JSON_VALUE.match(text, token.end()))


def _brace(text: bytes, at: int) -> int:
    """The brace that opens the object around `at`; `at` itself where it is not to be seen."""
    depth = 0
    for place in range(at - 1, max(-1, at - 4096), -1):
        sign = text[place]
        if sign in b"}]":
            depth += 1
        elif sign in b"{[":
            if not depth:
                return place
            depth -= 1
    return at


def _json_closing(text: bytes, at: int) -> bytes:
    """What ends a JSON object that breaks off behind `at`, as a Secret; b"" if it has ended."""
    kind = _JSON_KIND_COMING.search(text, at)
    if kind and _SECRET.startswith(kind["value"] or b""):
        return (
            (b"" if kind["colon"] else b":")
            + (b"" if kind["quote"] else b'"')
            + _SECRET[len(kind["value"] or b"") :]
        )
    depth, last = 0, b""
    for token in _JSON_TOKEN.finditer(text, at):
        last = token.group()
        if last in b"{[":
            depth += 1
        elif last in b"}]":
            depth -= 1
            if depth < 0:
                return b""
    unclosed = last[:1] == b'"' and (len(last) < 2 or not last.endswith(b'"')) and text.endswith(last)
    return (b'"' if unclosed else b"") + b"}" * depth + b',"kind":"Secret"}'
