"""The request target as upstream gets it: the path of its URL, the client's below that, and both queries."""

from gateway.effects import Forward


def wire_target(base: str, request: Forward) -> str:
    """`base`: path and query of upstream's URL. What the client asked for below it comes after its path."""
    target = base
    if request.target:
        path, mark, query = base.partition("?")
        target = path.rstrip("/") + request.target + mark + query
    if request.query:
        target += ("&" if "?" in target else "?") + request.query
    return target
