"""Held on the way: kubectl is told the approval's id; once somebody agreed, the same command runs exactly once."""

from __future__ import annotations

import re

from tests.kubernetes import audit
from tests.kubernetes.bench import Bench, Findings
from tests.kubernetes.sides import Outcome, Side

NAMESPACE = "guarded"
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HELD = {
    "exec": ("kubectl exec -n guarded shell -- sh -c 'echo ran >>guarded.txt; echo inside'", "get"),
    "delete": ("kubectl delete configmap settings -n guarded", "delete"),
}


def run(bench: Bench) -> Findings:
    """Each held command: asked, approved, run, asked again."""
    prepare(bench)
    caller = bench.gateway.kubeconfig("carol", "developers")
    side = Side("h", caller, bench.folder, bench.clients, bench.cluster)
    findings = Findings()
    for name, (command, verb) in _HELD.items():
        before = len(_reached(bench, verb))
        first = approval_of(side.run(command), findings, f"{name}, the first time")
        if first is None:
            continue
        same = approval_of(side.run(command), findings, f"{name}, while it waits")
        findings.check(same == first, f"{name}: asked again, it is another approval: {same}")
        findings.check(len(_reached(bench, verb)) == before, f"{name}: it reached the API server while held")
        bench.gateway.command("approvals", "approve", first)
        ran = side.run(command)
        findings.check(ran.code == 0, f"{name}: approved, it does not run: {ran.complaints}")
        findings.check(len(_reached(bench, verb)) == before + 1, f"{name}: it did not run exactly once")
        again = approval_of(side.run(command), findings, f"{name}, after it ran")
        findings.check(again not in (None, first), f"{name}: the approval was good twice")
        bench.say(f"  {name}: {first} approved, ran once")
    return findings


def prepare(bench: Bench) -> None:
    """Makes the namespace with what is to be guarded in it."""
    bench.cluster.kubectl("create", "namespace", NAMESPACE)
    folder = "tests/kubernetes/manifests"
    for file in ("shell.yaml", "settings.json"):
        bench.cluster.kubectl("create", "-n", NAMESPACE, "-f", f"{folder}/{file}")
    bench.cluster.kubectl("wait", "-n", NAMESPACE, "pod/shell", "--for=condition=Ready", "--timeout=60s")


def approval_of(outcome: Outcome, findings: Findings, what: str) -> str | None:
    """The id in what a held command complains of."""
    found = _ID.search(outcome.complaints)
    findings.check(outcome.code != 0 and found is not None, f"{what}: is not held: {outcome}")
    return found[0] if found else None


def _reached(bench: Bench, verb: str) -> list[audit.Event]:
    """What reached the API server of what is guarded."""
    subresource = "exec" if verb == "get" else ""
    return [
        event
        for event in audit.events(bench.cluster)
        if event.facts["namespace"] == NAMESPACE
        and (event.facts["verb"], event.facts["subresource"]) == (verb, subresource)
    ]
