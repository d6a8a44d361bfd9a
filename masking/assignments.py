"""Values that are assigned to a telling name, in whatever notation: JSON, YAML, dotenv, properties, INI,
XML, tables as kubectl prints them, flags, SQL, source code, `name`/`value` pairs.

Here a candidate is only cut out: which name, which value, how it stands there. `judge.py` decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Candidate(NamedTuple):
    """A value [start, end) under a name. `quote` is what it stands in, or ""; `sep` what stands between."""

    key: str
    start: int
    end: int
    value: str
    quote: str
    sep: str
    call: str
    before: str
    after: str


_CLOSE = r"""["'`\]\)\\]{0,6}"""
_PAIR = (
    r"""(?:(?:\s|\\{1,4}[nrt]|[,;/]){0,80}["'`\\]{0,6}(?:(?:default_?)?value|val|content)["'`\\]{0,6}\s{0,4}[:=]\s{0,20}"""
    r"""|;s:\d{1,5}:)"""
)
_TYPE = r"(?:\s{0,2}:?\s{1,2}(?:\*|&(?:'static\s)?)?(?:[Ss]tring|str|String\?|char\s?\*|text))"
_ANCHOR_NAME = r"(?:&\w{1,40}[ ]{1,4})"
_BLOCK = (
    rf":[ ]{{1,4}}{_ANCHOR_NAME}?[|>][-+0-9]{{0,2}}(?:\s|\\{{1,4}}[nr]){{1,40}}|:[ ]{{1,4}}{_ANCHOR_NAME}"
)
_SEP = (
    rf"(?:{_PAIR}|{_BLOCK}|</\w{{1,20}}>\s{{0,40}}<\w{{1,20}}>"
    rf"|{_TYPE}?\s{{0,10}}(?:\?\?=|[=!]==?|[:?.|+]{{0,3}}=>?|->|:|,|>|\|\|?)\s{{0,40}}"
    r"|\s{1,4}(?:or|\?\?)\s{1,4}|[ \t]{0,2}\([ \t]{0,2}|[ \t]{1,20})"
)
_CALL = r"(?:[A-Za-z_.\[\]]{0,30}[({\[]{1,2}\s{0,20})?"
_OPEN = r"""b?["'`\\]{0,6}"""
_STRONG = r"(?:pass|pasw|pssw|pwd|psw|pw|secret|token|cred|api[_.-]?key)"
_WEAK = r"(?:key|auth|sig|sid|seed|salt|nonce|cookie|sess|licen[cs]e|access|private|otp|jwt|cipher|_pat)"
_VALUE = r"[^\s\"'`<>{}\[\](),;:=|\\]"
_HEAD = rf"[\w.-]{{0,40}}{_CLOSE}{_SEP}{_CALL}"
_SIGNS_SOON = r"""(?:\\{1,16}["'`]?|["'`<>,;:|=(){}\[\]])"""
"""What may stand among the first characters of a password, in quotes or alone on its line."""
_BEGIN = rf"{_OPEN}(?:{_VALUE}{{3}}|{_VALUE}{{1,2}}{_SIGNS_SOON}{_VALUE})"
_BEGIN_QUOTED = r"""\\{0,8}["'](?:\{\\|[^\s"'`\\]{4})"""
STRONG = rf"(?i){_STRONG}{_HEAD}(?:{_BEGIN}|{_BEGIN_QUOTED})"
WEAK = rf"(?i){_WEAK}{_HEAD}{_OPEN}[A-Za-z0-9+/=_$!@%~-]{{9}}"
"""What the engine looks for: a telling name, what stands between, and the beginning of a value that may be secret."""

_ANCHOR = re.compile(
    rf"(?i)(?P<key>(?:{_STRONG}|{_WEAK})[\w.-]{{0,40}})(?P<close>{_CLOSE})(?P<sep>{_SEP})(?P<call>{_CALL})"
    rf"(?P<open>{_OPEN})(?={_VALUE}|(?<=[\"'])(?:\{{\\|[^\s\"'`\\]))",
    re.ASCII,
)
_KEY_HEAD = re.compile(r"[\w.$-]{0,60}", re.ASCII)
_BARE = re.compile(r"[^\s\"'`<>\\]{1,4096}")
_WORD = re.compile(r"\S{1,4096}")
_IN_TAGS = re.compile(r"[^\s<>]{1,4096}(?=</)")
_QUOTED = {
    quote: re.compile(rf"(?:[^{quote}\\\n]|\\.{twice}){{1,4096}}(?={quote})", re.DOTALL)
    for quote, twice in (('"', ""), ("'", "|''(?=[^'\\s])"), ("`", ""))
}
"""What stands in quotes; YAML and SQL write a single quote in single quotes twice."""


def candidates(view: str, places: Iterable[tuple[int, int]]) -> Iterator[Candidate]:
    """The candidates at these places, (start, end) of what the triggers found."""
    seen = set()
    begun = -1  # places with the same start are neighbours: one match stands for all
    for start, end in places:
        if start == begun:
            continue
        match = _ANCHOR.match(view, start)
        begun = start if match else -1
        match = match or _ANCHOR.search(view, start, end + 1)
        if match and match.end() not in seen:
            seen.add(match.end())
            candidate = _cut(view, match, match.end())
            if candidate:
                yield candidate
                yield from _others(view, match, candidate)


_NEXT = re.compile(r"""["'`]\s{0,40},\s{0,40}(?=["'`])""")


def _others(view: str, match: re.Match[str], first: Candidate) -> Iterator[Candidate]:
    """The further strings of a list: `"tokens": ["…", "…"]`."""
    if "[" not in match["call"] or not first.quote:
        return
    candidate: Candidate | None = first
    while candidate and (comma := _NEXT.match(view, candidate.end)):
        candidate = _cut(view, match, comma.end() + 1)
        if candidate:
            yield candidate


def _cut(view: str, match: re.Match[str], start: int) -> Candidate | None:
    opened = match["open"]
    quote = opened[-1:] if opened[-1:] in _QUOTED else ""
    value = _QUOTED[quote].match(view, start) if quote else None
    if value is None:
        quote = ""
        value = _BARE.match(view, start)
    if value is None:
        return None
    end = value.end()
    if not quote:
        if match["sep"].strip() == "=" and "\n" in match["sep"]:
            return None  # an empty value: what follows is the next line
        end = _bare_end(view, start, end, match["sep"])
    if end <= start or (quote and match["sep"].strip() not in _COMPARES and _IS_NAME.match(view, end)):
        return None
    head = _KEY_HEAD.match(view[max(0, match.start() - 60) : match.start()][::-1])
    begin = match.start() - (head.end() if head else 0)
    return Candidate(
        key=view[begin : match.end("key")],
        start=start,
        end=end,
        value=view[start:end],
        quote=quote,
        sep=match["sep"].strip() or " ",
        call=match["call"],
        before=view[max(0, begin - 24) : begin],
        after=view[end : end + 3],
    )


_COMPARES = frozenset(["==", "!=", "===", "!=="])
_IS_NAME = re.compile(r"""["'`]\s{0,4}:(?![:=])""")
_STOP = re.compile(r"[;,&|(){}\[\]]")
_STOP_OR_QUOTE = re.compile(r"""[;,&|(){}\[\]"'`?]""")
_CODE = re.compile(
    r"""^\$|[(\[{,=+]["'`]|["'`][)\]},;+]|\\+[nrt]["']?[\w.-]{1,40}["']?[=:]|^\w{0,3}(["'`]).*\1$|[(\[{;,]$|\\[nrt]$|<[/A-Za-z!]""",
    re.DOTALL,
)
"""What tells that a word with quotes in it is no value: calls, joined strings, `f"…"`, lines in one string."""


def _bare_end(view: str, start: int, end: int, sep: str) -> int:
    """Where a value without quotes ends. At the end of its line it may hold anything; else punctuation
    ends it.
    """
    if end < len(view) and view[end] in _SIGNS:
        whole = _with_signs(view, start, sep.strip())
        if whole:
            return whole
    alone = end == len(view) or view[end] in "\r\n"
    if alone and _assigns(sep.strip()) and not _STOP.search(view, end - 1, end):
        line = view.rfind("\n", 0, start) + 1
        if not _STOP.search(view, line, start) and "?" not in view[line:start]:
            return end
    stop = _STOP.search(view, start, end)
    return stop.start() if stop else end


def _assigns(sep: str) -> bool:
    """Whether this is the sign of a setting, or `value:` on a line below the name."""
    return sep in ("=", ":") or (len(sep) > 3 and sep[-1] in "=:" and sep not in _COMPARES)


_SIGNS = frozenset("\"'`<>\\")
_HEAD_MAX = 400


def _with_signs(view: str, start: int, sep: str) -> int:
    """The end of a value that goes on behind a quote, an angle or a backslash: all the rest of its line, or of its
    element. 0 if it does not look like that.
    """
    if sep == ">":
        inside = _IN_TAGS.match(view, start)
        return inside.end() if inside else 0
    if not _assigns(sep):
        return 0
    head = view[max(0, start - _HEAD_MAX) : start].rpartition("\n")[2]
    if len(head) == _HEAD_MAX or _STOP_OR_QUOTE.search(head):
        return 0
    word = _WORD.match(view, start)
    if word is None or _CODE.search(word.group()):
        return 0
    end = word.end()
    if end < len(view) and view[end] not in "\r\n":
        return 0
    return end - (view[end - 1] == "\\")
