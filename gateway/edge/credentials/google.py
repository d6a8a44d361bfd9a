"""Access tokens of Google Cloud by google-auth: for its APIs, and for the Kubernetes API of GKE, which takes them."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from google.auth.compute_engine import _metadata
from google.auth.exceptions import GoogleAuthError

from gateway.edge.credentials.google_faults import fault_of
from gateway.edge.credentials.google_source import Source, project_of, source_of
from gateway.edge.credentials.google_transport import GoogleTransport
from gateway.edge.credentials.held import HeldToken
from gateway.edge.credentials.injector import CredentialError, Stripping
from gateway.edge.credentials.secret import Clock
from gateway.edge.credentials.threads import Threads
from gateway.edge.credentials.token import Token, token_of
from gateway.frames.headers import Headers
from gateway.sessions import Principal
from gateway.settings import GoogleToken

ASK_SECONDS = 30.0
QUOTA = b"x-goog-user-project"


class GoogleCredential(Stripping):
    """One token for all callers. The project that requests count towards goes with it, where one is set."""

    def __init__(
        self,
        settings: GoogleToken,
        connection: str,
        *,
        transport: GoogleTransport | None = None,
        clock: Clock = time.monotonic,
        ask_seconds: float = ASK_SECONDS,
    ) -> None:
        self._settings = settings
        self._transport = transport or GoogleTransport()
        self._held = HeldToken(connection, clock)
        self._threads = Threads("Google", ask_seconds)
        self._quota = [(QUOTA, settings.quota_project.encode("ascii"))] if settings.quota_project else []
        self._known = {
            "cloud.provider": "gcp",
            **_said(settings.impersonate, project_of(settings.impersonate)),
        }

    def strip(self, headers: Headers) -> Headers:
        """See `Injector`. Where a project is set, the client does not say another one."""
        kept = super().strip(headers)
        return [pair for pair in kept if pair[0] != QUOTA] if self._quota else kept

    async def headers(self, principal: Principal, client_token: str) -> Headers:  # noqa: ARG002
        """See `Injector`."""
        held = self._held.now(self._ask) or await self._held.wait(self._ask)
        return [*held, *self._quota]

    def known(self) -> Mapping[str, str]:
        """See `Injector`. Whom a file or the metadata server names is known once a token was had."""
        return self._known

    async def close(self) -> None:
        """See `Injector`."""
        await self._held.close()
        self._transport.close()

    async def _ask(self) -> Token:
        token, known = await self._threads.run(self._fetch)
        self._known = {**self._known, **known}
        return token

    def _fetch(self) -> tuple[Token, Mapping[str, str]]:
        """A token, and whose it is. It blocks: run in a thread."""
        source = source_of(self._settings)
        try:
            source.credentials.refresh(self._transport)
            known = self._whose(source)
        except (GoogleAuthError, ValueError, KeyError, TypeError) as error:
            raise fault_of(error, self._transport.status, self._transport.skew_seconds) from None
        said = {"access_token": source.credentials.token, "token_type": "Bearer"}
        return token_of({**said, "expires_in": self._life(source)}), known

    def _life(self, source: Source) -> float:
        """Of a token whose end Google's clock tells, by that clock."""
        ends = source.credentials.expiry
        if ends is None:
            raise CredentialError("Google gave a token and did not say when it ends")
        now = datetime.now(UTC).replace(tzinfo=None)
        skew = self._transport.skew_seconds if source.dated else 0.0
        return float((ends - now).total_seconds() - skew)

    def _whose(self, source: Source) -> Mapping[str, str]:
        account, project, came = source.account, source.project, source.source
        if source.machine is not None:
            email = str(source.machine.service_account_email)
            account, came = (account, email) if account else (email, "")
            project = project or str(_metadata.get_project_id(self._transport))  # type: ignore[no-untyped-call]
        return {**_said(account, project), **({"cloud.role.source": came} if came else {})}


def _said(account: str, project: str) -> dict[str, str]:
    said = {"cloud.role": account, "cloud.account.id": project}
    return {name: value for name, value in said.items() if value}
