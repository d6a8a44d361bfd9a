"""What the scripts share: a client by $KUBECONFIG, the namespace of this side, printing."""

from __future__ import annotations

import json
import os
from typing import Any

from kubernetes import client, config

config.load_kube_config()
NAMESPACE = os.environ["NS"]
core = client.CoreV1Api()


def configmap(name: str, **data: str) -> client.V1ConfigMap:
    """One that the scripts own."""
    labels = {"made-by": "python"}
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels), data=data)


def say(what: str, found: Any) -> None:
    """One line, with the keys in order."""
    print(what, json.dumps(client.ApiClient().sanitize_for_serialization(found), sort_keys=True))
