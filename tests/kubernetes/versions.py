"""What is built and installed. After a change: `python -m tests.kubernetes.relock`, and review the difference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KUBERNETES = "1.36.3"
ETCD = "3.6.8"
KWOK = "0.8.0"

HERE = Path(__file__).parent
MODULES = HERE / "modules"
"""A folder each with the locked `go.mod` and `go.sum`."""


@dataclass(frozen=True)
class Program:
    """One binary: its name, the folder of its lock under `MODULES`, and the Go package that it is."""

    name: str
    module: str
    package: str


PROGRAMS = (
    Program("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Program("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
)
STAGES = (
    "kustomize/stage/node/fast/node-initialize.yaml",
    "kustomize/stage/node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
    "kustomize/stage/pod/fast/pod-ready.yaml",
    "kustomize/stage/pod/fast/pod-complete.yaml",
    "kustomize/stage/pod/fast/pod-delete.yaml",
)
"""What kwok does with nodes and pods; files of its module."""
