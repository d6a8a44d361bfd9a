"""What a PDF that we made says."""

from __future__ import annotations

import re
import zlib


def texts(pdf: bytes) -> str:
    """What is drawn, in order."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", pdf, re.DOTALL)
    pages = [zlib.decompress(each) for each in streams if each[:1] == b"x"]
    drawn = re.findall(rb"\(((?:[^()\\]|\\.)*)\) Tj|\[((?:[^\[\]\\]|\\.)*)\] TJ", b"\n".join(pages))
    return b" ".join(
        one or b"".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)", many)) for one, many in drawn
    ).decode("latin-1")
