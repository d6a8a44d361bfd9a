"""The gateway's keys of AWS: where they come from, the roles they go through, held and renewed ahead of their end.

The chain: base keys (a web identity's token, or what `aws_base` finds), then one role after the other. Where the
session name of a role holds `{subject}`, what comes from there on is each caller's own, so that CloudTrail and the
API server name the person; what comes before is had once.
"""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from gateway.edge.credentials.aws_base import EXPIRED, BaseKeys
from gateway.edge.credentials.aws_keys import SUBJECT, Keys, account_of, known_of, session_name
from gateway.edge.credentials.aws_signing import AwsClock
from gateway.edge.credentials.aws_sts import Sts
from gateway.edge.credentials.by_caller import ByCaller
from gateway.edge.credentials.injector import CredentialError
from gateway.edge.credentials.secret import Clock
from gateway.edge.credentials.threads import Threads
from gateway.sessions import NOBODY, Principal
from gateway.settings import AwsIdentity, AwsRole

CHAIN_SECONDS = 30.0
TOKEN_BYTES_MAX = 64 * 1024
_ROLE, _TOKEN_FILE = "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"  # as EKS sets them for a pod (IRSA)
_KEY = "AWS_ACCESS_KEY_ID"


class Chain:
    """What is asked for, in order. It blocks: run it in a thread."""

    def __init__(self, identity: AwsIdentity, environ: Mapping[str, str], sts: Sts, base: BaseKeys) -> None:
        self._sts = sts
        self._base = base
        self._token_file = identity.web_identity_token_file
        self.roles = identity.roles
        if self._token_file is None and not identity.profile and _irsa(environ):
            self._token_file = Path(environ[_TOKEN_FILE])
            first = AwsRole(environ[_ROLE], environ.get("AWS_ROLE_SESSION_NAME") or "sluicegate")
            self.roles = (first, *identity.roles)
        told = [index for index, role in enumerate(self.roles) if SUBJECT in role.session_name]
        self._common = told[0] if told else len(self.roles)

    @property
    def by_caller(self) -> bool:
        """Whether callers have keys of their own."""
        return self._common < len(self.roles)

    @property
    def begins_apart(self) -> bool:
        """Whether not even the first keys are common to all callers."""
        return self._token_file is not None and self._common == 0

    @property
    def source(self) -> str:
        """Who comes in, where it is known before anybody was asked: the role that a web identity's token gives."""
        return self.roles[0].arn if self._token_file is not None and len(self.roles) > 1 else ""

    def common(self) -> Keys:
        """The keys up to where callers part. Raises CredentialError."""
        keys = None
        if self._token_file is None:
            keys = self._base.get()
            keys = replace(keys, role=self._sts.role_of(keys))
        return self._through(keys, self.roles[: self._common], NOBODY)

    def own(self, keys: Keys | None, principal: Principal) -> Keys:
        """The keys of one caller, from the common ones on. Raises CredentialError."""
        return self._through(keys, self.roles[self._common :], principal)

    def _through(self, keys: Keys | None, roles: tuple[AwsRole, ...], principal: Principal) -> Keys:
        for role in roles:
            name = session_name(role.session_name, principal)
            if keys is None:
                keys = self._sts.assume_by_token(self._token(), role, name)
            else:
                keys = self._sts.assume(keys, role, name)
        if keys is None:
            raise CredentialError("it has a web identity's token and no role to assume with it")
        return keys

    def _token(self) -> str:
        """The token of the web identity: the cluster puts a new one into the file every so often."""
        assert self._token_file is not None
        try:
            with self._token_file.open("rb") as file:
                token = file.read(TOKEN_BYTES_MAX).decode("ascii").strip()
        except (OSError, UnicodeError) as error:
            raise CredentialError(
                f"its web identity token cannot be read ({type(error).__name__})", str(self._token_file)
            ) from None
        if not token:
            raise CredentialError("its web identity token is empty", str(self._token_file))
        return token


class AwsKeys:
    """The keys for each caller. Used in one event loop."""

    def __init__(
        self,
        identity: AwsIdentity,
        connection: str,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Clock = time.monotonic,
        now: Callable[[], float] = time.time,
        chain_seconds: float = CHAIN_SECONDS,
    ) -> None:
        self.region = identity.region
        self.clock = AwsClock(connection, now)
        self.sts = Sts(identity.region, identity.sts_endpoint, self.clock, clock)
        self._chain = Chain(
            identity, environ, self.sts, BaseKeys(identity.profile, environ, self.clock, clock)
        )
        self._common = ByCaller[Keys](connection, apart=False, clock=clock)
        self._own = ByCaller[Keys](connection, apart=True, clock=clock)
        self._threads = Threads("AWS", chain_seconds)
        self._known = self._said()

    @property
    def by_caller(self) -> bool:
        """Whether callers have keys of their own."""
        return self._chain.by_caller

    async def get(self, principal: Principal) -> Keys:
        """The keys to show for this caller; only the first of them are waited for. Raises CredentialError."""
        if not self.by_caller:
            return await self._common.get(NOBODY, self._ask_common)
        return await self._own.get(principal, partial(self._ask_own, principal))

    def known(self) -> Mapping[str, str]:
        """Attributes of the record: what the settings say, and what AWS said of it since."""
        return self._known

    async def run(self, call: Callable[[], str]) -> str:
        """What `call` gives, in a thread, bounded as the chain is. Raises CredentialError."""
        return await self._threads.run(call)

    async def close(self) -> None:
        """Ends what is being asked."""
        await self._common.close()
        await self._own.close()

    async def _ask_common(self) -> Keys:
        return self._good(await self._threads.run(self._chain.common), known=not self.by_caller)

    async def _ask_own(self, principal: Principal) -> Keys:
        keys = None
        if not self._chain.begins_apart:
            keys = await self._common.get(NOBODY, self._ask_common)
        return self._good(await self._threads.run(partial(self._chain.own, keys, principal)), known=True)

    def _good(self, keys: Keys, *, known: bool) -> Keys:
        if keys.life_seconds <= 0:
            raise CredentialError(EXPIRED)
        if known:
            self._known = {**self._known, **known_of(keys)}
        return keys

    def _said(self) -> dict[str, str]:
        role = self._chain.roles[-1].arn if self._chain.roles else ""
        said = {
            "cloud.provider": "aws",
            "cloud.region": self.region,
            "cloud.account.id": account_of(role),
            "cloud.role": role,
            "cloud.role.source": self._chain.source,
        }
        return {name: value for name, value in said.items() if value}


def _irsa(environ: Mapping[str, str]) -> bool:
    """Whether the pod has a role by its service account; keys in the environment come first, as with botocore."""
    return bool(environ.get(_TOKEN_FILE) and environ.get(_ROLE)) and not environ.get(_KEY)
