"""The masks of the connections: each with its profile, all with the deployment's key, all under a time limit."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from masking import Masked, Profile
from masking.deep import DeepMasker, Detector
from processors.deadline import Deadline


class Deep(NamedTuple):
    """The deep pass of one connection. `leave`: rules whose findings the inline pass leaves on purpose."""

    mask: Callable[[bytes, Collection[str]], Masked[bytes]]
    leave: frozenset[str] = frozenset()


Masks = Callable[[str], Deep]
"""The deep pass of a connection, by its name. Its mask raises for a body that cannot be masked."""


def masks(
    key: bytes,
    profile: str,
    profiles: Mapping[str, str | Profile],
    deadline: Deadline,
    detectors: Iterable[Detector] = (),
) -> Masks:
    """The masks of a deployment. Raises ValueError for an unknown profile or a key under 16 bytes."""
    dear = tuple(detectors)
    by_profile = {
        used: _deep(DeepMasker(key, used, dear), deadline) for used in {profile, *profiles.values()}
    }
    by_connection = {connection: by_profile[used] for connection, used in profiles.items()}
    usual = by_profile[profile]
    return lambda connection: by_connection.get(connection, usual)


def _deep(masker: DeepMasker, deadline: Deadline) -> Deep:
    def mask(body: bytes, known: Collection[str]) -> Masked[bytes]:
        return deadline.call(lambda text: masker.mask(text, known), body)

    return Deep(mask, masker.leave)
