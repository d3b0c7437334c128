"""The door to the web against servers on loopback that lie, drip, bomb and redirect.

Names are resolved by a table: no test asks a name server. Addresses off loopback only ever reach a connector that notes
them down.
"""

import gzip
import logging
import pickle
import socket
import ssl
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote, unquote

import brotli
import httpcore2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from include.newswatch.model import OUTCOMES, NewsError, SettingsError
from include.newswatch.web import Web, WebSettings
from tests.loopback import loopback, redirects, says

LOOPBACK = ("127.0.0.0/8", "::1/128")
ALLOW_ALL = says(b"User-agent: *\nDisallow:\n")


def resolve_without_asking(names=None):
    """Numbers as the system reads them, in all their spellings; names from a table; nothing else."""

    def resolve(host, port):
        if host in (names or {}):
            return names[host]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        return [str(entry[4][0]) for entry in found]

    return resolve


class NotingConnector(httpcore2.NetworkBackend):
    """Connects to nothing, and notes what it was asked for."""

    def __init__(self):
        self.asked_for = []

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.asked_for.append(host)
        raise httpcore2.ConnectError("noted")


def open_web(*ports, resolver=None, connector=None, **changes):
    """A web without waiting, that may go to loopback."""
    usual = {"allow_networks": LOOPBACK, "min_interval_s": 0.0, "retry_wait_s": 0.01, "total_timeout_s": 5.0}
    settings = WebSettings("newswatch/1.0 (+https://desk.example)", allow_ports=ports, **{**usual, **changes})
    return Web(settings, resolver=resolver or resolve_without_asking(), connector=connector)


def outcome_of(web, url, **options):
    with pytest.raises(NewsError) as caught:
        web.get(url, **{"check_robots": False, **options})
    return caught.value.outcome


@pytest.fixture
def server():
    with loopback({"/robots.txt": ALLOW_ALL, "/a": says(b"hello", headers={"ETag": '"1"', "X-Twice": "a"})}) as running:
        yield running


# ── what a page is ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_is_fetched_with_what_the_road_needs_of_it(server):
    with open_web(server.port) as web:
        page = web.get(server.url("/a"))

    assert (page.url, page.final_url, page.status, page.body) == (server.url("/a"), server.url("/a"), 200, b"hello")
    assert page.headers == {"etag": '"1"', "x-twice": "a"}
    assert page.fetched_at.tzinfo == UTC and abs(page.fetched_at - datetime.now(UTC)) < timedelta(seconds=5)
    assert page.permanent_url is None
    asked = server.asked[-1].headers
    assert asked["user-agent"] == "newswatch/1.0 (+https://desk.example)"
    assert asked["accept-encoding"] == "gzip, br"
    assert asked["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize(
    ("coding", "pack"),
    [("gzip", gzip.compress), ("br", brotli.compress), ("deflate", zlib.compress), ("identity", bytes)],
)
def test_a_body_arrives_decompressed_and_says_so(coding, pack):
    body = "Россия и Китай, 中俄".encode() * 1000
    with (
        loopback({"/a": says(pack(body), headers={"Content-Encoding": coding})}) as server,
        open_web(server.port) as web,
    ):
        page = web.get(server.url("/a"), check_robots=False)

    assert page.body == body
    assert "content-encoding" not in page.headers and "content-length" not in page.headers


def test_validators_are_sent_and_a_304_has_no_body(server):
    server.routes["/a"] = lambda asked: (
        says(b"", 304, {"ETag": '"2"'}) if "if-none-match" in asked.headers else says(b"x")
    )
    with open_web(server.port) as web:
        page = web.get(server.url("/a"), etag='W/"1"', last_modified="Sat, 16 May 2026 12:00:00 GMT")

    assert (page.status, page.body, page.headers["etag"]) == (304, b"", '"2"')
    assert server.asked[-1].headers["if-none-match"] == 'W/"1"'
    assert server.asked[-1].headers["if-modified-since"] == "Sat, 16 May 2026 12:00:00 GMT"
    assert "if-none-match" not in server.asked[0].headers  # robots.txt is another file


def test_a_validator_returns_byte_for_byte(server):
    server.routes["/a"] = b'HTTP/1.1 200 x\r\nContent-Length: 1\r\nETag: "\xd0\xb0\xff"\r\n\r\nx'
    with open_web(server.port) as web:
        etag = web.get(server.url("/a")).headers["etag"]
        web.get(server.url("/a"), etag=etag)

    assert server.asked[-1].headers["if-none-match"] == etag


