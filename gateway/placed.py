"""Redactions as a record holds them: where what replaced a secret stands in the masked body."""

from masking import placed

__all__ = ["placed"]
