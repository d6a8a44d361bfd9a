"""Builders of Kubernetes objects in the shapes the API gives them (core/v1 and apps/v1)."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any, TypeAlias
from uuid import UUID

Object: TypeAlias = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def stamp(moment: datetime) -> str:
    """`moment` as the API writes times (RFC 3339, whole seconds, UTC)."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def metadata(
    random: Random,
    name: str,
    namespace: str | None,
    created: datetime,
    labels: Mapping[str, str] | None = None,
) -> Object:
    """ObjectMeta; `uid` and `resourceVersion` are drawn from `random`."""
    meta: Object = {
        "name": name,
        "uid": str(UUID(int=random.getrandbits(128), version=4)),
        "resourceVersion": str(random.randrange(100_000, 900_000)),
        "creationTimestamp": stamp(created),
    }
    if namespace is not None:
        meta["namespace"] = namespace
    if labels:
        meta["labels"] = dict(labels)
    return meta


def namespace(meta: Object) -> Object:
    """An active Namespace."""
    meta["labels"] = {"kubernetes.io/metadata.name": meta["name"]}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": meta,
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def node(meta: Object, address: str) -> Object:
    """A ready Node with 4 CPUs and 16 GiB."""
    size = {"cpu": "4", "memory": "16374848Ki", "pods": "110"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": meta,
        "status": {
            "addresses": [{"type": "InternalIP", "address": address}],
            "capacity": size,
            "allocatable": size,
            "conditions": [ready],
            "nodeInfo": {"kubeletVersion": "v1.36.3", "architecture": "amd64", "operatingSystem": "linux"},
        },
    }


def config_map(meta: Object, values: Mapping[str, str]) -> Object:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": dict(values)}


def secret(meta: Object, kind: str, values: Mapping[str, str]) -> Object:
    """A Secret: `values` in base64 under `data`, and once more in clear in the annotation `kubectl apply` leaves."""
    applied = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "stringData": dict(values),
        "type": kind,
    }
    meta["annotations"] = {LAST_APPLIED: json.dumps(applied, separators=(",", ":")) + "\n"}
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": kind, "data": data}


def container(name: str, image: str, environment: list[Object]) -> Object:
    """A container of a pod template."""
    return {
        "name": name,
        "image": image,
        "env": environment,
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    }


def deployment(meta: Object, replicas: int, pod_container: Object) -> Object:
    """A Deployment of one container; its status is filled by the cluster."""
    labels = {"app": meta["name"]}
    meta["labels"] = labels
    meta["generation"] = 1
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [pod_container]}},
            "strategy": {"type": "RollingUpdate"},
        },
        "status": {},
    }


def pod(meta: Object, owner: Object, node_name: str, address: str, *, ready: bool, restarts: int) -> Object:
    """A pod of the Deployment `owner`; one that is not ready hangs in CrashLoopBackOff."""
    template = owner["spec"]["template"]
    waiting = {
        "waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}
    }
    running = {"running": {"startedAt": meta["creationTimestamp"]}}
    first = template["spec"]["containers"][0]
    meta["labels"] = dict(template["metadata"]["labels"])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {**json.loads(json.dumps(template["spec"])), "nodeName": node_name},
        "status": {
            "phase": "Running",
            "podIP": address,
            "startTime": meta["creationTimestamp"],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            "containerStatuses": [
                {
                    "name": first["name"],
                    "image": first["image"],
                    "ready": ready,
                    "restartCount": restarts,
                    "state": running if ready else waiting,
                }
            ],
        },
    }


def event(meta: Object, involved: Object, reason: str, message: str, *, warning: bool, count: int) -> Object:
    """A core/v1 Event about `involved`, last seen when `meta` was created."""
    about = involved["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": meta,
        "involvedObject": {
            "kind": involved["kind"],
            "name": about["name"],
            "namespace": about.get("namespace", ""),
            "uid": about["uid"],
        },
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message,
        "count": count,
        "lastTimestamp": meta["creationTimestamp"],
        "source": {"component": "kubelet"},
    }
