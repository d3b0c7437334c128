"""An IP address in, whether we may connect to it out. Nothing is resolved here: the caller brings the number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

from include.newswatch.model import SettingsError

WEB_PORTS = frozenset({80, 443})

# is_global of Python 3.11 passes some of these (multicast, 6to4), later versions others: the list depends on neither.
NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # "this host": reaches loopback on Linux
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local: the metadata services of clouds
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
# The only part of IPv6 that is handed out. Everything else lies outside: the wrappings of IPv4 (::ffff:0:0/96, ::/96,
# NAT64 64:ff9b::/96 and 64:ff9b:1::/48), the local and the multicast ranges.
PUBLIC_V6 = IPv6Network("2000::/3")
NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments, with Teredo 2001::/32 and ORCHID
            "2001:db8::/32",
            "2002::/16",  # 6to4: wraps any IPv4 address
            "3fff::/20",
        ),
    )
)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether the address belongs to the open internet, and to nothing that could be a detour back to us."""
    if not address.is_global:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in NOT_PUBLIC_V4)
    return (
        address in PUBLIC_V6 and address.scope_id is None and not any(address in network for network in NOT_PUBLIC_V6)
    )


@dataclass(frozen=True, slots=True)
class AddressRule:
    """Where a socket may go: public addresses and the named networks, on the web's ports and the named ones."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    ports: frozenset[int] = WEB_PORTS

    @classmethod
    def of(cls, allow_networks: Iterable[str], allow_ports: Iterable[int]) -> Self:
        """Read the operator's exceptions.

        Raises:
            SettingsError: a network that is not CIDR, or a port out of range.
        """
        try:
            networks = tuple(ip_network(text) for text in allow_networks)
        except ValueError as error:
            raise SettingsError(f"allow_networks: {error}") from None
        ports = frozenset(allow_ports)
        if bad := [port for port in ports if not 0 < port < 65536]:
            raise SettingsError(f"allow_ports: {bad[0]} is not a port")
        return cls(networks, WEB_PORTS | ports)

    def permits_address(self, text: str) -> bool:
        """Whether a numeric address, as a resolver gave it, may be connected to; False for what is not one."""
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return is_public(address) or any(address in network for network in self.networks)

    def permits_port(self, port: int) -> bool:
        return port in self.ports
