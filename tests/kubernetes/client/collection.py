"""Deletes what the pages left, by one request."""

from common import NAMESPACE, core, say

say("before", len(core.list_namespaced_config_map(NAMESPACE, label_selector="made-by=python").items))
core.delete_collection_namespaced_config_map(NAMESPACE, label_selector="made-by=python")
say("after", len(core.list_namespaced_config_map(NAMESPACE, label_selector="made-by=python").items))
