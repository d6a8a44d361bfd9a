"""Text that was recorded, made harmless to read: what acts on a screen without being seen is shown as a mark.

HTML is escaped by the templates; that leaves control characters, and those that turn the direction of writing.
"""

import unicodedata

from markupsafe import Markup, escape

_KEPT = frozenset("\n\t")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))


def hidden(char: str) -> bool:
    """Whether a character acts without being seen: controls, formats (bidi, zero width), lone surrogates."""
    return char not in _KEPT and unicodedata.category(char) in _HIDDEN


def plain(text: str) -> str:
    """With `⟦U+202E⟧` in place of each hidden character; for attributes and for whatever is not `shown`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"⟦U+{ord(char):04X}⟧" if hidden(char) else char for char in text)


def shown(value: object) -> Markup:
    """As HTML, each hidden character as a mark with its name."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return escape(text)
    return Markup("").join(_mark(char) if hidden(char) else char for char in text)


def _mark(char: str) -> Markup:
    name = unicodedata.name(char, "control character").lower()
    return Markup('<span class="hidden-char" title="{}">U+{:04X}</span>').format(name, ord(char))
