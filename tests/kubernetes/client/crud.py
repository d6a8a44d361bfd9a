"""Create, read, replace and delete."""

from common import NAMESPACE, configmap, core, say

made = core.create_namespaced_config_map(NAMESPACE, configmap("of-python", colour="blue"))
say("created", made)
read = core.read_namespaced_config_map("of-python", NAMESPACE)
say("same", read.metadata.resource_version == made.metadata.resource_version)
read.data["colour"] = "green"
say("replaced", core.replace_namespaced_config_map("of-python", NAMESPACE, read).data)
say("deleted", core.delete_namespaced_config_map("of-python", NAMESPACE).status)
say("left", len(core.list_namespaced_config_map(NAMESPACE, label_selector="made-by=python").items))
