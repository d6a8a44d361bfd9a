"""Where in the bytes of one connection requests begin and end."""

from gateway.edge.guard.chunks import Chunks
from gateway.edge.guard.faults import FaultError
from gateway.edge.guard.heads import CHUNKED, HEAD_BYTES_MAX, RequestHead, read_head
from gateway.edge.guard.lines import REQUEST_LINE_MAX, check_partial
from gateway.edge.guard.upgrades import TakesSockets, takes_none

_EMPTY_LINE = b"\r\n"


class Follower:
    """One request at a time. `whole`: all of it has come, and `next` must be called before more is taken.

    `begun`: some of the request has come; `in_body`: all of its head, too; `upgrade`: what it wants to change to.
    """

    def __init__(self, sockets: TakesSockets = takes_none) -> None:
        self.upgrade = b""
        self._sockets = sockets
        self.whole = self.begun = self.in_body = False
        self.kept = b""  # the beginning of a head whose end has not come
        self._skipped = False
        self._left = 0
        self._chunks: Chunks | None = None

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """What may be parsed now, and what comes after the end of the request. Raises FaultError."""
        if self.in_body:
            return self._body(data)
        if self.kept:
            if b"\n" not in data:  # no line has ended: nothing new to be seen, and nothing is read twice
                return self._more_of_line(data)
            data = self.kept + data
        head = read_head(data, self._sockets)
        if head is None:
            return self._partial(data)
        self.kept = b""
        if head.length == len(data) - head.size and head.data is None:
            self.whole = True
            return data, b""
        return self._begun(head, data)

    def next(self) -> None:
        """The request has been answered: the next one begins."""
        self.whole = self.begun = self.in_body = self._skipped = False
        self.upgrade = b""
        self._chunks = None

    def _more_of_line(self, data: bytes) -> tuple[bytes, bytes]:
        self.kept += data
        bound = REQUEST_LINE_MAX + (HEAD_BYTES_MAX if _EMPTY_LINE in self.kept else 0)
        if len(self.kept) > bound:
            check_partial(self.kept)
        return b"", b""

    def _partial(self, data: bytes) -> tuple[bytes, bytes]:
        self.begun = True
        if data.startswith(_EMPTY_LINE):
            return self._over_empty_line(data[2:])
        check_partial(data)
        self.kept = data
        return b"", b""

    def _over_empty_line(self, data: bytes) -> tuple[bytes, bytes]:
        """RFC 9112, 2.2: an empty line before a request is to be ignored. One, not a stream of them."""
        if self._skipped:
            raise FaultError("malformed_head", "empty lines before the request")
        self._skipped = True
        self.kept = b""
        return self.take(data) if data else (b"", b"")

    def _begun(self, head: RequestHead, data: bytes) -> tuple[bytes, bytes]:
        self.begun = self.in_body = True
        self.upgrade = head.upgrade
        if head.length == CHUNKED:
            self._chunks = Chunks()
        else:
            self._left = head.length
        passed = data[: head.size] if head.data is None else head.data
        body, rest = self._body(data[head.size :])
        return passed + body, rest

    def _body(self, data: bytes) -> tuple[bytes, bytes]:
        if self._chunks is not None:
            used = self._chunks.feed(data)
            self.whole = self._chunks.done
        else:
            used = min(self._left, len(data))
            self._left -= used
            self.whole = not self._left
        if used == len(data):
            return data, b""
        return data[:used], data[used:]
