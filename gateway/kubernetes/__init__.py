"""Requests to a Kubernetes API server: what they ask, for rules, record and reviewers. Pure, without I/O.

The way of one request: `read` checks that its target has one reading, `info.py` says what the API server will take
it for, `bodies.py` decodes what it carries (JSON, YAML, protobuf), `changes.py` names what a patch would set, and
`call.py` puts it all together as the facts of rules, the attributes of the record, and the exact call.
"""

from gateway.kubernetes.call import KubernetesCall, read
from gateway.kubernetes.info import RequestInfo, request_info
from gateway.kubernetes.problem import NotReadError
from gateway.kubernetes.protobuf import protobuf_to_object

__all__ = ["KubernetesCall", "NotReadError", "RequestInfo", "protobuf_to_object", "read", "request_info"]
