"""Clients of other languages against the HTTP form; their packages are fetched when this runs."""
