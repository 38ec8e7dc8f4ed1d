"""Where webhooks may go: public addresses, and private ones that the operator allows.

A host is resolved once, the address is judged, and that same address is connected to. A name that
answers differently the second time (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore

from services.notify.settings import Network

Address = IPv4Address | IPv6Address

_RESOLVE_S = 5.0
# A look-up that hangs keeps its thread for as long as the resolver likes, also when we wait no longer for it. Others'
# must not wait behind it: a worker has 64 tries at those that fail under way, each for some seconds.
_LOOKUPS = ThreadPoolExecutor(256, "lookup")
_PORTS = {"http": 80, "https": 443}
# Prefixes of addresses that lead to an IPv4 address: NAT64 (RFC 6052) and 6to4 (RFC 3056).
_NAT64 = IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """No address of the host may be connected to; the message says why."""


def parse(url: str) -> SplitResult:
    """A URL that a webhook may have, in its parts.

    Raises:
        ValueError: with what is wrong with it.
    """
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("is no URL: it has blanks or control characters")
    if not url.isascii():
        raise ValueError("is no URL: write its path with % and its host with xn--")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("is no URL that can be posted to: give https://host/path")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no user name and no password; requests are signed instead")
    if parts.fragment:
        raise ValueError("must have no fragment")
    if "%" in parts.hostname:
        raise ValueError("has a host that is no name and no address")
    if parts.port == 0:
        raise ValueError("has no port that can be connected to")
    return parts


def place(url: str) -> str:
    """`host:port` of a URL that `parse` takes."""
    parts = parse(url)
    return f"{(parts.hostname or '').lower()}:{parts.port or _PORTS[parts.scheme]}"


def allowed(address: Address, networks: Iterable[Network]) -> bool:
    """Whether an address is public, or in one of the networks."""
    inner = _within(address)
    if any(inner.version == network.version and inner in network for network in networks):
        return True
    return inner.is_global and not inner.is_multicast and not inner.is_reserved


async def resolve(host: str, port: int, networks: Sequence[Network]) -> list[str]:
    """The addresses of a host that may be connected to, in the resolver's order.

    Raises:
        AddressRefused: it has addresses, but none of those.
        OSError: it has none just now.
        ValueError: no host can be named so.
    """
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        async with asyncio.timeout(_RESOLVE_S):
            found = await asyncio.get_running_loop().run_in_executor(_LOOKUPS, look_up)
    except UnicodeError as error:
        raise ValueError(f"is no URL that can be posted to: {host} is no host name") from error
    except TimeoutError as error:
        raise ConnectionError(f"{host} could not be looked up within {_RESOLVE_S:g} s") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    good = [address for address in addresses if allowed(ip_address(address.partition("%")[0]), networks)]
    if not good:
        raise AddressRefused(f"{host} is a private or local address, where nothing is sent from here")
    return good


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects only to addresses that are allowed."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = networks
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for address in await resolve(host, port, self._networks):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise AddressRefused("A socket of this machine is no webhook.")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def _within(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
