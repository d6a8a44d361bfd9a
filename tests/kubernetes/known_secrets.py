"""The secrets of `seed.yaml`, `manifests` and the table, as they are and in base64: none may be shown or stored."""

from __future__ import annotations

import base64

_PLAIN = (
    "S3cr3t-Pa55w0rd!",
    "hunter2-of-registry",
    "Gue55-th1s-0ne",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "quite-a-good-Passw0rd",
    "hunter2-of-ci",
)
SECRETS = (*_PLAIN, *(base64.b64encode(each.encode()).decode() for each in _PLAIN))
