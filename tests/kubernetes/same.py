"""Whether two outputs are the same, apart from what must differ: which twin, when, and what was masked. Pure."""

from __future__ import annotations

import re

MASKED = re.compile(r"\[masked:[a-z0-9][a-z0-9-]{0,40}:[0-9a-f]{6}\]")
_MASKED_BASE64 = re.compile(r"W21hc2tlZD[0-9A-Za-z+/]+={0,2}")
_QUOTED = rf"'{MASKED.pattern}'"  # YAML quotes it, whether the secret needed quotes or not
AGE = r"(?<![\w.-])\d+[smhd](?:\d+[smh])?(?![\w-])"

BY_TIME = ((AGE, "AGE"), (r" {2,}|\t", " "))
"""Ages are of the moment, and the width of a column follows."""

BY_TWIN = (
    (r"\b(twin|node|more|made|asked)-[dt]\b", r"\1-TWIN"),
    (r"/[dt]/work", "/TWIN/work"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UID"),
    (r'(resourceVersion"?: ?"?)\d+', r"\1VERSION"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?", "TIME"),
    (r"\b10\.\d+\.\d+\.\d+\b", "ADDRESS"),
    (r"127\.0\.0\.1:\d+|\[::1\]:\d+", "LISTENER"),
    (r"(-[0-9a-f]{8,10})-[bcdfghjklmnpqrstvwxz2456789]{5}\b", r"\1-RANDOM"),
    (r"/tmp/[A-Z]+-\d+/", "/tmp/DIFF/"),
    (r"\b(TIME|\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d(?:\.\d+)? \+0000(?: UTC)?", "TIME"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \+0000(?: UTC)?", "TIME"),
)
"""Names, versions and times of one of two objects that were made alike."""


def plain(text: str, server: str, *, twins: bool) -> str:
    """The output without what must differ; `server` is the URL that this side was given."""
    text = text.replace(server, "SERVER")
    for pattern, word in (*(BY_TWIN if twins else ()), *BY_TIME):
        text = re.sub(pattern, word, text)
    return text


def masked_parts(through: str) -> int:
    """How many pseudonyms stand in an output."""
    return len(MASKED.findall(through)) + len(_MASKED_BASE64.findall(through))


def same(direct: str, through: str) -> bool:
    """Whether they are, where each pseudonym stands for something that is not empty."""
    if direct == through:
        return True
    parts = re.split(f"(?:{_QUOTED}|{MASKED.pattern}|{_MASKED_BASE64.pattern})", through)
    if len(parts) == 1:
        return False
    return re.fullmatch(".+?".join(map(re.escape, parts)), direct, re.DOTALL) is not None
