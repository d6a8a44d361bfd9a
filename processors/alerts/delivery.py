"""One message to one apprise URL: blocking, bounded in time, and never a word of the URL in what it says."""

import logging
from collections.abc import Iterable

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType
from apprise.common import PersistentStoreMode
from apprise.plugins.base import NotifyBase

from processors.alerts.text import Message

FAULT_MAX = 300
CONNECT_SECONDS = 5.0
_TYPES = {"info": NotifyType.INFO, "warning": NotifyType.WARNING, "failure": NotifyType.FAILURE}


def deliver(url: str, message: Message, seconds: float) -> str:
    """'' once the service took the message, else why not. Blocks for about `seconds` at most; never raises."""
    service = _service(url, seconds)
    if service is None:
        return "this is no URL that apprise knows"
    teller = Apprise(asset=service.asset)
    teller.add(service)
    try:
        result = teller.notify(
            body=message.body,
            title=message.title,
            notify_type=_TYPES[message.kind],
            body_format=NotifyFormat.TEXT,
            timeout=seconds,
            log_level=logging.WARNING,
        )
    except Exception as exc:  # noqa: BLE001 - a plugin, by whomever: whatever it is, the message is not delivered
        return f"the plugin failed: {type(exc).__name__}"
    if result:
        return ""
    said = "; ".join(dict.fromkeys(entry.message for entry in result.logs()))
    return _without(url, said)[:FAULT_MAX] or "the service did not take it"


def unknown_urls(urls: Iterable[str]) -> list[int]:
    """The positions of URLs that apprise cannot use. No network is touched."""
    return [number for number, url in enumerate(urls) if _service(url, CONNECT_SECONDS) is None]


def _service(url: str, seconds: float) -> NotifyBase | None:
    asset = AppriseAsset(
        app_id="Sluicegate",
        app_desc="Sluicegate",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        http_redirects=False,  # a POST that is sent on as a GET looks delivered
        pem_autogen=False,
        pgp_autogen=False,
        allow_templates=False,
        storage_mode=PersistentStoreMode.MEMORY,
        service_timeout=seconds,
    )
    service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if not isinstance(service, NotifyBase):
        return None
    service.socket_connect_timeout = min(CONNECT_SECONDS, seconds)
    service.socket_read_timeout = seconds
    return service


def _without(url: str, text: str) -> str:
    """`text` without anything that stands in the URL beside its scheme."""
    _, _, secret = url.partition("://")
    for part in {
        secret,
        *secret.replace("?", "/").replace("@", "/").replace(":", "/").replace("&", "/").split("/"),
    }:
        if len(part) >= 6:
            text = text.replace(part, "…")
    return text
