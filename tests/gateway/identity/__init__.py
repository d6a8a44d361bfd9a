"""Identity against real providers on loopback."""
