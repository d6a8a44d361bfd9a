"""AWS STS by botocore: who we are, and roles assumed. It blocks: run it in a thread."""

import os
import re
import threading
import time
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any

from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.session import Session

from gateway.edge.credentials.aws_keys import Keys
from gateway.edge.credentials.aws_signing import AwsClock, HeaderSigner
from gateway.edge.credentials.injector import CredentialError
from gateway.settings import AwsRole

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
ATTEMPTS = 2
_CODE = re.compile(r"[A-Za-z0-9.]{1,60}")
_DETAIL_CHARACTERS_MAX = 500


def config() -> Config:
    """How clients of ours behave: bounded in time, by nothing of the environment or of configuration files."""
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        proxies={},
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
        ignore_configured_endpoint_urls=True,
        defaults_mode="legacy",
    )


def plain_session(region: str) -> Session:
    """A session that knows no profile and reads no configuration file, whatever the environment says."""
    session = Session()
    settings = session.get_component("config_store")
    settings.set_config_variable("profile", None)
    settings.set_config_variable("config_file", os.devnull)
    settings.set_config_variable("credentials_file", os.devnull)
    settings.set_config_variable("region", region)
    settings.set_config_variable("sts_regional_endpoints", "regional")
    return session


class Sts:
    """Of one region, or at `endpoint`. Signs itself, so that the time of a signature can be that of AWS."""

    def __init__(
        self, region: str, endpoint: str, clock: AwsClock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self._region = region
        self._endpoint = endpoint
        self._monotonic = monotonic
        self._making = threading.Lock()
        self._made: Any = None
        self._signing = threading.local()

    def url(self) -> str:
        """Where it is."""
        return str(self._client().meta.endpoint_url)

    def role_of(self, keys: Keys) -> str:
        """The ARN that AWS takes these keys for. Raises CredentialError."""
        return str(self._call("GetCallerIdentity", keys)["Arn"])

    def assume(self, keys: Keys, role: AwsRole, name: str) -> Keys:
        """The keys of a role, assumed with others. Raises CredentialError."""
        asked = {"RoleArn": role.arn, "RoleSessionName": name, "DurationSeconds": role.seconds}
        if role.external_id:
            asked["ExternalId"] = role.external_id
        answer = self._call("AssumeRole", keys, **asked)
        return self._keys(answer, role, keys.source or keys.role)

    def assume_by_token(self, token: str, role: AwsRole, name: str) -> Keys:
        """The keys of a role, assumed with the token of a web identity. Raises CredentialError."""
        asked = {"RoleArn": role.arn, "RoleSessionName": name, "DurationSeconds": role.seconds}
        answer = self._call("AssumeRoleWithWebIdentity", None, WebIdentityToken=token, **asked)
        return self._keys(answer, role, "")

    def _keys(self, answer: dict[str, Any], role: AwsRole, source: str) -> Keys:
        given = answer["Credentials"]
        ends: datetime = given["Expiration"]
        life = (ends - self.clock.now()).total_seconds()
        return Keys(
            given["AccessKeyId"],
            given["SecretAccessKey"],
            given["SessionToken"],
            life,
            self._monotonic() + life,
            role.arn,
            source,
        )

    def _call(self, operation: str, keys: Keys | None, **asked: Any) -> dict[str, Any]:
        """One question; asked again when the answer tells that our clock is off, which spoils signatures."""
        try:
            return self._once(operation, keys, asked)
        except ClientError as error:
            if not self._learnt(error.response) or keys is None:
                raise _refused(operation, error) from None
        try:
            return self._once(operation, keys, asked)
        except ClientError as error:
            raise _refused(operation, error) from None

    def _once(self, operation: str, keys: Keys | None, asked: dict[str, Any]) -> dict[str, Any]:
        client = self._client()
        self._signing.keys = keys
        try:
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**asked)
        except (ConnectTimeoutError, ReadTimeoutError):
            raise CredentialError("AWS STS did not answer in time", f"{operation} at {self.url()}") from None
        except BotoCoreError as error:
            raise CredentialError(
                f"AWS STS cannot be reached ({type(error).__name__})",
                f"{operation} at {self.url()}",
            ) from None
        self._learnt(answer)
        return answer

    def _learnt(self, answer: Any) -> bool:
        return self.clock.learn(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", ""))

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                unsigned = config().merge(Config(signature_version=UNSIGNED))
                session = plain_session(self._region)
                self._made = session.create_client(
                    "sts", self._region, endpoint_url=self._endpoint or None, config=unsigned
                )
                self._made.meta.events.register("request-created.sts", self._sign)
            return self._made

    def _sign(self, request: Any, **_: Any) -> None:
        if self._signing.keys is not None:
            request.context["body_digest"] = sha256(request.body).hexdigest()
            HeaderSigner(self.clock, self._signing.keys, "sts", self._region).add_auth(request)


def _refused(operation: str, error: ClientError) -> CredentialError:
    said = error.response.get("Error", {})
    code = str(said.get("Code", ""))
    told = code if _CODE.fullmatch(code) else "it did not say why"
    detail = f"{operation}: {str(said.get('Message', ''))[:_DETAIL_CHARACTERS_MAX]}"
    return CredentialError(f"AWS STS refused {operation} ({told})", detail)