@pytest.mark.parametrize("etag", ['"1"\r\nX-Evil: 1', "\n", "中", " "])
def test_a_validator_that_no_header_can_carry_is_left_out(server, etag):
    with open_web(server.port) as web:
        assert web.get(server.url("/a"), etag=etag).body == b"hello"

    assert "if-none-match" not in server.asked[-1].headers and "x-evil" not in server.asked[-1].headers


def test_304_to_a_plain_request_is_an_error(server):
    server.routes["/a"] = says(b"", 304)
    with open_web(server.port) as web:
        assert outcome_of(web, server.url("/a")) == "http_error"


def test_credentials_are_neither_sent_nor_kept_nor_logged(server, caplog):
    caplog.set_level(logging.DEBUG)
    with open_web(server.port) as web:
        page = web.get(f"http://user:s3cret@127.0.0.1:{server.port}/a?id=1")
        with pytest.raises(NewsError) as caught:
            web.get(f"http://user:s3cret@127.0.0.1:{server.port}/none?password=s3cret")

    assert "authorization" not in server.asked[-1].headers
    assert "s3cret" not in page.url + page.final_url + str(caught.value)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("include.")]
    assert len(ours) == 2 and not any("s3cret" in line or "user" in line for line in ours)


def test_an_error_survives_the_way_between_processes():
    error = NewsError("rate_limited", "too often", status=429, retry_after_s=60.0)

    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes

    assert (copy.outcome, copy.detail, copy.status, copy.retry_after_s) == ("rate_limited", "too often", 429, 60.0)
    assert str(copy) == str(error) == "rate_limited: too often"


@pytest.mark.parametrize("changes", [{"user_agent": "бот"}, {"user_agent": "a\r\nb"}, {"allow_networks": ("here",)}])
def test_settings_that_cannot_be_are_the_operators_error(changes):
    with pytest.raises(SettingsError):
        Web(WebSettings(**{"user_agent": "newswatch/1.0", **changes}))


def test_many_threads_share_one_web(server):
    for number in range(8):
        server.routes[f"/{number}"] = says(str(number).encode() * 1000)
    with open_web(server.port) as web, ThreadPoolExecutor(8) as threads:
        bodies = list(threads.map(lambda n: web.get(server.url(f"/{n % 8}")).body, range(160)))

    assert bodies == [str(n % 8).encode() * 1000 for n in range(160)]
    assert server.most_at_once <= 2
    assert server.paths().count("/robots.txt") == 1


# ── guard ────────────────────────────────────────────────────────────────────────────────────────────────────────────

SPELLINGS = """
127.0.0.1 127.1 127.0.1 127.000.000.001 0177.0.0.1 017700000001 0x7f.0.0.1 0x7f.1 0x7f000001 0x7F.0x0.0x0.0x1 2130706433
127.255.255.254 127.0.0.1. 0 0.0.0.0 0x0 00 000.000.000.000
127。0。0。1 127．0．0．1 １２７.0.0.1 ①②⑦.⓪.⓪.① 127.0.0.1%00 %31%32%37.0.0.1
localhost LOCALHOST localhost. ip6-localhost internal.outlet.example metadata.outlet.example
[::1] [0:0:0:0:0:0:0:1] [0000::0001] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:127.0.0.1] [::127.0.0.1]
[::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b:1::127.0.0.1] [2002:7f00:1::] [2001:0:7f00:1::1] [fe80::1]
[fe80::1%25lo] [fc00::1] [fd00:ec2::254] [ff02::1]
10.0.0.1 172.16.0.1 192.168.0.1 169.254.169.254 100.64.0.1 224.0.0.1 255.255.255.255
user@127.0.0.1 outlet.example@127.0.0.1 outlet.example:80@127.0.0.1 127.0.0.1#@outlet.example 127.0.0.1\\@outlet.example
"""
INSIDE = {
    "localhost": ["127.0.0.1", "::1"],
    "localhost.": ["127.0.0.1"],
    "ip6-localhost": ["::1"],
    "internal.outlet.example": ["127.0.0.1"],
    "metadata.outlet.example": ["169.254.169.254", "fd00:ec2::254"],
}


@pytest.fixture(scope="module")
def listening():
    """A server on 127.0.0.1 and, on the same port, on ::1: whatever gets through is counted."""
    with loopback({"*": says(b"secret")}) as four:
        try:
            six = loopback({"*": says(b"secret")}, "::1", four.port)
            with six as also:
                yield four, also
        except OSError:  # a machine without IPv6
            yield four, four


