"""Each kind of patch, and a dry run."""

from common import NAMESPACE, configmap, core, say

core.create_namespaced_config_map(NAMESPACE, configmap("patched", colour="blue", size="3"))
merge = {"data": {"colour": "red"}}
say("merge", core.patch_namespaced_config_map("patched", NAMESPACE, merge).data)
steps = [{"op": "remove", "path": "/data/size"}]
say("json", core.patch_namespaced_config_map("patched", NAMESPACE, steps).data)
dry = core.patch_namespaced_config_map("patched", NAMESPACE, {"data": {"colour": "dry"}}, dry_run="All")
say("dry", dry.data)
say("still", core.read_namespaced_config_map("patched", NAMESPACE).data)
core.delete_namespaced_config_map("patched", NAMESPACE)
