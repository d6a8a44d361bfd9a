"""The masks of the connections: each with its profile, all with the deployment's key, all under a time limit."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from masking import Masked, Profile
from masking.deep import DeepMasker, Detector
from processors.deadline import Deadline
from processors.settings import ProcessorSettings


class Deep(NamedTuple):
    """The deep pass of one connection. `leave`: rules whose findings the inline pass leaves on purpose."""

    mask: Callable[[bytes, Collection[str]], Masked[bytes]]
    leave: frozenset[str] = frozenset()


Masks = Callable[[str, Sequence[str]], Deep]
"""The deep pass of a connection, by its name and the caller's groups. Its mask raises for what cannot be masked."""

AnyProfile = str | Profile


def masks(settings: ProcessorSettings, deadline: Deadline, detectors: Iterable[Detector] = ()) -> Masks:
    """The masks of a deployment. Raises ValueError for an unknown profile or a key under 16 bytes."""
    dear = tuple(detectors)
    made: dict[AnyProfile, Deep] = {}

    def deep(profile: AnyProfile) -> Deep:
        if profile not in made:
            made[profile] = _deep(DeepMasker(settings.masking_key, profile, dear), deadline)
        return made[profile]

    usual = deep(settings.profile)
    by_connection = {name: deep(profile) for name, profile in settings.profiles.items()}
    by_group = {
        name: [(group, deep(profile)) for group, profile in pairs]
        for name, pairs in settings.profiles_by_group.items()
    }

    def mask_of(connection: str, groups: Sequence[str]) -> Deep:
        special = (mask for group, mask in by_group.get(connection, ()) if group in groups)
        return next(special, None) or by_connection.get(connection, usual)

    return mask_of


def _deep(masker: DeepMasker, deadline: Deadline) -> Deep:
    def mask(body: bytes, known: Collection[str]) -> Masked[bytes]:
        return deadline.call(lambda text: masker.mask(text, known), body)

    return Deep(mask, masker.leave)
