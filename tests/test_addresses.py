from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.newswatch.addresses import AddressRule, is_public
from include.newswatch.model import SettingsError

NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 127.0.0.1 127.255.255.254 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.7
203.0.113.9 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::8.8.8.8
64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:0808:0808::1
3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo 2606:4700::1111%eth0 fec0::1 ff02::1 ff0e::1
"""
PUBLIC = (
    "1.1.1.1 8.8.8.8 93.184.216.34 114.114.114.114 77.88.8.8 192.0.1.1 2606:4700::1111 2a02:6b8::feed:ff 2400:3200::1"
)


@pytest.mark.parametrize("text", NOT_PUBLIC.split())
def test_no_special_address_is_public(text):
    assert not is_public(ip_address(text))
    assert not AddressRule().permits_address(text)


@pytest.mark.parametrize("text", PUBLIC.split())
def test_ordinary_addresses_are_public(text):
    assert AddressRule().permits_address(text)


@given(st.integers(0, 2**32 - 1))
def test_no_wrapping_of_an_ipv4_address_is_public(number):
    for wrapped in (
        number,
        number | 0xFFFF << 32,
        number | 0xFFFF << 48,
        number | 0x64FF9B << 96,
        (0x2002 << 112) | number << 80,
    ):
        assert not is_public(IPv6Address(wrapped))


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_what_python_calls_private_is_never_public(address):
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert not is_public(address)


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.1", "2130706433", "0x7f000001", "1.1.1.1 ", "1.1.1.1:80", "[::1]"]
)
def test_what_is_not_a_plain_number_is_not_permitted(text):
    assert not AddressRule.of(["127.0.0.0/8", "::1/128"], []).permits_address(text)


def test_a_named_network_is_permitted_and_nothing_beside_it():
    rule = AddressRule.of(["127.0.0.2/32", "fd00::/64"], [8080])

    assert rule.permits_address("127.0.0.2") and rule.permits_address("fd00::5")
    assert not rule.permits_address("127.0.0.1")
    assert not rule.permits_address("::ffff:127.0.0.2")
    assert [port for port in (22, 80, 443, 8080, 8081) if rule.permits_port(port)] == [80, 443, 8080]


@pytest.mark.parametrize(("networks", "ports"), [(["127.0.0.1/8"], []), (["loopback"], []), ([], [0]), ([], [65536])])
def test_wrong_exceptions_are_the_operators_error(networks, ports):
    with pytest.raises(SettingsError):
        AddressRule.of(networks, ports)


def test_the_list_names_loopback_whatever_python_thinks_of_it():
    assert not any(is_public(IPv4Address((127 << 24) + n)) for n in (0, 1, 2**24 - 1))
