"""Secrets of an integration, read when they are used: a file that changes counts from then on."""

from collections.abc import Iterable

from gateway.edge.credentials.injector import CredentialError
from gateway.edge.credentials.secret import Secret
from gateway.settings import SecretSource


class Secrets:
    """One secret, or several of which each is good while the newest replaces the others."""

    def __init__(self, integration: str, sources: Iterable[SecretSource]) -> None:
        self._secrets = tuple(Secret(source, integration) for source in sources)

    def text(self) -> str:
        """The newest. Raises CredentialError when it cannot be read."""
        if not self._secrets:
            raise CredentialError("no secret is configured")
        return self._secrets[0].text()

    def texts(self) -> list[str]:
        """All that can be read, the newest first. Raises CredentialError when none can."""
        found, fault = [], CredentialError("no secret is configured")
        for secret in self._secrets:
            try:
                found.append(secret.text())
            except CredentialError as error:
                fault = error
        if not found:
            raise fault
        return found
