"""A control plane on loopback: etcd, kube-apiserver, the controller manager, and kwok for nodes and pods."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template

from benchmarks.processes import Child, ChildError, free_port
from tests.kubernetes.build import Programs
from tests.kubernetes.install import Clients
from tests.kubernetes.kubeconfig import by_certificate
from tests.kubernetes.pki import ClusterAuthority
from tests.kubernetes.versions import HERE
from tests.support.certificates import Pair

READY_S = 120.0
KUBECTL_S = 60.0
MASTERS = "system:masters"
LOGGED = """2026-01-01T00:00:00.000000000Z stdout F a first line of all pods
2026-01-01T00:00:01.000000000Z stdout F a second one
"""
CONTROLLERS = (
    "deployment-controller,replicaset-controller,statefulset-controller,daemonset-controller,job-controller,"
    "cronjob-controller,serviceaccount-controller,serviceaccount-token-controller,namespace-controller,"
    "garbage-collector-controller,root-ca-certificate-publisher-controller,clusterrole-aggregation-controller,"
    "disruption-controller,endpoints-controller,endpointslice-controller"
)


@dataclass(frozen=True)
class Cluster:
    """A running one. `admin` is who clients are, and what the API server's `audit_log` tells of."""

    url: str
    folder: Path
    ca: Path
    admin: Pair
    kubeconfig: Path
    clients: Clients

    @property
    def audit_log(self) -> Path:
        """JSON lines of audit.k8s.io/v1."""
        return self.folder / "audit.log"

    @property
    def pod_log(self) -> Path:
        """The file whose lines all pods log."""
        return self.folder / "pods" / "pod.log"

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl prints, as the admin, directly. Raises subprocess.CalledProcessError."""
        done = subprocess.run(
            [self.clients.kubectl, f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            env=os.environ | {"HOME": str(self.folder)},
            timeout=KUBECTL_S,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout


@contextmanager
def running(programs: Programs, clients: Clients, folder: Path, forward_port: int) -> Iterator[Cluster]:
    """Runs one in `folder` until the block ends; the port 8080 of its pods is `forward_port` of this machine.

    Raises ChildError.
    """
    plan = _Plan(programs, folder, forward_port)
    with ExitStack() as children:
        children.enter_context(plan.etcd()).wait_for_ok(f"http://127.0.0.1:{plan.etcd_port}/health", READY_S)
        server = children.enter_context(plan.apiserver())
        cluster = Cluster(
            plan.url, folder, plan.authority.ca, plan.admin, plan.kubeconfig("admin", plan.admin), clients
        )
        _until_ready(cluster, server, plan.port)
        children.enter_context(plan.controllers())
        children.enter_context(plan.kwok())
        _seed(cluster)
        yield cluster


def _until_ready(cluster: Cluster, server: Child, port: int) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        server.wait_for_port(port, READY_S)  # fails when it has ended
        try:
            cluster.kubectl("get", "--raw", "/readyz")
            return
        except subprocess.CalledProcessError as error:
            if time.monotonic() > deadline:
                raise ChildError(
                    f"kube-apiserver is not ready after {READY_S:.0f} s: {error.stderr}"
                ) from error


def _seed(cluster: Cluster) -> None:
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(HERE / "seed.yaml"))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/debug", "-n", "prod", "--timeout=60s")
    cluster.kubectl("rollout", "status", "deployment/web", "-n", "prod", "--timeout=60s")


class _Plan:
    """Ports, certificates and command lines."""

    def __init__(self, programs: Programs, folder: Path, forward_port: int) -> None:
        self._programs, self._folder, self._forward_port = programs, folder, forward_port
        self.authority = ClusterAuthority(folder / "pki")
        self.admin = self.authority.user("admin", MASTERS)
        self.etcd_port, self._peer_port, self.port = free_port(), free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._service_accounts = self.authority.signing_key("service-accounts")

    def kubeconfig(self, name: str, pair: Pair) -> Path:
        return by_certificate(self._folder / "kubeconfig" / name, self.url, self.authority.ca, pair)

    def etcd(self) -> Child:
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        return self._child(
            "etcd",
            f"--name=one --data-dir={self._folder / 'etcd'} --unsafe-no-fsync",
            f"--listen-client-urls={client} --advertise-client-urls={client}",
            f"--listen-peer-urls={peer} --initial-advertise-peer-urls={peer} --initial-cluster=one={peer}",
        )

    def apiserver(self) -> Child:
        own = self.authority.server("apiserver")
        kubelet_client = self.authority.user("kubelet-client", MASTERS)
        return self._child(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self.etcd_port} --secure-port={self.port}",
            "--bind-address=127.0.0.1 --advertise-address=127.0.0.1 --endpoint-reconciler-type=none",
            f"--tls-cert-file={own.certificate} --tls-private-key-file={own.key}",
            f"--client-ca-file={self.authority.ca} --anonymous-auth=false --profiling=false",
            "--service-account-issuer=https://kubernetes.default.svc --service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-signing-key-file={self._service_accounts}",
            f"--service-account-key-file={self._service_accounts}",
            "--authorization-mode=Node,RBAC --disable-admission-plugins=ServiceAccount --allow-privileged=true",
            f"--kubelet-client-certificate={kubelet_client.certificate} --kubelet-client-key={kubelet_client.key}",
            f"--audit-policy-file={HERE / 'audit-policy.yaml'} --audit-log-path={self._folder / 'audit.log'}",
            "--audit-log-mode=blocking --audit-log-maxsize=2000",
        )

    def controllers(self) -> Child:
        who = self.kubeconfig("controllers", self.authority.user("system:kube-controller-manager"))
        return self._child(
            "kube-controller-manager",
            f"--kubeconfig={who} --authentication-kubeconfig={who} --authorization-kubeconfig={who}",
            f"--bind-address=127.0.0.1 --secure-port={free_port()} --leader-elect=false",
            f"--use-service-account-credentials=true --controllers={CONTROLLERS}",
            f"--service-account-private-key-file={self._service_accounts} --root-ca-file={self.authority.ca}",
        )

    def kwok(self) -> Child:
        who = self.kubeconfig("kwok", self.authority.user("kwok", MASTERS))
        own, port = self.authority.server("kubelet"), free_port()
        stages = " ".join(f"--config={path}" for path in self._programs.stages)
        return self._child(
            "kwok",
            f"--kubeconfig={who} --node-ip=127.0.0.1 --node-port={port} --server-address=127.0.0.1:{port}",
            "--manage-all-nodes=false --manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
            f"--tls-cert-file={own.certificate} --tls-private-key-file={own.key}",
            f"--node-lease-duration-seconds=40 --config={self._kwok_config()} {stages}",
        )

    def _kwok_config(self) -> Path:
        pods, config = self._folder / "pods", self._folder / "kwok.yaml"
        pods.mkdir()
        (pods / "pod.log").write_text(LOGGED)
        told = Template((HERE / "kwok.yaml").read_text())
        config.write_text(told.substitute(FOLDER=pods, PORT=self._forward_port))
        return config

    def _child(self, name: str, *arguments: str) -> Child:
        """No argument has a blank in it but between two options."""
        command = ["nice", "-n", "5", self._programs[name], *" ".join(arguments).split()]
        return Child(name, command, self._folder / "logs" / f"{name}.log", cwd=self._folder)
