"""A secret that is being typed: its name has come, or its prefix, and its signs follow one by one.

Each of them is recorded before the next one comes, so there is no waiting for the whole.
"""

import re
from collections.abc import Iterator

from gateway.kubernetes.terminal_pieces import Hidden
from gateway.kubernetes.terminal_view import View

TYPED = "typed-secret"
LINE_MAX = 4096
_COMING = re.compile(
    rb"(?i:(?:pass|pwd|secret|token|cred|api[_.-]?key|access[_.-]?key|private[_.-]?key)[\w.-]{0,40}[\"']?"
    rb"\s{0,4}[=:]\s{0,4}[\"']?|\b(?:bearer|basic)\s+)"
    rb"(?P<value>[^\s\"'$({<;&|][^\s\"']*)\Z"
    rb"|\b(?:AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|[sr]k_live_|sk-|eyJ|AIza|ya29\.|npm_|hvs\."
    rb"|dckr_pat_|pypi-|hf_|SG\.)(?P<rest>[^\s\"']+)\Z"
)


def coming(before: bytes, new: bytes) -> Iterator[Hidden]:
    """The part of `new` that belongs to a value which a telling name, or its own prefix, announces as secret."""
    line = (before[-LINE_MAX:] + new).rpartition(b"\n")[2].rpartition(b"\r")[2]
    view = View(line)
    match = _COMING.search(view.text)
    if match:
        start = match.start("value") if match["value"] else match.start("rest")
        at = view.raw(start) - (len(line) - len(new))
        yield Hidden(max(0, at), len(new), TYPED)
