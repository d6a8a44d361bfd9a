"""Where a provider's metadata may lead: names are resolved here, judged, and connected to as judged.

One look-up serves both the check and the connection, so a name that changes its address in between leads nowhere.
"""

import asyncio
import socket
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

RESOLVE_SECONDS = 5.0

Address = IPv4Address | IPv6Address

_NAT64 = ip_network("64:ff9b::/96")
# Metadata of clouds at addresses that look like others': Azure, Alibaba, AWS, Oracle
_METADATA = frozenset(map(ip_address, ("168.63.129.16", "100.100.100.200", "fd00:ec2::254", "192.0.0.192")))
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class AddressError(Exception):
    """A host has no address, or one that must not be spoken to. The text says which host and why."""


class Reach(StrEnum):
    """From where an address can be reached."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    NOWHERE = "link-local, multicast, reserved or a cloud's metadata"  # no provider is there


def reach_of(address: Address) -> Reach:
    """From where `address` can be reached, also when an IPv6 address only wraps it."""
    address = _unwrapped(address)
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA:
        return Reach.NOWHERE
    if address.is_loopback:
        return Reach.LOOPBACK
    if address.is_reserved:
        return Reach.NOWHERE
    return Reach.PUBLIC if address.is_global else Reach.PRIVATE


def _unwrapped(address: Address) -> Address:
    """The IPv4 address in an IPv6 address that is mapped (RFC 4291), 6to4 (RFC 3056), NAT64 (RFC 6052) or Teredo."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1]) or address


def expected_at(host: str) -> frozenset[Reach]:
    """Where a host may be that the operator names: loopback only by a name that says so."""
    if host.rstrip(".").lower() in LOOPBACK_NAMES:
        return frozenset({Reach.LOOPBACK})
    return frozenset({Reach.PUBLIC, Reach.PRIVATE})


async def resolve(host: str, port: int, allowed: frozenset[Reach]) -> list[Address]:
    """All addresses of `host`. Raises AddressError, also when only one of them is not at `allowed`."""
    loop = asyncio.get_running_loop()
    look_up = loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.wait_for(look_up, RESOLVE_SECONDS)
        addresses = [ip_address(entry[4][0]) for entry in found]
    except (OSError, UnicodeError, ValueError, TimeoutError) as error:
        raise AddressError(f"{host} has no address ({type(error).__name__})") from error
    for address in addresses:
        if (reach := reach_of(address)) not in allowed:
            raise AddressError(f"{host} is at an address that is {reach}, which it must not be")
    return addresses