@pytest.fixture(scope="module")
def guarded_web(listening):
    """A web that may go to 127.0.0.2 and nowhere else on this machine; and a server there that redirects to ?to=…"""
    four, _ = listening
    to_where = {"*": lambda asked: redirects(unquote(asked.path.partition("?to=")[2]))}
    options = {"allow_networks": ("127.0.0.2/32",), "resolver": resolve_without_asking(INSIDE)}
    with loopback(to_where, "127.0.0.2") as door, open_web(four.port, door.port, **options) as web:
        yield web, door


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "0x7f000001", "2130706433", "127。0。0。1", "[::ffff:127.0.0.1]"])
def test_the_same_spellings_would_arrive_if_the_guard_let_them(server, host):
    with open_web(server.port, allow_networks=("127.0.0.0/8", "::ffff:127.0.0.0/104")) as web:
        assert web.get(f"http://{host}:{server.port}/a", check_robots=False).body == b"hello"


@pytest.mark.parametrize("host", SPELLINGS.split())
def test_no_spelling_of_an_inner_address_is_connected_to(listening, guarded_web, host):
    four, six = listening
    web, door = guarded_web
    head, at, tail = host.partition("#")
    url = f"http://{head}:{four.port}/{at}{tail}"

    assert outcome_of(web, url) in ("blocked_address", "dns_error", "parse_error")
    assert outcome_of(web, url, check_robots=True) in ("blocked_address", "dns_error", "parse_error")
    # Through a redirect. http_error: what the Location says is no URL at all.
    redirected = outcome_of(web, door.url(f"/a?to={quote(url)}"))
    assert redirected in ("blocked_address", "dns_error", "parse_error", "http_error")
    assert four.n_connections == six.n_connections == 0


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/", "javascript:alert(1)", "//127.0.0.1/", "/a", "",
     "data:text/html,x", "unix:///run/docker.sock", "ws://127.0.0.1/", "http:/127.0.0.1/", "http:\\\\127.0.0.1\\", "http://"],
)  # fmt: skip
def test_only_http_and_https_are_fetched(url):
    connector = NotingConnector()
    with open_web(connector=connector) as web:
        assert outcome_of(web, url) in ("blocked_address", "parse_error", "dns_error")
    assert connector.asked_for == []


@pytest.mark.parametrize("port", [0, 22, 25, 6379, 8080, 65536, 99999])
def test_only_the_ports_of_the_web_and_named_ones_are_used(port):
    connector = NotingConnector()
    with open_web(connector=connector) as web:
        assert outcome_of(web, f"http://8.8.8.8:{port}/") in ("blocked_address", "parse_error")
    assert connector.asked_for == []


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "224.0.0.251",
     "255.255.255.255", "192.0.0.192", "198.18.0.1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "::ffff:10.0.0.1",
     "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::", "ff02::1", "fec0::1", "not an address", "127.1"],
)  # fmt: skip
def test_a_name_that_leads_into_a_private_network_never_reaches_the_connector(address):
    connector = NotingConnector()
    with open_web(allow_networks=(), connector=connector, resolver=lambda host, port: [address]) as web:
        assert outcome_of(web, "https://outlet.example/") == "blocked_address"
    assert connector.asked_for == []


def test_a_name_that_changes_between_check_and_connect_gains_nothing():
    answers, connector = [["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34"]], NotingConnector()
    resolved = []

    def rebinding(host, port):
        resolved.append(host)
        return answers[(len(resolved) - 1) % len(answers)]

    with open_web(allow_networks=(), connector=connector, resolver=rebinding, retries=0) as web:
        outcomes = [outcome_of(web, "http://outlet.example/") for _ in range(3)]

    assert outcomes == ["connect_error", "blocked_address", "connect_error"]
    assert connector.asked_for == ["93.184.216.34", "93.184.216.34"]  # numbers, which nobody resolves again
    assert len(resolved) == 3


def test_a_name_that_rebinds_to_a_listening_server_is_not_connected_to(listening):
    four, _ = listening
    turns = iter([["127.0.0.2"], ["127.0.0.1"]] * 3)
    with (
        loopback({"*": redirects("/again", **{"Connection": "close"})}, "127.0.0.2", four.port),
        open_web(four.port, allow_networks=("127.0.0.2/32",), resolver=lambda host, port: next(turns)) as web,
    ):
        assert outcome_of(web, f"http://outlet.example:{four.port}/") == "blocked_address"
    assert four.n_connections == 0


def test_of_several_addresses_only_public_ones_are_tried():
    connector, mixed = NotingConnector(), ["127.0.0.1", "64:ff9b::1", "93.184.216.34", "10.0.0.1", "2606:4700::1111"]
    with open_web(allow_networks=(), connector=connector, resolver=lambda host, port: mixed, retries=0) as web:
        assert outcome_of(web, "http://outlet.example/") == "connect_error"
    assert connector.asked_for == ["93.184.216.34", "2606:4700::1111"]


