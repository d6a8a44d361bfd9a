"""The policy files that connections name: each is read as the gateway reads it."""

from collections.abc import Iterator
from typing import get_args

from sluicegate.settings.connection_rules import Fault
from sluicegate.settings.masking import Profile
from sluicegate.settings.model import Settings

FAULTS_TOLD_MAX = 20


def policy_faults(settings: Settings) -> Iterator[Fault]:
    """Everything wrong in the policy files, told where the connection names the file."""
    for index, connection in enumerate(settings.connections):
        if connection.policy and connection.policy.is_file():
            from gateway.policy import PolicyError, load_policy  # noqa: PLC0415 - see `connection_rules._condition`

            try:
                load_policy(connection.policy, get_args(Profile))
            except PolicyError as error:
                loc = ("connections", index, "policy")
                yield from ((loc, line) for line in str(error).splitlines()[:FAULTS_TOLD_MAX])
