"""The detectors that only the deep pass can afford: loaded when a connection's profile asks for personal data."""

import structlog

from masking.deep import Detector
from masking.names_deep import available
from masking.profiles import resolve
from processors.metrics import Metrics
from processors.settings import ProcessorSettings

log = structlog.get_logger(__name__)


def dear_detectors(settings: ProcessorSettings, metrics: Metrics) -> tuple[Detector, ...]:
    """Names and addresses, when a profile has `pii`; says when they are found by rules alone.

    Raises ValueError for an unknown profile.
    """
    by_group = (profile for pairs in settings.profiles_by_group.values() for _, profile in pairs)
    if not any(
        resolve(profile).pii for profile in (settings.profile, *settings.profiles.values(), *by_group)
    ):
        return ()
    names, reason = available()
    metrics.names.set(not reason)
    if reason:
        log.warning("names_by_rules_alone", reason=reason)
    else:
        log.info("names_loaded")
    return (names,)
