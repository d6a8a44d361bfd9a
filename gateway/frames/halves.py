"""What must not be cut in two where text comes in pieces: a character of UTF-8, a private key."""

import re

KEY_BYTES_MAX = 64 * 1024
"""What claims to be a private key and is longer is none."""

KEY_BEGINS = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
KEY_ENDS = b"-----END "


def half_character(text: bytes) -> int:
    """Where a character of UTF-8 begins of which not all bytes have come; the length of `text` for none."""
    for back in range(1, min(4, len(text) + 1)):
        byte = text[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return len(text) - back if needed > back else len(text)
    return len(text)
