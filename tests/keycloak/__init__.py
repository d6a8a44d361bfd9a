"""Identity against a real Keycloak: `python -m tests.keycloak`."""
