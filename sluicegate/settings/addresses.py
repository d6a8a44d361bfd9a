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
    host, _ = split_address(listen)
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
    parts = _url(text)
    if parts is None or parts.scheme not in ("http", "https"):
        raise ValueError("must be a URL such as http://127.0.0.1:9000/mcp")
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
