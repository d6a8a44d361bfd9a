"""A terminal shows what is typed into it. That is no news to who has typed it, and must not wait."""

EXPECTED_MAX = 4096


class Echo:
    """What the client has typed and a terminal has not shown yet."""

    def __init__(self) -> None:
        self._expected = b""

    def typed(self, payload: bytes) -> None:
        """The client has sent these bytes."""
        shown = payload.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
        self._expected = (self._expected + shown)[-EXPECTED_MAX:]

    def shows(self, payload: bytes) -> bool:
        """Whether this output is nothing but what was typed. If it is not, what was typed before is forgotten."""
        if payload and self._expected.startswith(payload):
            self._expected = self._expected[len(payload) :]
            return True
        self._expected = b""
        return False
