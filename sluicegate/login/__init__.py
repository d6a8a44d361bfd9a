"""Logging in as a person: the device flow (RFC 8628), the login that is kept, and session tokens from the gateway.

`device.py` asks the issuer, `gateway.py` the gateway, both through `http.py`; `store.py` keeps what was given.
"""
