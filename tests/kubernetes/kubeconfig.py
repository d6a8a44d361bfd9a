"""Kubeconfigs, as clients are given them."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.support.certificates import Pair


def by_certificate(path: Path, server: str, ca: Path, pair: Pair) -> Path:
    """A client that shows a certificate."""
    return _written(
        path, server, ca, {"client-certificate": str(pair.certificate), "client-key": str(pair.key)}
    )


def by_token(path: Path, server: str, ca: Path, token: str) -> Path:
    """A client that shows a bearer token."""
    return _written(path, server, ca, {"token": token})


def _written(path: Path, server: str, ca: Path, user: dict[str, str]) -> Path:
    context = {"cluster": "cluster", "user": "user", "namespace": "default"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": {"server": server, "certificate-authority": str(ca)}}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "cluster", "context": context}],
        "current-context": "cluster",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path
