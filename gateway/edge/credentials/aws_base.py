"""Where the keys come from that the gateway has without assuming a role: what botocore looks through, less what would
surprise. Without a profile no configuration file is read. It blocks: run it in a thread."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from botocore.credentials import (
    ContainerProvider,
    CredentialResolver,
    EnvProvider,
    InstanceMetadataProvider,
    create_credential_resolver,
)
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from botocore.utils import InstanceMetadataFetcher

from gateway.edge.credentials.aws_keys import Keys
from gateway.edge.credentials.aws_signing import AwsClock
from gateway.edge.credentials.aws_sts import config
from gateway.edge.credentials.injector import CredentialError

STATIC_SECONDS = 900.0  # keys that do not say when they end are looked up again after so long
METADATA_SECONDS = 2.0
METADATA_ATTEMPTS = 3
EXPIRED = "AWS gave the gateway credentials that have expired, or its clock is ahead of AWS's"
_NONE = (
    "AWS gave the gateway no credentials: nothing in its environment, and no container or instance has a role"
)


class BaseKeys:
    """Looks them up anew each time. `profile`: of the configuration files, in the place of all else."""

    def __init__(
        self,
        profile: str,
        environ: Mapping[str, str],
        clock: AwsClock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._profile = profile
        self._environ = environ
        self._clock = clock
        self._monotonic = monotonic

    def get(self) -> Keys:
        """The keys as they are now. Raises CredentialError."""
        try:
            found = self._resolver().load_credentials()
            if found is None:
                raise CredentialError(self._none())
            frozen = found.get_frozen_credentials()
        except (BotoCoreError, ClientError, OSError, ValueError, KeyError) as error:
            raise CredentialError(
                f"AWS gave the gateway no credentials ({type(error).__name__})", str(error)[:500]
            ) from None
        except RuntimeError:  # so botocore says that they have ended by the machine's clock
            raise CredentialError(EXPIRED) from None
        life = self._life(getattr(found, "_expiry_time", None))
        return Keys(
            frozen.access_key, frozen.secret_key, frozen.token or None, life, self._monotonic() + life
        )

    def _life(self, ends: datetime | None) -> float:
        return STATIC_SECONDS if ends is None else (ends - self._clock.now()).total_seconds()

    def _none(self) -> str:
        return "its AWS profile gives no credentials" if self._profile else _NONE

    def _resolver(self) -> Any:
        if self._profile:
            session = Session(profile=self._profile)
            session.set_default_client_config(config())
            return create_credential_resolver(session)
        return CredentialResolver(
            [
                EnvProvider(self._environ),
                ContainerProvider(self._environ),
                InstanceMetadataProvider(self._metadata()),
            ]
        )

    def _metadata(self) -> Any:
        endpoint = self._environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "")
        mode = self._environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "").lower()
        settings = {
            "ec2_metadata_service_endpoint": endpoint,
            "ec2_metadata_service_endpoint_mode": mode or None,
            "ec2_metadata_v1_disabled": True,  # IMDSv1 answers whoever can make the gateway ask
        }
        return InstanceMetadataFetcher(
            METADATA_SECONDS, METADATA_ATTEMPTS, env=self._environ, user_agent="sluicegate", config=settings
        )
