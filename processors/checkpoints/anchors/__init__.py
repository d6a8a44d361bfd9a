"""Places outside that have checkpoints, so that nobody who owns everything here can take one back."""
