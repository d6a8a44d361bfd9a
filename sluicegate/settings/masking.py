"""The setting `masking` of a connection: the name of a profile, or a block with rules and exceptions of its own."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from sluicegate.settings.blocks import Block, FilePath, Name, Text

Profile = Literal["secrets", "secrets+pii", "strict", "strict+pii", "off"]


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        raise ValueError("is not a regular expression as Python knows them") from None
    return text


class MaskingRuleBlock(Block):
    """One rule, as those that come with Sluicegate are written."""

    id: Name = Field(description="Name of the rule on the record.")
    pattern: Text = Field(
        description="Regular expression of bounded width; its group `secret`, or all of it, is masked."
    )
    kind: Text | None = Field(default=None, description="What the pseudonym says it is; not given: `id`.")
    trigger: str = Field(default="", description="Regular expression that is looked for first.")
    filters: tuple[Text, ...] = Field(default=(), description="Checks that what is found must pass.")
    entropy: float = Field(
        default=0.0, ge=0, le=8, allow_inf_nan=False, description="Least bits a character of what is found."
    )
    names: tuple[Text, ...] = Field(
        default=(), description="What stands at `{names}` in the pattern, in turn."
    )
    replacement: str = Field(default="", description="Text that is written instead of the pseudonym.")
    keep_first: int = Field(
        default=0, ge=0, le=8, description="Characters at the beginning that stay before the pseudonym."
    )
    keep_last: int = Field(
        default=0, ge=0, le=8, description="Characters at the end that stay behind the pseudonym."
    )
    examples: tuple[Text, ...] = Field(default=(), description="Texts that the pattern must find; checked.")
    counter_examples: tuple[Text, ...] = Field(
        default=(), description="Texts in which it must find nothing; checked."
    )


class FormBlock(Block):
    """What is written for findings of a rule instead of the pseudonym alone."""

    replacement: str = Field(default="", description="Text that is written instead of the pseudonym.")
    keep_first: int = Field(
        default=0, ge=0, le=8, description="Characters at the beginning that stay before the pseudonym."
    )
    keep_last: int = Field(
        default=0, ge=0, le=8, description="Characters at the end that stay behind the pseudonym."
    )


def _rule_tag(value: Any) -> str:
    return "<file>" if isinstance(value, str | Path) else "<rule>"


RuleEntry = Annotated[
    Annotated[FilePath, Tag("<file>")] | Annotated[MaskingRuleBlock, Tag("<rule>")], Discriminator(_rule_tag)
]


class MaskingBlock(Block):
    """A profile with rules and exceptions of this connection."""

    profile: Profile = Field(default="secrets", description="The profile that the rest is added to.")
    rules: tuple[RuleEntry, ...] = Field(
        default=(), description="Rules of one's own: each a TOML file with `[[rule]]` tables, or a block."
    )
    allow: tuple[Annotated[str, Field(min_length=1), AfterValidator(_compiles)], ...] = Field(
        default=(), description="Regular expressions; a value that one matches as a whole stays."
    )
    leave: tuple[Text, ...] | None = Field(
        default=None, description="Rules whose findings stay; not given: as the profile has it."
    )
    forms: dict[Name, FormBlock] = Field(
        default={}, description="By rule, what is written for its findings instead of the pseudonym alone."
    )


class SealedBlock(Block):
    """Unmasked bodies, kept for who holds a key that is not on the gateway."""

    recipient: Text = Field(
        description="The age recipient (`age1…`) who can open them; its key is kept elsewhere."
    )
    retention_hours: int = Field(
        default=24, ge=1, le=8_760, description="They are deleted after so many hours."
    )


def _masking_tag(value: Any) -> str:
    return "<profile>" if isinstance(value, str) else "<block>"


Masking = Annotated[
    Annotated[Profile, Tag("<profile>")] | Annotated[MaskingBlock, Tag("<block>")],
    Discriminator(_masking_tag),
]


def rules_at(masking: MaskingBlock, index: int) -> tuple[Mapping[str, Any], ...]:
    """The rules of one entry, as tables. Raises masking.RuleFileError for a file that is none of rules."""
    entry = masking.rules[index]
    if not isinstance(entry, Path):
        return (entry.model_dump(mode="json", exclude_defaults=True),)
    from masking import read_rules  # noqa: PLC0415 - takes its time to import; few files of settings need it

    return read_rules(entry)
