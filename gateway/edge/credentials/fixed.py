"""The same credential on every request: bearer, basic, or a header of its own."""

import time
from base64 import b64encode

from gateway.edge.credentials.injector import CredentialError, Stripping
from gateway.edge.credentials.secret import Clock, Secret
from gateway.frames.credentials import is_credential
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import FixedCredential


class Fixed(Stripping):
    """Made once a version of the secret."""

    def __init__(self, credential: FixedCredential, secret: Secret, clock: Clock = time.monotonic) -> None:
        self._credential = credential
        self._secret = secret
        self._clock = clock
        self._name = credential.header.lower().encode("ascii") or b"authorization"
        self._covered = is_credential(self._name)
        self._made_of = 0
        self._made: tuple[bytes, bytes] = (b"", b"")

    def __repr__(self) -> str:
        return f"<Fixed {self._credential.kind}>"

    def strip(self, headers: Headers) -> Headers:
        """See `Injector`. The client's header of our own's name is taken off too."""
        kept = super().strip(headers)
        return kept if self._covered else [pair for pair in kept if pair[0] != self._name]

    async def headers(self, principal: Principal, client_token: str) -> Headers:  # noqa: ARG002
        """See `Injector`."""
        if self._clock() >= self._secret.look_at or not self._made_of:
            self._make()
        return [self._made]

    def _make(self) -> None:
        self._made_of = 0
        text = self._secret.text()
        self._made = (self._name, self._value(text))
        self._made_of = self._secret.version

    def _value(self, text: str) -> bytes:
        if self._credential.kind == "basic":
            return b"Basic " + b64encode(f"{self._credential.username}:{text}".encode())
        if not text.isascii():
            raise CredentialError("its secret holds characters that no header takes")
        return (b"Bearer " if self._credential.kind == "bearer" else b"") + text.encode("ascii")
