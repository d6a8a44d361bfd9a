"""Templates of texts: `$name` and `${name}` for known names only, `$$` for the character itself."""

from collections.abc import Mapping
from string import Template

NAMES = (
    "approval",  # its id
    "what",  # the tool, or verb and object
    "tool",
    "object",
    "connection",
    "requester",
    "rule",
    "reason",
    "kind",
    "needs",  # who has to agree
    "until",
    "url",
)


class TemplateError(ValueError):
    """A template names something that there is not. The text says what, and what there is."""


def checked(text: str) -> Template:
    """The template, for settings to check before anything runs. Raises TemplateError."""
    template = Template(text)
    if not template.is_valid():
        raise TemplateError("a $ stands alone; write $$ for the character itself")
    unknown = [name for name in template.get_identifiers() if name not in NAMES]
    if unknown:
        raise TemplateError(f"${unknown[0]} is not known here; there are: {', '.join(NAMES)}")
    return template


def filled(template: Template, values: Mapping[str, str]) -> str:
    """The text; `values` has every one of `NAMES`."""
    return template.substitute(values)
