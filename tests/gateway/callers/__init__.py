"""Known callers through a whole gateway: who they are, what they may do, and what ends."""