def test_the_next_address_is_tried_when_the_first_is_dead(server):
    with open_web(server.port, resolver=lambda host, port: ["127.0.0.77", "127.0.0.1"]) as web:
        assert web.get(f"http://outlet.example:{server.port}/a").body == b"hello"


def test_a_proxy_of_the_environment_is_not_used(server, listening, monkeypatch):
    four, _ = listening
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{four.port}")
    with open_web(server.port) as web:
        assert web.get(server.url("/a")).body == b"hello"
    assert four.n_connections == 0


def test_a_resolver_that_hangs_or_fails_is_a_dns_error():
    def fails(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    for resolver in (lambda host, port: time.sleep(1), fails, lambda host, port: []):
        with open_web(resolver=resolver, connect_timeout_s=0.1) as web:
            started_at = time.monotonic()
            assert outcome_of(web, "http://outlet.example/") == "dns_error"
            assert time.monotonic() - started_at < 0.8
    with open_web() as web:
        assert outcome_of(web, f"http://{'a' * 64}.example/") == "dns_error"


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody has signed but itself; its file holds the key as well."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def tls_server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with loopback({"*": says(b"hello")}, "0.0.0.0", tls=context) as running:
        yield running


def test_a_certificate_that_nobody_vouches_for_is_a_tls_error(tls_server):
    with open_web(tls_server.port) as web:
        assert outcome_of(web, f"https://127.0.0.1:{tls_server.port}/") == "tls_error"
    assert tls_server.asked == []


def test_a_certificate_is_good_for_its_own_host_only(tls_server, certificate):
    with open_web(tls_server.port, ca_file=certificate) as web:
        assert web.get(f"https://127.0.0.1:{tls_server.port}/", check_robots=False).body == b"hello"
        assert outcome_of(web, f"https://127.0.0.2:{tls_server.port}/") == "tls_error"


def test_a_server_without_tls_is_a_tls_error(server):
    with open_web(server.port) as web:
        assert outcome_of(web, f"https://127.0.0.1:{server.port}/a") == "tls_error"


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def drips(first, piece=b"x", every_s=0.05):
    def drip(asked):
        yield first
        while True:
            time.sleep(every_s)
            yield piece

    return drip


@pytest.mark.parametrize(
    "said",
    [
        drips(b"HTTP/1.1 200 x\r\nContent-Length: 9999\r\n\r\n"),
        drips(b"HTTP/1.1 200 x\r\nX: "),
        drips(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(b""),
    ],
    ids=["body", "header", "continue", "status"],
)
def test_a_server_that_drips_is_left_after_the_total_time(said):
    with loopback({"/a": said}) as server, open_web(server.port, total_timeout_s=0.3) as web:
        started_at = time.monotonic()
        assert outcome_of(web, server.url("/a")) == "timeout"
        assert time.monotonic() - started_at < 0.8


def test_a_server_that_says_nothing_is_left_after_the_total_time():
    with (
        loopback({"/a": lambda asked: time.sleep(1) or b""}) as server,
        open_web(server.port, total_timeout_s=0.2) as web,
    ):
        assert outcome_of(web, server.url("/a")) == "timeout"


def test_redirects_share_the_total_time_of_one_get():
    def slow(asked):
        time.sleep(0.15)
        return redirects("/a")

    with loopback({"/a": slow}) as server, open_web(server.port, total_timeout_s=0.3) as web:
        started_at = time.monotonic()
        assert outcome_of(web, server.url("/a")) == "timeout"
        assert time.monotonic() - started_at < 0.8


def endless(first, piece):
    def go_on(asked):
        yield first
        while True:
            yield piece

    return go_on


@pytest.mark.parametrize(
    "said",
    [
        endless(b"HTTP/1.1 200 x\r\n\r\n", b"x" * 65536),
        endless(b"HTTP/1.1 200 x\r\n", b"X-Header: 1\r\n" * 1000),
        endless(b"HTTP/1.1 200 x\r\nX: ", b"x" * 65536),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        endless(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        endless(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1;" + b"y" * 9000 + b"\r\nx\r\n"),
        says(b"x" * 200_001),
        says(b"", headers={f"X-{n}": "1" for n in range(300)}),
    ],
    ids=["body", "headers", "header", "continue", "chunks", "chunk extensions", "one byte more", "300 headers"],
)
def test_more_than_the_limit_is_too_large(said):
    with loopback({"/a": said}) as server, open_web(server.port, max_bytes=200_000) as web:
        assert outcome_of(web, server.url("/a")) == "too_large"


def test_a_body_of_exactly_the_limit_is_taken():
    with loopback({"/a": says(b"x" * 1000)}) as server, open_web(server.port) as web:
        assert len(web.get(server.url("/a"), max_bytes=1000, check_robots=False).body) == 1000
        assert outcome_of(web, server.url("/a"), max_bytes=999) == "too_large"


def gzip_bomb(n_bytes):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(n_bytes >> 20)), packer.flush()])


def brotli_bomb(n_bytes):
    packer = brotli.Compressor(quality=5)
    return b"".join([*(packer.process(bytes(1 << 20)) for _ in range(n_bytes >> 20)), packer.finish()])


@pytest.mark.parametrize(("coding", "bomb"), [("gzip", gzip_bomb), ("br", brotli_bomb), ("deflate", gzip_bomb)])
def test_a_bomb_is_too_large_before_it_is_unpacked(coding, bomb):
    body = bomb(40 << 20) if coding != "deflate" else zlib.compress(bytes(40 << 20), 9)
    assert len(body) < 200_000
    with loopback({"/a": says(body, headers={"Content-Encoding": coding})}) as server, open_web(server.port) as web:
        started_at = time.monotonic()
        assert outcome_of(web, server.url("/a")) == "too_large"
        assert time.monotonic() - started_at < 2


@pytest.mark.parametrize("coding", ["gzip, gzip", "br, gzip", "zstd", "compress", "x" * 3000])
def test_codings_that_were_not_asked_for_are_refused(coding):
    body = gzip.compress(gzip_bomb(1 << 20))
    with loopback({"/a": says(body, headers={"Content-Encoding": coding})}) as server, open_web(server.port) as web:
        assert outcome_of(web, server.url("/a")) == "parse_error"


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_a_broken_coding_is_a_parse_error(coding):
    with (
        loopback({"/a": says(b"\xff not packed", headers={"Content-Encoding": coding})}) as server,
        open_web(server.port) as web,
    ):
        assert outcome_of(web, server.url("/a")) == "parse_error"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x00\x01\x02\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"ICY 200 OK\r\n\r\nx",
        b"HTTP/1.1 abc x\r\n\r\n",
        b"HTTP/1.1 200 x\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 x\r\nContent-Length: -1\r\n\r\nx",
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 x\r\nBad Header: 1\r\n\r\n",
        b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_not_http_is_one_word_and_no_crash(said):
    with loopback({"/a": [said]}) as server, open_web(server.port, retries=0) as web:
        assert outcome_of(web, server.url("/a")) in ("connect_error", "http_error")


PEAK = """
import resource, sys
from include.newswatch.web import NewsError, Web, WebSettings

def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

port, *urls = sys.argv[1:]
with Web(WebSettings("x", allow_networks=("127.0.0.0/8",), allow_ports=(int(port),), min_interval_s=0.0)) as web:
    web.get(urls[0])
    before_mb = peak_mb()
    for url in urls[1:]:
        try:
            web.get(url)
        except NewsError as error:
            print(error.outcome)
print(round(peak_mb() - before_mb))
"""


@pytest.mark.slow
def test_a_bomb_costs_little_memory(server):
    bombs = {"gzip": gzip_bomb(100 << 20), "br": brotli_bomb(100 << 20)}
    for coding, bomb in bombs.items():
        server.routes[f"/{coding}"] = says(bomb, headers={"Content-Encoding": coding})
    urls = [server.url(path) for path in ("/a", "/gzip", "/br")]

    said = subprocess.run(
        [sys.executable, "-c", PEAK, str(server.port), *urls], capture_output=True, text=True, check=True
    )

    *outcomes, grown_mb = said.stdout.split()
    assert outcomes == ["too_large", "too_large"]
    assert int(grown_mb) < 64


class SayingConnector(httpcore2.NetworkBackend):
    """Every connection leads to the same bytes; no socket is opened."""

    said = b""

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        return SayingStream(self.said)


class SayingStream(httpcore2.NetworkStream):
    def __init__(self, said):
        self.left = said

    def read(self, max_bytes, timeout=None):
        piece, self.left = self.left[: min(max_bytes, 7)], self.left[min(max_bytes, 7) :]
        return piece

    def write(self, buffer, timeout=None):
        """Nobody reads it."""

    def close(self):
        """Nothing is open."""

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        return self


HEADER_NAMES = b"Content-Length Transfer-Encoding Content-Encoding Location Set-Cookie Retry-After Connection"
HEADER_VALUES = [
    b"0", b"5", b"-1", b"chunked", b"gzip", b"br", b"gzip, br", b"close", b"?x", b"#y", b'x; charset="\xff',
    b"http://[", b"http://user:p@h:99/", b"https://a:0/", b"http:/x", b"\\\\x", b"http://xn--/", b"http://\xe2\x91\xa0/",
    b"//\xd0\xbf.\xd1\x80\xd1\x84/\xff",
    b"a=b; expires=Thu, 99 Foo 99999 99:99:99 GMT; max-age=99999999999999999999; domain=.com",
]  # fmt: skip
ANSWERS = st.builds(
    lambda status, headers, body: b"HTTP/1.1 %d x\r\n%s\r\n%s" % (status, b"".join(headers), body),
    st.sampled_from([100, 101, 200, 202, 204, 206, 300, 301, 302, 304, 307, 403, 404, 410, 429, 500, 503, 999]),
    st.lists(
        st.builds(
            lambda name, value: name + b": " + value + b"\r\n",
            st.sampled_from(HEADER_NAMES.split()),
            st.sampled_from(HEADER_VALUES) | st.binary(max_size=12),
        ),
        max_size=5,
    ),
    st.binary(max_size=30) | st.just(b"5\r\nhello\r\n0\r\n\r\n"),
)


@given(ANSWERS | st.binary(max_size=100))
@example(b"HTTP/1.1 302 x\r\nSet-Cookie: \x80\r\nLocation: !\r\n\r\n")
def test_whatever_a_server_says_is_a_page_or_one_word(fuzzed_web, said):
    web, connector = fuzzed_web
    connector.said = said
    try:
        assert web.get("http://outlet.example/a", check_robots=False, etag='"1"').status < 400
    except NewsError as error:
        assert error.outcome in OUTCOMES and "outlet.example" in error.detail


@pytest.fixture(scope="module")
def fuzzed_web():
    connector = SayingConnector()
    with open_web(connector=connector, resolver=lambda host, port: ["93.184.216.34"], retries=0, max_bytes=1000) as web:
        yield web, connector


# ── redirects ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_redirects_are_followed_and_permanent_ones_remembered(server):
    server.routes |= {
        "/old": redirects("/moved", 301),
        "/moved": redirects(server.url("/for-now"), 308),
        "/for-now": redirects("a?x=1", 302),
    }
    with open_web(server.port) as web:
        page = web.get(server.url("/old"))
        later = web.get(server.url("/for-now"))

    assert (page.url, page.final_url, page.body) == (server.url("/old"), server.url("/a?x=1"), b"hello")
    assert page.permanent_url == server.url("/for-now")
    assert later.permanent_url is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed(server, status):
    server.routes["/old"] = redirects("/a", status)
    with open_web(server.port) as web:
        assert web.get(server.url("/old")).body == b"hello"


def test_a_location_in_raw_utf_8_is_followed(server):
    server.routes |= {
        "/old": "HTTP/1.1 302 x\r\nContent-Length: 0\r\nLocation: /новость\r\n\r\n".encode(),
        "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D1%8C": says(b"found"),
    }
    with open_web(server.port) as web:
        assert web.get(server.url("/old")).body == b"found"


def test_redirects_have_an_end(server):
    server.routes |= {"/loop": redirects("/loop"), "/on": lambda asked: redirects(f"/on?{len(server.asked)}")}
    with open_web(server.port, max_redirects=5) as web:
        assert outcome_of(web, server.url("/loop")) == "too_many_redirects"
        assert server.paths().count("/loop") == 6
        assert outcome_of(web, server.url("/on")) == "too_many_redirects"


@pytest.mark.parametrize("location", ["", "http://[", "http://exa mple/", "http://a:b/"])
def test_a_redirect_to_nowhere_is_one_word(server, location):
    server.routes["/a"] = redirects(location)
    with open_web(server.port) as web:
        assert outcome_of(web, server.url("/a")) in ("http_error", "blocked_address", "dns_error")


def test_a_cookie_lives_as_long_as_its_redirects(server):
    def wall(asked):
        seen = "seen=1" in asked.headers.get("cookie", "")
        return says(b"inside") if seen else redirects("/wall", **{"Set-Cookie": "seen=1; Path=/"})

    server.routes["/wall"] = wall
    with open_web(server.port) as web:
        assert web.get(server.url("/wall")).body == b"inside"
        web.get(server.url("/a"))
    assert "cookie" not in server.asked[-1].headers


@pytest.mark.parametrize(
    "cookie", [b"\x80", "имя=значение".encode(), b"a=\xff; expires=Thu, 99 Foo 99999 99:99:99 GMT", b"=; ;,"]
)
def test_no_cookie_breaks_a_redirect(server, cookie):
    server.routes["/old"] = (
        b"HTTP/1.1 302 x\r\nContent-Length: 0\r\nLocation: /a\r\nSet-Cookie: " + cookie + b"\r\n\r\n"
    )
    with open_web(server.port) as web:
        assert web.get(server.url("/old")).body == b"hello"


# ── refusals and retries ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_passes_is_tried_again_once(server):
    for status in (502, 503, 504):
        answers = iter([says(b"", status), says(b"back")])
        server.routes[f"/{status}"] = lambda asked, answers=answers: next(answers)
    answers_after_hanging_up = iter([b"", says(b"back")])
    server.routes["/hangs-up"] = lambda asked: next(answers_after_hanging_up)
    with open_web(server.port) as web:
        assert all(web.get(server.url(f"/{what}")).body == b"back" for what in (502, 503, 504, "hangs-up"))


@pytest.mark.parametrize(
    ("status", "headers", "outcome", "n_asked"),
    [(500, {}, "http_error", 1), (502, {}, "http_error", 2), (404, {}, "http_error", 1), (410, {}, "gone", 1),
     (429, {"Retry-After": "7"}, "rate_limited", 1), (503, {"Retry-After": "7"}, "rate_limited", 1),
     (403, {"cf-mitigated": "challenge"}, "bot_wall", 1)],
)  # fmt: skip
def test_refusals_carry_word_status_and_wait(server, status, headers, outcome, n_asked):
    server.routes["/x"] = says(b"no", status, headers)
    with open_web(server.port) as web, pytest.raises(NewsError) as caught:
        web.get(server.url("/x"))

    error = caught.value
    assert (error.outcome, error.status) == (outcome, status)
    assert error.retry_after_s == (7.0 if "Retry-After" in headers else None)
    assert server.paths().count("/x") == n_asked


def test_a_refusal_whose_body_cannot_be_read_is_still_that_refusal(server):
    server.routes |= {
        "/drip": drips(b"HTTP/1.1 404 x\r\nContent-Length: 99999\r\n\r\n"),
        "/drip-wall": drips(b"HTTP/1.1 403 x\r\nContent-Length: 99999\r\n\r\n"),
        "/broken": says(b"\xff", 500, {"Content-Encoding": "gzip"}),
        "/broken-wall": says(b"\xff", 403, {"Content-Encoding": "gzip"}),
        "/coded-wall": says(b"x", 403, {"Content-Encoding": "zstd"}),
    }
    with open_web(server.port, total_timeout_s=0.3) as web:
        for path in ("/drip", "/drip-wall", "/broken", "/broken-wall", "/coded-wall"):
            assert outcome_of(web, server.url(path)) == "http_error"


def test_nobody_listening_is_a_connect_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with open_web(port) as web:
            assert outcome_of(web, f"http://127.0.0.1:{port}/") == "connect_error"


# ── robots.txt ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_robots_txt_is_obeyed_and_asked_for_once(server):
    server.routes["/robots.txt"] = says(b"\xef\xbb\xbfUser-agent: *\nDisallow: /private\n")
    with open_web(server.port) as web:
        assert web.get(server.url("/a")).body == b"hello"
        assert outcome_of(web, server.url("/private/x"), check_robots=True) == "robots_denied"
        assert outcome_of(web, server.url("/private/y"), check_robots=True) == "robots_denied"
    assert server.paths() == ["/robots.txt", "/a"]


def test_a_redirect_asks_the_robots_txt_of_where_it_leads(server):
    with loopback({"/robots.txt": says(b"User-agent: *\nDisallow: /b"), "*": says(b"x")}, "127.0.0.2") as other:
        server.routes |= {"/to-b": redirects(other.url("/b")), "/to-c": redirects(other.url("/c"))}
        with open_web(server.port, other.port) as web:
            assert outcome_of(web, server.url("/to-b"), check_robots=True) == "robots_denied"
            assert web.get(server.url("/to-c")).body == b"x"
        assert other.paths() == ["/robots.txt", "/c"]


@pytest.mark.parametrize(
    ("robots", "outcome"),
    [
        (says(b"", 404), None),
        (says(b"", 403), None),
        (redirects("/robots.txt"), None),
        (says(b"", 500), "robots_denied"),
        (drips(b"HTTP/1.1 200 x\r\n\r\n"), "robots_denied"),
        (says(b"", 429), "rate_limited"),
        (says(b"User-agent: *\nDisallow: /a\n" + b"# filler\n" * 200_000), "robots_denied"),
        (says(gzip_bomb(5 << 20), headers={"Content-Encoding": "gzip"}), None),
    ],
    ids=["404", "403", "loop", "500", "drip", "429", "huge", "bomb"],
)
def test_a_robots_txt_that_fails_is_treated_as_the_standard_says(server, robots, outcome):
    server.routes["/robots.txt"] = robots
    with open_web(server.port, robots_timeout_s=0.3) as web:
        if outcome is None:
            assert web.get(server.url("/a")).body == b"hello"
        else:
            assert outcome_of(web, server.url("/a"), check_robots=True) == outcome
            assert "/a" not in server.paths()


def test_robots_txt_is_kept_for_the_next_process(server, tmp_path):
    for _ in range(3):
        with open_web(server.port, politeness_dir=tmp_path / "manners") as web:
            web.get(server.url("/a"))
    assert server.paths().count("/robots.txt") == 1


def test_a_failure_to_get_robots_txt_is_kept_as_well(server):
    server.routes["/robots.txt"] = says(b"", 500)
    with open_web(server.port) as web:
        assert [outcome_of(web, server.url("/a"), check_robots=True) for _ in range(3)] == ["robots_denied"] * 3
    assert server.paths() == ["/robots.txt"]


# ── politeness ───────────────────────────────────────────────────────────────────────────────────────────────────────


def gaps_s(server):
    return [later - earlier for earlier, later in pairwise(sorted(asked.at for asked in server.asked))]


def test_requests_to_a_host_keep_their_distance(server):
    with open_web(server.port, min_interval_s=0.1) as web, ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: web.get(server.url("/a")), range(5)))
    assert len(server.asked) == 6 and min(gaps_s(server)) > 0.07


