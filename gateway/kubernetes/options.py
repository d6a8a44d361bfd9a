"""Options of a request, as the API server finds them: in its query, or in the body of a delete."""

from dataclasses import dataclass
from typing import Any, Final

from gateway.kubernetes.carried import CONNECTS, Carried
from gateway.kubernetes.info import RequestInfo
from gateway.kubernetes.queries import Query, first, flag

# They take the option and act all the same
_NEVER_DRY: Final = frozenset({("serviceaccounts", "token")})
_WRITES: Final = frozenset({"create", "update", "patch"})
_DELETES: Final = frozenset({"delete", "deletecollection"})
_OF_POD: Final = frozenset({"exec", "attach", "log"})


@dataclass(slots=True)
class Options:
    """`grace_period_seconds` is -1 where none is given. `dry_run`: nothing is kept of what is asked."""

    dry_run: bool = False
    field_manager: str = ""
    force: bool = False
    propagation_policy: str = ""
    grace_period_seconds: int = -1
    command: tuple[str, ...] = ()
    container: str = ""
    stdin: bool = False
    tty: bool = False
    follow: bool = False


def options_of(info: RequestInfo, query: Query, body: Carried) -> Options:
    """The options that are in force."""
    options = Options()
    if not info.resource_request:
        return options
    if info.verb in _DELETES:
        _deleting(options, query, body)
    elif info.subresource in _OF_POD or info.subresource in CONNECTS:
        _inside(options, info.subresource, query)
    elif info.verb in _WRITES:
        options.dry_run = (
            _all(query.get("dryRun", ())) and (info.resource, info.subresource) not in _NEVER_DRY
        )
        options.field_manager = first(query, "fieldManager")
        options.force = flag(query, "force")
        if info.subresource == "eviction":
            _evicting(options, body)
    return options


def _deleting(options: Options, query: Query, body: Carried) -> None:
    """The query counts only where there is no body."""
    if body.shown or not body.known:
        _from_object(options, body.object)
        return
    options.dry_run = _all(query.get("dryRun", ()))
    options.propagation_policy = first(query, "propagationPolicy")
    options.grace_period_seconds = _seconds(first(query, "gracePeriodSeconds"))


def _evicting(options: Options, body: Carried) -> None:
    asked = body.object.get("deleteOptions")
    if isinstance(asked, dict):
        dry = options.dry_run
        _from_object(options, asked)
        options.dry_run = options.dry_run or dry


def _from_object(options: Options, given: dict[str, Any]) -> None:
    dry, policy = given.get("dryRun"), given.get("propagationPolicy")
    options.dry_run = isinstance(dry, list) and _all(tuple(dry))
    options.propagation_policy = policy if isinstance(policy, str) else ""
    seconds = given.get("gracePeriodSeconds")
    options.grace_period_seconds = seconds if type(seconds) is int else -1


def _inside(options: Options, subresource: str, query: Query) -> None:
    """Of a pod: a command, its channels, its log."""
    options.container = first(query, "container")
    options.stdin = flag(query, "stdin")
    options.tty = flag(query, "tty")
    options.follow = subresource == "log" and flag(query, "follow")
    options.command = query.get("command", ()) if subresource == "exec" else ()


def _all(given: tuple[Any, ...]) -> bool:
    """Whether a dry run is asked for: `All` is the only kind there is."""
    return bool(given) and all(each == "All" for each in given)


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
