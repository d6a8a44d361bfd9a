"""A pod's log, whole and by its last line."""

from common import NAMESPACE, core, say

say("log", core.read_namespaced_pod_log("shell", NAMESPACE, tail_lines=3))
say("last", core.read_namespaced_pod_log("shell", NAMESPACE, tail_lines=1))