def test_crawl_delay_is_kept_up_to_a_limit(server):
    server.routes["/robots.txt"] = says(b"User-agent: *\nCrawl-delay: 100\n")
    with open_web(server.port, max_crawl_delay_s=0.2) as web:
        web.get(server.url("/a"))
        web.get(server.url("/a"))
    assert min(gaps_s(server)) > 0.15 and sum(gaps_s(server)) < 1


def test_other_hosts_do_not_wait(server):
    with (
        loopback({"*": says(b"x")}, "127.0.0.3") as other,
        open_web(server.port, other.port, min_interval_s=5.0) as web,
    ):
        started_at = time.monotonic()
        web.get(server.url("/a"), check_robots=False)
        web.get(other.url("/a"), check_robots=False)
        assert time.monotonic() - started_at < 1


def test_one_refusal_speaks_of_its_address_three_speak_of_the_host(server):
    for name in ("x", "y", "z"):
        server.routes[f"/{name}"] = says(b"", 429, {"Retry-After": "60"})
    with open_web(server.port) as web:
        for name in ("x", "x", "y"):
            outcome_of(web, server.url(f"/{name}"))
        assert web.get(server.url("/a")).body == b"hello"
        outcome_of(web, server.url("/z"))
        n_asked = len(server.asked)
        with pytest.raises(NewsError) as caught:
            web.get(server.url("/a"))

    assert caught.value.outcome == "rate_limited" and 50 < caught.value.retry_after_s <= 60
    assert len(server.asked) == n_asked


