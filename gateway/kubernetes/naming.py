"""The object of a request in words: `apps/deployments/scale prod/web`."""

from gateway.kubernetes.info import RequestInfo


def resource_of(info: RequestInfo) -> str:
    """Group, resource and subresource, as `apps/deployments/scale`; without a group that of the core."""
    return "/".join(filter(None, (info.api_group, info.resource, info.subresource)))


def object_of(info: RequestInfo, namespace: str, name: str, generate_name: str = "") -> str:
    """What the request is about, for people: `secrets prod/db`, `pods prod/*` for all, `nodes n1`, or a path."""
    if not info.resource_request:
        return info.path
    which = name or (f"{generate_name}*" if generate_name else "*")
    if namespace and info.resource != "namespaces":
        which = f"{namespace}/{which}"
    return f"{resource_of(info)} {which}"
