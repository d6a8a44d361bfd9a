"""Checkpoints: signed tree heads over topic `audit`, so that nobody can change what was recorded unseen."""

GROUP = "sluicegate-checkpoints"
AUDIT = "audit"
CHECKPOINTS = "checkpoints"