ASK_THREE_TIMES = """
import sys
from pathlib import Path
from include.newswatch.web import Web, WebSettings

url, port, directory = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
settings = WebSettings(
    "newswatch/1.0", allow_networks=("127.0.0.0/8",), allow_ports=(port,), min_interval_s=0.15, politeness_dir=directory
)
with Web(settings) as web:
    for _ in range(3):
        web.get(url)
"""


def test_processes_that_share_a_folder_keep_the_distance_together(server, tmp_path):
    command = [sys.executable, "-c", ASK_THREE_TIMES, server.url("/a"), str(server.port), str(tmp_path)]
    running = [subprocess.Popen(command) for _ in range(2)]

    assert [process.wait(30) for process in running] == [0, 0]
    assert server.paths().count("/robots.txt") == 1
    assert len(server.asked) == 7 and server.most_at_once <= 2
    assert min(gaps_s(server)) > 0.1  # as the server saw it, on a busy machine


HOLD_THE_TURN = """
import sys, time
from pathlib import Path
from include.newswatch.politeness import HostQueue

with HostQueue(Path(sys.argv[1]), 1).turn(sys.argv[2], 0.0):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_process_that_dies_gives_its_turn_back(server, tmp_path):
    with open_web(server.port, politeness_dir=tmp_path, max_connections_per_host=1) as web:
        web.get(server.url("/a"))
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD_THE_TURN, str(tmp_path), f"127.0.0.1:{server.port}"], stdout=subprocess.PIPE
        )
        assert child.stdout.readline() == b"held\n"
        child.kill()
        child.wait()
        started_at = time.monotonic()
        web.get(server.url("/a"))
        assert time.monotonic() - started_at < 1
