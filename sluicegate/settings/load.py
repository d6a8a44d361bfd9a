"""`load`: from a path to `Settings`, or to a `SettingsError` with every problem and its place."""

import json
import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sluicegate.settings.errors import Problem, SettingsError
from sluicegate.settings.file_rules import files_faults
from sluicegate.settings.model import Settings
from sluicegate.settings.rules import faults
from sluicegate.settings.shape import block_at, in_file
from sluicegate.settings.source import Document, Loc, parse

DEFAULT_FILE = Path("sluicegate.yaml")
FILE_BYTES_MAX = 1024 * 1024
STARTER = """\
data_dir: ./var
gateway: {listen: "127.0.0.1:8080"}
console: {listen: "127.0.0.1:8081"}
kafka: {bootstrap: embedded}
clickhouse: {dsn: embedded}
identity: {mode: none}        # nobody is asked who they are: loopback only
connections:
  - {name: demo, kind: mcp, upstream: "http://127.0.0.1:9000/mcp"}
"""

_PLAIN_WORDS = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text; put it in quotes",
    "tuple_type": "must be a list",
    "path_type": "must be a path; put it in quotes",
    "dict_type": "must be a block of `key: value`",
    "model_type": "must be a block of `key: value`",
    "model_attributes_type": "must be a block of `key: value`",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "literal_error": "must be {expected}",
    "finite_number": "must be a finite number",
    "string_too_short": "must not be empty",
    "value_error": "{error}",
}
_MISSING_HINTS: dict[Loc, str] = {
    ("identity",): "write `identity: {mode: none}`, which is allowed on loopback addresses only",
    ("approvals", "slack", "signing_secrets"): "what Slack sends is believed by it; write "
    "`signing_secrets: [{env: SLACK_SIGNING_SECRET}]`",
    ("connections",): 'write `connections: [{name: demo, upstream: "http://127.0.0.1:9000/mcp"}]`',
}


def load(
    path: Path | str = DEFAULT_FILE, environ: Mapping[str, str] | None = None, *, files: bool = False
) -> Settings:
    """The settings in the file at `path`; `${NAME}` comes from `environ` (default: the process's).

    Paths in the file are relative to its folder. With `files` the policies and certificates it names are read too:
    who is to use them wants to know now, and nobody else's work hangs on them. Raises SettingsError with all problems
    found; its text holds keys and rules only, never a value of the file.
    """
    file = Path(path)
    document = parse(_text(file), os.environ if environ is None else environ)
    if document.problems:
        raise SettingsError(file, document.problems)
    settings = _validate(document, file)
    found = [*faults(settings), *(files_faults(settings) if files else ())]
    problems = [_problem(document, loc, text) for loc, text in found]
    if problems:
        raise SettingsError(file, problems)
    return settings


def _text(file: Path) -> str:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        hint = f"there is no such file. Write one, for example:\n\n{STARTER}"
        raise SettingsError(file, [Problem(0, 0, hint)]) from None
    except OSError as error:
        raise SettingsError(file, [Problem(0, 0, f"cannot be read: {error.strerror}")]) from error
    if len(content) > FILE_BYTES_MAX:
        raise SettingsError(file, [Problem(0, 0, f"is larger than {FILE_BYTES_MAX} bytes")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise SettingsError(file, [Problem(line, column, "is not UTF-8 text; save it as UTF-8")]) from error


def _validate(document: Document, file: Path) -> Settings:
    value = {} if document.value is None else document.value
    try:
        # By way of JSON, where strict means: lists are lists and text is text, yet a list may become a tuple.
        context = {"folder": file.absolute().parent}
        return Settings.model_validate_json(json.dumps(value), context=context)
    except ValidationError as error:
        problems = [_from_pydantic(document, details) for details in error.errors(include_url=False)]
        raise SettingsError(file, problems) from None


def _from_pydantic(document: Document, details: ErrorDetails) -> Problem:
    loc, kind = in_file(details["loc"]), details["type"]
    if kind == "missing":
        hint = _MISSING_HINTS.get(loc)
        return _problem(document, loc, "is missing" + (f": {hint}" if hint else ""))
    if kind == "extra_forbidden":
        return _problem(document, loc, _unknown(details["loc"]), key=True)
    template = _PLAIN_WORDS.get(kind)
    text = template.format(**details.get("ctx", {})) if template else details["msg"]
    return _problem(document, loc, text)


def _problem(document: Document, loc: Loc, text: str, *, key: bool = False) -> Problem:
    line, column = document.place(loc, key=key)
    return Problem(line, column, f"{_dotted(loc)}: {text}" if loc else f"the file {text}")


def _dotted(loc: Loc) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _unknown(loc: Loc) -> str:
    known = list(block_at(loc[:-1]).model_fields)
    close = get_close_matches(str(loc[-1]), known, n=1)
    advice = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"
    return f"unknown setting; {advice}"
