"""What rules see of a request (`kubernetes` in conditions), and what the record keeps of it. Names are those of
`audit.k8s.io/v1` where it has one."""

from dataclasses import dataclass
from typing import Any, Final

from gateway.kubernetes.caller import Said
from gateway.kubernetes.carried import Carried
from gateway.kubernetes.info import RequestInfo
from gateway.kubernetes.options import Options

CHARACTERS_MAX: Final = 1_024
"""Of one attribute."""


@dataclass(slots=True)
class Seen:
    """All that is known of a request. `namespace` and `name`: also those that its object says alone."""

    cluster: str
    info: RequestInfo
    namespace: str
    name: str
    said: Said
    holds: Carried
    options: Options


def facts_of(seen: Seen) -> dict[str, Any]:
    """Every name that a condition may use, whatever the request: `gateway.policy.names` knows their kinds."""
    info = seen.info
    whom = seen.said.impersonated
    return {
        "verb": info.verb,
        "apiGroup": info.api_group,
        "apiVersion": info.api_version,
        "resource": info.resource,
        "subresource": info.subresource,
        "namespace": seen.namespace,
        "name": seen.name,
        "path": info.path,
        "resourceRequest": info.resource_request,
        "cluster": seen.cluster,
        "labelSelector": info.label_selector,
        "fieldSelector": info.field_selector,
        "dryRun": seen.options.dry_run,
        "fieldManager": seen.options.field_manager,
        "force": seen.options.force,
        "propagationPolicy": seen.options.propagation_policy,
        "gracePeriodSeconds": seen.options.grace_period_seconds,
        "command": list(seen.options.command),
        "container": seen.options.container,
        "stdin": seen.options.stdin,
        "tty": seen.options.tty,
        "follow": seen.options.follow,
        "proxyPath": "/".join(info.parts[3:]) if info.subresource == "proxy" else "",
        "kind": seen.holds.kind,
        "patchType": seen.holds.patch_type,
        "object": seen.holds.object,
        "object_known": seen.holds.known,
        "changes": seen.holds.changes.sets,
        "deletes": seen.holds.changes.deletes,
        "impersonates": whom is not None,
        "impersonate": whom.facts() if whom else {"user": "", "uid": "", "groups": [], "extra": {}},
        "kubectlCommand": seen.said.command,
        "kubectlSession": seen.said.session,
    }


def attributes_of(seen: Seen) -> dict[str, str]:
    """What is worth a place on every frame; what is empty is left out, and long text is cut. Not masked."""
    info = seen.info
    whom = seen.said.impersonated
    found = {
        "k8s.cluster.name": seen.cluster,
        "k8s.verb": info.verb,
        "k8s.objectRef.apiGroup": info.api_group,
        "k8s.objectRef.apiVersion": info.api_version,
        "k8s.objectRef.resource": info.resource,
        "k8s.objectRef.subresource": info.subresource,
        "k8s.objectRef.namespace": seen.namespace,
        "k8s.objectRef.name": seen.name,
        "k8s.labelSelector": info.label_selector,
        "k8s.fieldSelector": info.field_selector,
        "k8s.dryRun": "All" if seen.options.dry_run else "",
        "k8s.patchType": seen.holds.patch_type,
        "k8s.kind": seen.holds.kind,
        "k8s.container.name": seen.options.container,
        "k8s.impersonated.user": whom.user if whom else "",
        "k8s.impersonated.groups": ",".join(whom.groups) if whom else "",
        "k8s.impersonated.uid": whom.uid if whom else "",
        "kubectl.command": seen.said.command,
        "kubectl.session": seen.said.session,
    }
    return {key: value[:CHARACTERS_MAX] for key, value in found.items() if value}
