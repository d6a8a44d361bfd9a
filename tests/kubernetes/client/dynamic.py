"""The dynamic client: discovery, server-side apply, and a kind found by name."""

from common import NAMESPACE, say
from kubernetes import client, dynamic

found = dynamic.DynamicClient(client.ApiClient()).resources.get(api_version="v1", kind="ConfigMap")
body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dynamic"}, "data": {"a": "1"}}
applied = found.server_side_apply(body=body, namespace=NAMESPACE, field_manager="python-test")
say("applied", applied.to_dict()["data"])
say("manager", [each.manager for each in applied.metadata.managedFields])
body["data"] = {"b": "2"}
say(
    "applied",
    found.server_side_apply(body=body, namespace=NAMESPACE, field_manager="python-test").to_dict()["data"],
)
say("deleted", found.delete(name="dynamic", namespace=NAMESPACE).to_dict()["status"])
