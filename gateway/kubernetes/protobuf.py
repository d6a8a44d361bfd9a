"""Protobuf bodies of the Kubernetes API as objects.

A body is `k8s` and a zero byte, then runtime.Unknown: apiVersion and kind, and the object's own bytes (source:
k8s.io/apimachinery/pkg/runtime/generated.proto).
"""

from typing import Any

from gateway.kubernetes.problem import NotReadError

MAGIC = b"k8s\0"


class UnknownKindError(NotReadError):
    """A kind whose fields are not known here. `api_version`, `kind`: what the body says that it is."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__("the protobuf body is of a kind that is not read here; send JSON")
        self.api_version = api_version
        self.kind = kind


def protobuf_to_object(body: bytes) -> Any:
    """The object in a protobuf body. Raises NotReadError, UnknownKindError for a kind without a table."""
    if not body.startswith(MAGIC):
        raise NotReadError("the body is not protobuf as Kubernetes has it: it does not begin with k8s")
    raise UnknownKindError("", "")
