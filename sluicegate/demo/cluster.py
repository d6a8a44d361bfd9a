"""The made-up cluster: Kubernetes-like objects in memory, and what the operations tools may do to them.

Everything in it follows from one seed and from the operations done, in order: no clock, no other chance.
The cluster's own time starts at the seed's and moves by one second with every change.
"""

import copy
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from sluicegate.demo import objects
from sluicegate.demo.objects import Object

KINDS: Final = ("Namespace", "Node", "Deployment", "Pod", "ConfigMap", "Secret", "Event")
CLUSTER_SCOPED: Final = ("Namespace", "Node")
RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"
REPLICAS_MAX: Final = 20
_SUFFIX: Final = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes draws generated names from


class ClusterError(Exception):
    """The cluster refuses an operation. The message reads as the Kubernetes API would put it."""


class Cluster:
    """All objects by (kind, namespace, name). Answers are copies, so that nobody changes the cluster by accident.

    Not for several threads at once: the tools are coroutines for that reason.
    """

    def __init__(self, random: Random, now: datetime) -> None:
        self._random = random
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._logs: dict[tuple[str, str], list[str]] = {}
        self.now = now
        """The cluster's own time; moves with every change."""

    # --- reading

    def get(self, kind: str, name: str, namespace: str = "") -> Object:
        """One object. Raises ClusterError when there is none."""
        return copy.deepcopy(self._find(kind, name, namespace))

    def listed(self, kind: str, namespace: str = "", app: str = "") -> list[Object]:
        """Objects of a kind in name order; of one namespace and one `app` label when given."""
        self._check_kind(kind)
        if namespace and kind not in CLUSTER_SCOPED:
            self._find("Namespace", namespace, "")
        return [copy.deepcopy(found) for found in self._select(kind, namespace, app)]

    def logs(self, namespace: str, pod: str, tail: int) -> list[str]:
        """The last `tail` log lines of a pod."""
        self._find("Pod", pod, namespace)
        return self._logs[namespace, pod][-tail:]

    # --- changing

    def add(self, found: Object) -> Object:
        """Put an object in (a copy) and return what was given. For the seed."""
        self._objects[_key(found)] = copy.deepcopy(found)
        return found

    def add_pod(self, owner: Object, lines: Iterable[str], *, ready: bool, restarts: int = 0) -> Object:
        """Start a pod of the Deployment `owner` with a log of its own."""
        about = owner["metadata"]
        name = f"{about['name']}-{self._suffix(9)}-{self._suffix(5)}"
        meta = objects.metadata(self._random, name, about["namespace"], self.now)
        address = f"10.244.{self._random.randrange(1, 4)}.{self._random.randrange(2, 250)}"
        nodes = [key[2] for key in self._objects if key[0] == "Node"]
        pod = objects.pod(meta, owner, self._random.choice(nodes), address, ready=ready, restarts=restarts)
        self._logs[about["namespace"], name] = [
            f"{objects.stamp(self.now + timedelta(seconds=second))} {line}"
            for second, line in enumerate(lines)
        ]
        self.add(pod)
        self._report(owner)
        return pod

    def scale(self, namespace: str, name: str, replicas: int) -> Object:
        """Set a Deployment's replicas; pods come and go with it. Raises ClusterError outside 0 … REPLICAS_MAX."""
        if not 0 <= replicas <= REPLICAS_MAX:
            raise ClusterError(
                f'Deployment.apps "{name}" is invalid: spec.replicas: Invalid value: {replicas}: '
                f"must be from 0 to {REPLICAS_MAX} (quota of namespace {namespace})"
            )
        found = self._find("Deployment", name, namespace)
        self._touch(found)
        found["spec"]["replicas"] = replicas
        self._settle(found)
        return self.get("Deployment", name, namespace)

    def restart(self, namespace: str, name: str) -> Object:
        """Replace every pod of a Deployment, as `kubectl rollout restart` does."""
        found = self._find("Deployment", name, namespace)
        self._touch(found)
        annotations = found["spec"]["template"]["metadata"].setdefault("annotations", {})
        annotations[RESTARTED_AT] = objects.stamp(self.now)
        for pod in list(self._select("Pod", namespace, name)):
            self._drop(pod)
        self._settle(found)
        return self.get("Deployment", name, namespace)

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Remove an object; a Deployment takes its pods with it, a pod of a Deployment is replaced."""
        found = self._find(kind, name, namespace)
        if kind in CLUSTER_SCOPED:
            raise ClusterError(
                f'{kind.lower()}s "{name}" is forbidden: the demo keeps its nodes and namespaces'
            )
        self.now += timedelta(seconds=1)
        self._drop(found)
        pods = list(self._select("Pod", namespace, name)) if kind == "Deployment" else []
        for pod in pods:
            self._drop(pod)
        if kind == "Pod":
            self._settle(self._find("Deployment", found["metadata"]["labels"]["app"], namespace))

    # --- inside

    def _find(self, kind: str, name: str, namespace: str) -> Object:
        self._check_kind(kind)
        place = "" if kind in CLUSTER_SCOPED else namespace
        try:
            return self._objects[kind, place, name]
        except KeyError:
            raise ClusterError(f'{kind.lower()}s "{name}" not found') from None

    def _check_kind(self, kind: str) -> None:
        if kind not in KINDS:
            raise ClusterError(
                f'the server doesn\'t have a resource type "{kind}"; it has {", ".join(KINDS)}'
            )

    def _select(self, kind: str, namespace: str, app: str) -> Iterator[Object]:
        for (its_kind, its_namespace, _), found in sorted(self._objects.items(), key=lambda item: item[0]):
            fits = its_kind == kind and (not namespace or its_namespace in ("", namespace))
            if fits and (not app or found["metadata"].get("labels", {}).get("app") == app):
                yield found

    def _settle(self, owner: Object) -> None:
        """Do what the controllers would: as many pods as replicas, new ones healthy."""
        about = owner["metadata"]
        pods = list(self._select("Pod", about["namespace"], about["name"]))
        wanted = owner["spec"]["replicas"]
        for surplus in pods[wanted:]:
            self._drop(surplus)
        for _ in range(wanted - len(pods)):
            self.add_pod(owner, HEALTHY_LOG, ready=True)
        self._report(owner)

    def _report(self, owner: Object) -> None:
        """Bring a Deployment's status up to date with its pods."""
        about = owner["metadata"]
        pods = list(self._select("Pod", about["namespace"], about["name"]))
        ready = sum(pod["status"]["containerStatuses"][0]["ready"] for pod in pods)
        stored = self._find("Deployment", about["name"], about["namespace"])
        stored["status"] = {
            "observedGeneration": about["generation"],
            "replicas": len(pods),
            "readyReplicas": ready,
            "unavailableReplicas": len(pods) - ready,
        }

    def _touch(self, found: Object) -> None:
        self.now += timedelta(seconds=1)
        meta = found["metadata"]
        meta["generation"] += 1
        meta["resourceVersion"] = str(int(meta["resourceVersion"]) + 1)

    def _drop(self, found: Object) -> None:
        key = _key(found)
        del self._objects[key]
        self._logs.pop(key[1:], None)

    def _suffix(self, length: int) -> str:
        return "".join(self._random.choices(_SUFFIX, k=length))


HEALTHY_LOG: Final = (
    "INFO  starting, build 2026.11.3",
    "INFO  configuration read from /etc/app",
    "INFO  database pool open: 10 connections",
    "INFO  listening on :8080",
    "INFO  GET /healthz 200 1ms",
)


def _key(found: Object) -> tuple[str, str, str]:
    meta = found["metadata"]
    return found["kind"], meta.get("namespace", ""), meta["name"]
