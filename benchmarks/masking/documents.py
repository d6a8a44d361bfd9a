"""Kubernetes-like MCP results, made here: pods, config maps, events, logs and tables, as a server answers
with them.
"""

from __future__ import annotations

import base64
import json
import random
import string

_WORDS = [
    "api",
    "web",
    "worker",
    "cache",
    "queue",
    "edge",
    "mail",
    "search",
    "report",
    "billing",
    "gate",
    "batch",
]
_HEX = "0123456789abcdef"


def _pick(dice: random.Random, alphabet: str, size: int) -> str:
    return "".join(dice.choice(alphabet) for _ in range(size))


def _uid(dice: random.Random) -> str:
    return "-".join(_pick(dice, _HEX, size) for size in (8, 4, 4, 4, 12))


def _name(dice: random.Random) -> str:
    return f"{dice.choice(_WORDS)}-{dice.choice(_WORDS)}-{_pick(dice, _HEX, 10)}-{_pick(dice, _HEX, 5)}"


def _pod(dice: random.Random, env: list[dict[str, object]]) -> dict[str, object]:
    name = _name(dice)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": dice.choice(_WORDS),
            "uid": _uid(dice),
            "resourceVersion": _pick(dice, string.digits, 9),
            "creationTimestamp": "2026-11-01T10:00:00Z",
            "labels": {
                "app.kubernetes.io/name": dice.choice(_WORDS),
                "pod-template-hash": _pick(dice, _HEX, 10),
            },
            "ownerReferences": [{"kind": "ReplicaSet", "name": name[:-6], "uid": _uid(dice)}],
        },
        "spec": {
            "containers": [
                {
                    "name": dice.choice(_WORDS),
                    "image": f"registry.example.com/{dice.choice(_WORDS)}@sha256:{_pick(dice, _HEX, 64)}",
                    "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "PORT", "value": "8080"}, *env],
                    "volumeMounts": [
                        {
                            "name": f"kube-api-access-{_pick(dice, _HEX, 5)}",
                            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                        }
                    ],
                    "terminationMessagePath": "/dev/termination-log",
                    "imagePullPolicy": "IfNotPresent",
                }
            ],
            "serviceAccountName": "default",
            "nodeName": f"ip-10-0-{dice.randrange(256)}-{dice.randrange(256)}.ec2.internal",
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
            ],
        },
        "status": {"phase": "Running", "podIP": f"10.2.{dice.randrange(256)}.{dice.randrange(256)}"},
    }


def _wrapped(dice: random.Random, text: str) -> bytes:
    result = {"content": [{"type": "text", "text": text}], "isError": False}
    return json.dumps({"jsonrpc": "2.0", "id": dice.randrange(1000), "result": result}).encode()


def _log(dice: random.Random) -> str:
    return "\n".join(
        f"2026-11-01T10:00:{n:02d}Z INFO trace_id={_pick(dice, _HEX, 32)} GET /pods/{_name(dice)} 200 {n}ms"
        for n in range(18)
    )


def clean(seed: int) -> bytes:
    """A result of about two kilobytes without a secret; one in three refers to Secrets by name."""
    dice = random.Random(seed)
    reference = {"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    if seed % 3 == 2:
        return _wrapped(dice, _log(dice))
    return _wrapped(dice, json.dumps(_pod(dice, [reference] if seed % 3 else []), indent=2))


def secret(seed: int) -> bytes:
    """A result of about two kilobytes with a Secret, or with a password in the environment of a
    container.
    """
    dice = random.Random(seed)
    value = _pick(dice, string.ascii_letters + string.digits, 32)
    pod = _pod(dice, [{"name": "DB_PASSWORD", "value": value}])
    if seed % 2:
        return _wrapped(dice, json.dumps(pod, indent=2))
    data = {"password": base64.b64encode(value.encode()).decode()}
    item = {"apiVersion": "v1", "kind": "Secret", "metadata": pod["metadata"], "type": "Opaque", "data": data}
    return _wrapped(dice, json.dumps({"kind": "List", "items": [item, _pod(dice, [])]}, indent=2))


def results(count: int, *, every: int) -> list[bytes]:
    """`count` results, each `every`-th with a secret (0: none)."""
    return [secret(n) if every and n % every == 0 else clean(n) for n in range(count)]
