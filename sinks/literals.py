"""Texts as literals of ClickHouse's SQL, for statements that can have no parameters."""


def text_literal(value: object) -> str:
    """`value` between quotes, so that nothing in it ends them."""
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
