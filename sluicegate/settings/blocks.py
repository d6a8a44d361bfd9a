"""What blocks of settings are made of: their base, and kinds of values with their rules."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from schemas.durations import seconds_in
from sluicegate.settings.addresses import (
    check_brokers,
    check_dsn,
    check_guarded_url,
    check_host,
    check_listen,
    check_origin,
    check_upstream,
    check_url,
)

MIB = 1024 * 1024
_Entry = TypeVar("_Entry")
_CONNECTION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Block(BaseModel):
    """A block of settings: nothing unknown, nothing converted, nothing changed later."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_default=True, hide_input_in_errors=True
    )


def named(pattern: re.Pattern[str], rule: str) -> Callable[[str], str]:
    """A check that a text is all `pattern`; else it is told the `rule`."""

    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(rule)
        return text

    return check


def some(entries: tuple[_Entry, ...]) -> tuple[_Entry, ...]:
    """`entries` when there are any."""
    # Not `min_length`: that one counts faulty entries as absent, and tells two faults where there is one.
    if not entries:
        raise ValueError("must have at least one entry")
    return entries


def _in_folder_of_file(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder", Path.cwd())
    # Links are not followed: the files that a cluster renews are links, which lead elsewhere after each renewal.
    return Path(os.path.abspath(Path(folder, path.expanduser())))


def _a_duration(text: str) -> str:
    seconds_in(text)
    return text


FilePath = Annotated[Path, AfterValidator(_in_folder_of_file)]
Listen = Annotated[str, AfterValidator(check_listen)]
Brokers = Annotated[str, AfterValidator(check_brokers)]
Dsn = Annotated[str, AfterValidator(check_dsn)]
Upstream = Annotated[str, AfterValidator(check_upstream)]
Url = Annotated[str, AfterValidator(check_url)]
GuardedUrl = Annotated[str, AfterValidator(check_guarded_url)]
Origin = Annotated[str, AfterValidator(check_origin)]
HostName = Annotated[str, AfterValidator(check_host)]
Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Duration = Annotated[
    str, AfterValidator(_a_duration), Field(json_schema_extra={"pattern": "^[0-9]{1,9}[smhd]$"})
]
Bytes = Annotated[int, Field(ge=1_024, le=1024 * MIB)]
Name = Annotated[
    str,
    AfterValidator(
        named(_CONNECTION_NAME, "must be 1 to 63 of letters, digits, `.`, `_`, `-`, a letter or digit first")
    ),
]
VariableName = Annotated[
    str, AfterValidator(named(_VARIABLE_NAME, "must be letters, digits and `_`, no digit first"))
]


class ServerTlsBlock(Block):
    """A part's own certificate."""

    certificate_file: FilePath = Field(description="Certificate, with those between (PEM).")
    key_file: FilePath = Field(description="Key of the certificate (PEM).")
