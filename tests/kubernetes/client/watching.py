"""A watch from a known version on: each change is told once, in order."""

from common import NAMESPACE, configmap, core, say
from kubernetes import watch

since = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
core.create_namespaced_config_map(NAMESPACE, configmap("watched", step="0"))
for number in range(1, 6):
    core.patch_namespaced_config_map("watched", NAMESPACE, {"data": {"step": str(number)}})
core.delete_namespaced_config_map("watched", NAMESPACE)
told = watch.Watch()
for change in told.stream(
    core.list_namespaced_config_map,
    NAMESPACE,
    resource_version=since,
    label_selector="made-by=python",
    timeout_seconds=20,
):
    say(change["type"], change["object"].data)
    if change["type"] == "DELETED":
        told.stop()
