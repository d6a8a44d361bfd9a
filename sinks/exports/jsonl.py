"""Frames as JSON lines: one object a line, every field, in the order given. What a program reads best."""

import json
from collections.abc import Mapping
from typing import Any


def json_line(row: Mapping[str, Any]) -> str:
    """One line with its end. Line separators of Unicode are escaped: some readers end a line at them."""
    text = json.dumps(row, ensure_ascii=False)
    for odd in ("\u2028", "\u2029", "\u0085"):
        if odd in text:
            text = text.replace(odd, f"\\u{ord(odd):04x}")
    return text + "\n"
