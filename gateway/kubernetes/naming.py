"""The object of a request in words: `apps/deployments/scale prod/web`."""

from typing import Final

from gateway.kubernetes.info import RequestInfo

CHARACTERS_MAX: Final = 300


def resource_of(info: RequestInfo) -> str:
    """Group, resource and subresource, as `apps/deployments/scale`; without a group that of the core."""
    return "/".join(filter(None, (info.api_group, info.resource, info.subresource)))


def object_of(info: RequestInfo, namespace: str, name: str, generate_name: str = "") -> str:
    """What the request is about, for people: `secrets prod/db`, `pods prod/*` for all, `nodes n1`, or a path."""
    if not info.resource_request:
        return _readable(info.path)
    which = name or (f"{generate_name}*" if generate_name else "*")
    if namespace and info.resource != "namespaces":
        which = f"{namespace}/{which}"
    return _readable(f"{resource_of(info)} {which}")


def _readable(text: str) -> str:
    """A name in a body is whatever the client wrote: nothing in it may look like something else to a reviewer."""
    if len(text) <= CHARACTERS_MAX and text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\ufffd" for each in text[:CHARACTERS_MAX])
