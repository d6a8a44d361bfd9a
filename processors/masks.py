"""The masks of the connections: each with its profile, all with the deployment's key, all under a time limit."""

from collections.abc import Callable, Mapping

from masking import Masked, Masker
from processors.deadline import Deadline

Mask = Callable[[str, bytes], Masked[bytes]]
"""(connection, body) to the masked body. Raises for a body that cannot be masked."""


def masks(key: bytes, profile: str, profiles: Mapping[str, str], deadline: Deadline) -> Mask:
    """The mask of a deployment. Raises ValueError for an unknown profile or a key under 16 bytes."""
    by_profile = {name: Masker(key, name) for name in {profile, *profiles.values()}}
    by_connection = {connection: by_profile[name] for connection, name in profiles.items()}
    usual = by_profile[profile]

    def mask(connection: str, body: bytes) -> Masked[bytes]:
        return deadline.call(by_connection.get(connection, usual).mask, body)

    return mask
