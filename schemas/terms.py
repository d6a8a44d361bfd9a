"""Bounds on what may be asked of people: the gateway refuses rules beyond them, the processor requests."""

from typing import Final

LIFETIME_SECONDS_MAX: Final = 30 * 86_400
"""How long an approval may wait, a grant may last, and a review may take."""

PEOPLE_MAX: Final = 8
"""How many people one approval may take, over all parts of its quorum."""

USES_MAX: Final = 1_000
"""How often a standing grant may be used; 0 uses is any number while it lasts."""
