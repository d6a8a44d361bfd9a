"""Addresses as the file writes them: listen addresses, brokers, DSNs, upstream URLs. Errors never repeat the text."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

EMBEDDED = "embedded"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_DSN_SCHEMES = ("clickhouse", "clickhouses", "http", "https")


def split_address(text: str) -> tuple[str, int]:
    """(host, port) of `host:port` or `[ipv6]:port`. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or not 1 <= int(port) <= 65_535:
        raise ValueError("must be host:port, with a port from 1 to 65535")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    if not _HOST.fullmatch(host):
        raise ValueError("must be host:port, with a host name, an IPv4 address or an [IPv6] address")
    return host, int(port)


def check_listen(text: str) -> str:
    """`text` when it is an address to listen on."""
    split_address(text)
    return text


def is_loopback(listen: str) -> bool:
    """Whether only this machine can reach the address. A name counts only when it is `localhost`."""
    return is_loopback_host(split_address(listen)[0])


def is_loopback_host(host: str) -> bool:
    """Whether the name or address is this machine's alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def reachable(listen: str) -> str:
    """`host:port` at which this machine reaches what listens on `listen`: every address is also loopback."""
    host, port = split_address(listen)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_brokers(text: str) -> str:
    """`text` when it is `embedded` or `host:port,host:port`."""
    if text != EMBEDDED:
        try:
            for broker in text.split(","):
                split_address(broker.strip())
        except ValueError as error:
            raise ValueError("must be `embedded` or host:port,host:port") from error
    return text


def check_dsn(text: str) -> str:
    """`text` when it is `embedded` or the DSN of a ClickHouse server."""
    if text == EMBEDDED:
        return text
    parts = _url(text)
    if parts is None or parts.scheme not in _DSN_SCHEMES:
        raise ValueError("must be `embedded` or clickhouse://user:password@host:8123/database")
    return text


def check_upstream(text: str) -> str:
    """`text` when it is the URL of an MCP server. Credentials in it are refused: URLs end in logs."""
    return _checked_url(text, "http://127.0.0.1:9000/mcp")


def check_url(text: str) -> str:
    """`text` when it is an http(s) URL without credentials."""
    return _checked_url(text, "https://collector.example.com/")


def check_guarded_url(text: str) -> str:
    """`text` when it is an https URL, or an http one on loopback: what is fetched there decides who is believed."""
    _checked_url(text, "https://id.example.com/")
    parts = urlsplit(text)
    if parts.scheme != "https" and not is_loopback_host(parts.hostname or ""):
        raise ValueError("must be https; http is for loopback addresses only")
    return text


def check_origin(text: str) -> str:
    """`https://host[:port]`, without the slash at its end; http on loopback only."""
    check_guarded_url(text)
    parts = urlsplit(text)
    if parts.path not in ("", "/") or parts.query:
        raise ValueError("must be https://host or https://host:port, without a path")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def check_host(text: str) -> str:
    """A host name or address in lower case, without a port: IPv6 with no brackets."""
    name = text.lower().removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.IPv6Address(name))
    except ValueError:
        if not _HOST.fullmatch(name):
            raise ValueError("must be a host name such as tools.example.com, without port") from None
    return name


def _checked_url(text: str, example: str) -> str:
    parts = _url(text)
    if parts is None or parts.scheme not in ("http", "https"):
        raise ValueError(f"must be a URL such as {example}")
    if "@" in parts.netloc:
        raise ValueError("must not carry a user or password: URLs end in logs")
    if parts.fragment:
        raise ValueError("must not have a #fragment")
    return text


def _url(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        return None
    spaces = any(character.isspace() or not character.isprintable() for character in text)
    return parts if parts.hostname and not spaces else None
