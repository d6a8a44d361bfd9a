"""Masking: finds secrets and personal data in what passes, and puts pseudonyms in their place.

A pure library; it reads its own rules and keeps a cache of their compiled form, and does no other I/O.
`mask(text)` for one text, `Masker(key, profile)` for a deployment, `masking.stream` for what comes in
pieces.
"""

from masking.custom import profile_from
from masking.decoding import DecodingMasker
from masking.forms import WHERE_CLIENTS_DECODE
from masking.masker import Masker, mask
from masking.places import Placed, placed
from masking.profiles import PROFILES, Profile
from masking.records import LimitCrossed, Masked, MaskingError, Redaction, Unreadable
from masking.rule_files import RuleFileError, read_rules, rules_in
from masking.stream import Framing, StreamMasker

__all__ = [
    "PROFILES",
    "WHERE_CLIENTS_DECODE",
    "DecodingMasker",
    "Framing",
    "LimitCrossed",
    "Masked",
    "Masker",
    "MaskingError",
    "Placed",
    "Profile",
    "Redaction",
    "RuleFileError",
    "StreamMasker",
    "Unreadable",
    "mask",
    "placed",
    "profile_from",
    "read_rules",
    "rules_in",
]
