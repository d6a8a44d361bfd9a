"""Masking: finds secrets and personal data in what passes, and puts pseudonyms in their place.

A pure library: no I/O but reading its own rules. `mask(text)` for one text, `Masker(key, profile)` for a deployment.
"""

from masking.masker import Masker, mask
from masking.profiles import PROFILES, Profile
from masking.records import LimitCrossed, Masked, MaskingError, Redaction, Unreadable

__all__ = [
    "PROFILES",
    "LimitCrossed",
    "Masked",
    "Masker",
    "MaskingError",
    "Profile",
    "Redaction",
    "Unreadable",
    "mask",
]
