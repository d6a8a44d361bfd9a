"""Which SQL a person may send: one statement that only reads, and only what the store holds.

A ClickHouse server has users and grants, and they are the boundary there. The embedded engine has none, and reads
files and addresses for whoever asks: so functions that reach outside are refused by name here. That is a fence
for the owner of the store, who is the only one with the token, not a wall against an enemy.
"""

import re
from collections.abc import Iterator

from sinks.readers import ReadError

STATEMENT_BYTES_MAX = 64 * 1024

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)
  | (?P<text>'(?:[^'\\]|\\.|'')*')
  | (?P<name>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*"|[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>\d[A-Za-z0-9_.]*)
  | (?P<heredoc>\$[A-Za-z0-9_]*\$)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENERS = frozenset({"select", "with", "show", "describe", "desc", "explain", "exists", "from"})
_REFUSED_WORDS = frozenset({"outfile", "infile", "format", "settings"})
# Table functions and scalars that read or reach what is not the store's.
_OUTSIDE = re.compile(
    r"(file|url|s3|gcs|oss|cosn|hdfs|azure|remote|cluster|mysql|postgresql|sqlite|mongo|redis|jdbc|odbc|executable"
    r"|python|iceberg|deltalake|hudi|paimon|ytsaurus|arrowflight|prometheus|input|dict|catboost|icebergs3"
    r"|dataframe|arrow_?stream|getclienthttpheader|sleep|objectstorage)",
)


def check_statement(sql: str) -> str:
    """`sql` without what ends it, when it is one statement that only reads. Raises ReadError otherwise."""
    if len(sql.encode()) > STATEMENT_BYTES_MAX:
        raise ReadError(f"the statement is longer than {STATEMENT_BYTES_MAX // 1024} KB")
    bare = sql.strip().rstrip(";").rstrip()
    tokens = list(_tokens(bare))
    if not tokens:
        raise ReadError("there is no statement")
    opener = next((text.lower() for kind, text in tokens if text != "("), "")
    if opener not in _OPENERS:
        raise ReadError(
            "only reading is possible here: start with SELECT, WITH, SHOW, DESCRIBE, EXPLAIN or EXISTS"
        )
    _check_words(tokens)
    return bare


def _check_words(tokens: list[tuple[str, str]]) -> None:
    following = [*tokens[1:], ("end", "")]
    for (kind, text), (_next_kind, next_text) in zip(tokens, following, strict=True):
        if text == ";":
            raise ReadError("one statement at a time: there is a ; inside")
        if kind != "name":
            continue
        word = text.strip('`"').lower()
        if next_text == "(" and _OUTSIDE.match(word):
            raise ReadError(f"{text}() reaches outside the store and is not available here")
        if word in _REFUSED_WORDS and text[0] not in '`"':
            raise ReadError(
                f"{text.upper()} is not available here: the output format and the limits are fixed"
            )
        if word == "default" and next_text == ".":
            raise ReadError("the database `default` is not available here: name the store's own")


def _tokens(sql: str) -> Iterator[tuple[str, str]]:
    """(kind, text) of each token that is neither space nor comment. Raises ReadError on what it cannot read."""
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup or "other"
        if kind == "heredoc":
            raise ReadError("$-quoted text is not available here; write '…'")
        if kind == "other" and match[0] in "'`\"":
            raise ReadError("a quote is not closed")
        if kind != "space":
            yield kind, match[0]
