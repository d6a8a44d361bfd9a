"""Characters that a model reads and a person does not see, or sees as others.

What ordinary writing needs passes: emoji joined by ZWJ, one variation selector after what it can vary, the joiners of
scripts that join, accents, right-to-left letters. Source: Unicode 15 (general categories), UTS 51 (emoji), UTS 39
(mixed scripts).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

_INVISIBLE = {0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
_ZERO_WIDTH = {0x180E, 0x200B, 0x200C, 0x200D, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0xFEFF}
_BIDI = {0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_SELECTORS = {*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
_BY_CATEGORY = {
    "Cc": "control",
    "Cf": "invisible",
    "Cs": "unassigned",
    "Cn": "unassigned",
    "Co": "private-use",
}
_FLAG = "\U0001f3f4"
_FLAGS = re.compile(
    "\U0001f3f4(?:\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067|\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074"
    "|\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073)\U000e007f"
)  # England, Scotland, Wales: the only flags made of tags
_SUSPECT = re.compile(
    "[^\n\r\t\x20-\x7e\u00a1-\u00ac\u00ae-\u033f\u0370-\u05ff\u0620-\u06ff\u3001-\u3029\u3041-\u3096\u30a1-\u30fa"
    "\u4e00-\u9fff\uac00-\ud7a3]"
)
_JOINING = (
    "ARABIC",
    "SYRIAC",
    "MONGOLIAN",
    "DEVANAGARI",
    "BENGALI",
    "GURMUKHI",
    "GUJARATI",
    "ORIYA",
    "TAMIL",
)
_JOINING_TOO = ("TELUGU", "KANNADA", "MALAYALAM", "SINHALA", "KHMER", "MYANMAR", "TIBETAN")
_MIXED = {"LATIN", "CYRILLIC", "GREEK"}


class Hidden(NamedTuple):
    """Hidden text: its kind, where in the tool (a path such as `inputSchema.properties.a`), and how it looks escaped.

    Kinds: zero-width, bidi, tags, variation-selectors, private-use, invisible, control, unassigned, mixed-script,
    look-alike.
    """

    kind: str
    path: str
    shown: str


def hidden_kinds(text: str) -> tuple[str, ...]:
    """Kinds of what cannot be seen in `text`, in order of appearance; () for ordinary text."""
    if text.isascii() and text.isprintable():
        return ()
    text = _FLAGS.sub(_FLAG, text)
    found = (_kind(text, match.start()) for match in _SUSPECT.finditer(text))
    return tuple(dict.fromkeys(kind for kind in found if kind))


def misleading_kinds(name: str) -> tuple[str, ...]:
    """`hidden_kinds` of a name, and whether it looks like another one."""
    kinds = hidden_kinds(name)
    if name.isascii():
        return kinds
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in name if char.isalpha()}
    mixed = ("mixed-script",) if len(scripts & _MIXED) > 1 else ()
    alike = (
        ("look-alike",) if unicodedata.normalize("NFKC", name) != unicodedata.normalize("NFC", name) else ()
    )
    return (*kinds, *mixed, *alike)


def hidden_in(name: str, parts: Mapping[str, Any]) -> tuple[Hidden, ...]:
    """All that is hidden in a tool: in its name, in any text of its definition, in names of parameters."""
    found = [Hidden(kind, "name", shown(name)) for kind in misleading_kinds(name)]
    for path, text, is_name in _texts("", parts):
        kinds = misleading_kinds(text) if is_name else hidden_kinds(text)
        found += [Hidden(kind, shown(path), shown(text)) for kind in kinds]
    return tuple(found)


def shown(text: str, limit: int = 400) -> str:
    r"""`text` with all that cannot be seen as `\u{200b}`; longer ones are cut around the first such character."""
    first = next((i for i, char in enumerate(text) if _unseen(char)), 0)
    start = max(0, first - limit // 4) if len(text) > limit else 0
    piece = text[start : start + limit]
    body = "".join(f"\\u{{{ord(char):x}}}" if _unseen(char) else char for char in piece)
    return ("…" if start else "") + body + ("…" if start + limit < len(text) else "")


def tag_text(text: str) -> str:
    """What the tag characters in `text` spell; '' without any."""
    return "".join(chr(ord(char) - 0xE0000) for char in text if 0xE0020 <= ord(char) < 0xE007F)


def _unseen(char: str) -> bool:
    if " " <= char <= "~":
        return False
    category = unicodedata.category(char)
    return category in _BY_CATEGORY or category in ("Zl", "Zp", "Zs") or ord(char) in _INVISIBLE | _SELECTORS


def _texts(path: str, node: Any) -> Iterator[tuple[str, str, bool]]:
    """Every string below `node`, with its path and whether it is a name. Iterative: schemas may be deep."""
    todo = [(path, node)]
    while todo:
        at, value = todo.pop()
        if isinstance(value, str):
            yield at, value, False
        elif isinstance(value, dict):
            for key, child in value.items():
                below = f"{at}.{key}" if at else key
                yield below, key, True
                todo.append((below, child))
        elif isinstance(value, list):
            todo += [(f"{at}[{index}]", child) for index, child in enumerate(value)]


def _kind(text: str, at: int) -> str:
    """The kind of the character there, '' when it has its place."""
    code = ord(text[at])
    if 0xE0000 <= code < 0xE0080:
        return "tags"
    if code in _BIDI:
        return "bidi"
    if code in _SELECTORS:
        return "" if _varies(text, at) else "variation-selectors"
    if code in _ZERO_WIDTH:
        return "" if _joins(text, at) else "zero-width"
    if code in _INVISIBLE:
        return "invisible"
    return _BY_CATEGORY.get(unicodedata.category(text[at]), "")


def _varies(text: str, at: int) -> bool:
    """One selector after a character that has variants: an emoji or symbol, or an ideograph."""
    before = text[at - 1] if at else ""
    if not before or ord(before) in _SELECTORS:
        return False
    if text[at] in "\ufe0e\ufe0f":
        return before in "0123456789#*" or unicodedata.category(before) in (
            "So",
            "Sm",
            "Po",
            "Pd",
            "Lo",
            "Sk",
        )
    return "CJK UNIFIED" in unicodedata.name(before, "")


def _joins(text: str, at: int) -> bool:
    """A joiner between emoji, or (also ZWNJ) after a letter of a script that joins its letters."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not before or not after or text[at] not in "\u200c\u200d":
        return False
    if unicodedata.name(before, "").startswith((*_JOINING, *_JOINING_TOO)):
        return unicodedata.name(after, "").startswith((*_JOINING, *_JOINING_TOO))
    emoji = unicodedata.category(before) in ("So", "Sk") or before == "\ufe0f"
    return emoji and text[at] == "\u200d" and unicodedata.category(after) in ("So", "Sm")
