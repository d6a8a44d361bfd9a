"""Which statements pass into the sandbox: reading ones that stay within the store. Pure.

Everything is refused that is not known: kinds of node, functions, tables, formats. The walls of the process and the
engine's own grants stand behind this; here it is said in words what is wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from sinks.sql.configuration import SYSTEM_TABLES
from sinks.sql.syntax import Node

_ROOTS = frozenset(
    {"SelectWithUnionQuery", "SelectIntersectExceptQuery", "DescribeQuery", "Explain", "ShowTables"}
)
_PLAIN = frozenset(
    {
        "ArrayJoin", "Asterisk", "ColumnsExceptTransformer", "ColumnsListMatcher", "ColumnsRegexpMatcher",
        "ColumnsReplaceTransformer", "ColumnsReplaceTransformer::Replacement", "ColumnsTransformerList",
        "ExpressionList", "InterpolateElement", "Literal", "OrderByElement", "QualifiedAsterisk",
        "QualifiedColumnsListMatcher", "QualifiedColumnsRegexpMatcher", "SampleRatio", "SelectQuery",
        "SelectIntersectExceptQuery", "SelectWithUnionQuery", "Subquery", "TableExpression", "TableJoin",
        "TablesInSelectQuery", "TablesInSelectQueryElement", "WindowDefinition", "WindowListElement", "WithElement",
    }
)  # fmt: skip
_TABLE_FUNCTIONS = frozenset({"numbers", "zeros", "values", "generateseries", "generate_series"})
_COMBINATORS = (
    "SimpleState", "MergeState", "OrDefault", "Distinct", "Resample", "ForEach", "OrNull", "ArgMin", "ArgMax",
    "Array", "Merge", "State", "Map", "If",
)  # fmt: skip
FORMATS = frozenset(
    {
        "Arrow", "ArrowStream", "CSV", "CSVWithNames", "CSVWithNamesAndTypes", "JSON", "JSONColumns",
        "JSONColumnsWithMetadata", "JSONCompact", "JSONCompactColumns", "JSONCompactEachRow",
        "JSONCompactEachRowWithNames", "JSONCompactEachRowWithNamesAndTypes", "JSONCompactStrings",
        "JSONCompactStringsEachRow", "JSONCompactStringsEachRowWithNames",
        "JSONCompactStringsEachRowWithNamesAndTypes", "JSONEachRow", "JSONLines", "JSONObjectEachRow",
        "JSONStrings", "JSONStringsEachRow", "Markdown", "NDJSON", "Native", "Null", "Parquet", "Pretty",
        "PrettyCompact", "PrettySpace", "RowBinary", "RowBinaryWithNames", "RowBinaryWithNamesAndTypes", "TSKV",
        "TSV", "TSVRaw", "TSVWithNames", "TSVWithNamesAndTypes", "TabSeparated", "TabSeparatedRaw",
        "TabSeparatedRawWithNames", "TabSeparatedRawWithNamesAndTypes", "TabSeparatedWithNames",
        "TabSeparatedWithNamesAndTypes", "Values", "Vertical", "XML",
    }
)  # fmt: skip


class RefusedError(ValueError):
    """The statement is not let in. The message says what in it, for the one who wrote it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the engine has. `functions` are all of its functions, in lower case; `database` the one to be read."""

    database: str
    databases: frozenset[str]
    functions: frozenset[str]


@cache
def allowed_functions() -> frozenset[str]:
    """Functions of a value alone, or of rows: they reach no file, no address and nothing of the machine."""
    text = files("sinks.sql").joinpath("functions.txt").read_text(encoding="utf-8")
    return frozenset(
        word.lower() for line in text.splitlines() if not line.startswith("#") for word in line.split()
    )


def check(nodes: list[Node], known: Known) -> str:
    """The format that the statement itself asks for, '' for none. Raises RefusedError."""
    if not nodes or nodes[0].kind not in _ROOTS:
        kind = nodes[0].kind if nodes else "nothing"
        raise RefusedError(f"only SELECT, DESCRIBE, EXPLAIN and SHOW TABLES are possible here, not {kind}")
    form = ""
    for parent, node in _with_parents(nodes):
        if parent in _ROOTS and node.kind == "Literal":
            raise RefusedError("INTO OUTFILE is not available here: the answer comes to you")
        if parent in _ROOTS and node.kind == "Identifier":  # what stands behind a statement: FORMAT name
            form = checked_format(node.name)
        else:
            _check_node(node, parent, known)
    return form


def _check_node(node: Node, parent: str, known: Known) -> None:
    if node.kind == "Function":
        _check_function(node.name, table=parent == "TableExpression")
    elif node.kind == "TableIdentifier":
        _check_table(node.name, known)
    elif node.kind == "Identifier":
        _check_identifier(node.name, known)
    elif node.kind == "Set":
        raise RefusedError("SETTINGS are not available here; pass them with the question (max_result_rows=…)")
    elif node.kind == "ColumnsApplyTransformer":
        raise RefusedError("APPLY is not available here; name the function for each column")
    elif node.kind not in _PLAIN | _ROOTS:
        raise RefusedError(f"{node.kind} is not available here")


def _check_function(name: str, *, table: bool) -> None:
    if table:
        if name.lower() not in _TABLE_FUNCTIONS:
            raise RefusedError(
                f"the table function {name}() reaches outside the store and is not available here"
            )
    elif not _is_allowed(name):
        raise RefusedError(
            f"{name}() is not available here: it reads the machine or other systems, or is not known to be harmless"
        )


def _is_allowed(name: str) -> bool:
    """Combinators make further aggregates of the known ones: countIf, sumMapIf, uniqExactStateArray."""
    allowed = allowed_functions()
    while name.lower() not in allowed:
        ending = next((one for one in _COMBINATORS if name.lower().endswith(one.lower())), "")
        if not ending or len(name) == len(ending):
            return False
        name = name[: -len(ending)]
    return True


def _check_table(name: str, known: Known) -> None:
    """A name without a database is of the one that is open; the engine finds nothing else under it."""
    database, dot, table = name.partition(".")
    if not dot or database == known.database or (database == "system" and table in SYSTEM_TABLES):
        return
    raise RefusedError(f"the table {name} is not available here: ask the views of {known.database}")


def _check_identifier(name: str, known: Known) -> None:
    """A column; but `IN name` takes a table, and functions that take functions take a name for one."""
    first, _dot, rest = name.partition(".")
    if rest and first in known.databases - {known.database} and rest.partition(".")[0] not in SYSTEM_TABLES:
        raise RefusedError(f"{name} is not available here: ask the views of {known.database}")
    for word in (name, name.rpartition(".")[2]):
        if word.lower() in known.functions and not _is_allowed(word):
            raise RefusedError(f"{name} is the name of a function that is not available here")


def checked_format(name: str) -> str:
    """`name`, when answers are given in it. Raises RefusedError."""
    if name not in FORMATS:
        raise RefusedError(f"answers are not given as {name} here; JSON, CSVWithNames, Native, Parquet … are")
    return name


def _with_parents(nodes: list[Node]) -> Iterable[tuple[str, Node]]:
    above: list[str] = []
    for node in nodes:
        del above[node.depth :]
        yield (above[-1] if above else "", node)
        above.append(node.kind)
