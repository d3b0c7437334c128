"""The only socket: a URL in, one answer or one outcome word out, whatever the server does.

Every connection goes through _GuardedBackend, every byte through _GuardedStream: no address that is not public, no byte
and no second beyond the allowance of a request. HTTP/1.1 only: one request at a time on a stream keeps them exact.
Proxies of the environment are not used: behind one, nobody could check the address.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, cast

import httpcore2
import httpx2
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from include.newswatch.addresses import WEB_PORTS, AddressRule
from include.newswatch.answers import CHALLENGED, PERMANENT, REDIRECTS, WALL_BYTES, error_of_answer
from include.newswatch.model import NewsError, Page, SettingsError
from include.newswatch.politeness import HostQueue, RobotsBook
from include.newswatch.robots import MAX_ROBOTS_BYTES
from include.newswatch.urls import DEFAULT_PORTS, MAX_URL_CHARS, redact_url, registrable_domain

LOGGER = logging.getLogger(__name__)

Resolver = Callable[[str, int], Sequence[str]]  # host, port → numeric addresses; raises OSError

ACCEPT = "text/html,application/xhtml+xml,application/rss+xml,application/atom+xml,application/xml;q=0.9,*/*;q=0.5"
HEAD_BYTES = 128 * 1024  # a status line and headers; h11 itself gives up at 100 KiB
ADDRESSES_TRIED = 4
RESOLVER_THREADS = 8
PASSING = frozenset({502, 503, 504})
CODINGS = frozenset({"", "identity", "gzip", "br", "deflate"})
# What describes the bytes on the wire, which are gone when a Page is made.
WIRE_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"})


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Limits and manners.

    user_agent: honest, with a contact. allow_networks (CIDR), allow_ports: exceptions to the address guard, for trials
    on loopback. max_bytes: of a body, decompressed. total_timeout_s: one get with its redirects and retries, waiting
    for a turn not counted. max_crawl_delay_s: robots.txt may ask for more, but gets this. politeness_dir: shared by all
    processes that keep the manners together; None: this object alone. ca_file: trusted beside the system's (PEM).
    """

    user_agent: str
    allow_networks: tuple[str, ...] = ()
    allow_ports: tuple[int, ...] = ()
    max_bytes: int = 10_000_000  # the largest of 268 real feeds had 2.5 MB
    total_timeout_s: float = 20.0
    robots_timeout_s: float = 10.0
    connect_timeout_s: float = 10.0
    max_redirects: int = 5
    max_headers: int = 200
    min_interval_s: float = 2.0
    max_connections_per_host: int = 2
    max_crawl_delay_s: float = 30.0
    politeness_dir: Path | None = None
    retries: int = 1
    retry_wait_s: float = 0.5
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class _Ask:
    """One get: what is wanted, and what it may cost. cut: a longer body is cut off, not refused."""

    url: str
    headers: dict[str, str]
    max_bytes: int
    allowance: _Allowance
    check_robots: bool = True
    cut: bool = False

    @property
    def is_conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer, before it is known what it means. headers: names in lower case."""

    url: httpx2.URL
    status: int
    headers: dict[str, str]
    body: bytes


class Web:
    """Polite, guarded access to the web. Threads may share one; close it, or use it as a context manager."""

    def __init__(
        self,
        settings: WebSettings,
        *,
        resolver: Resolver | None = None,
        connector: httpcore2.NetworkBackend | None = None,
    ) -> None:
        """resolver, connector: the system's; tests hand in their own.

        Raises:
            SettingsError: a network, port or user agent that cannot be.
        """
        if not (settings.user_agent.isascii() and settings.user_agent.isprintable() and settings.user_agent.strip()):
            raise SettingsError(f"the user agent must be printable ASCII: {settings.user_agent!r}")
        self._settings = settings
        self._rule = AddressRule.of(settings.allow_networks, settings.allow_ports)
        self._close = ExitStack()
        directory = settings.politeness_dir or Path(self._close.enter_context(TemporaryDirectory(prefix="newswatch-")))
        directory.mkdir(parents=True, exist_ok=True)
        self._queue = HostQueue(directory, settings.max_connections_per_host)
        self._robots = RobotsBook(directory, self._fetch_robots)
        threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolver")
        self._close.callback(threads.shutdown, wait=False, cancel_futures=True)
        backend = _GuardedBackend(
            self._rule, resolver or resolve_by_system, connector or httpcore2.SyncBackend(), threads
        )
        self._pool = self._close.enter_context(
            httpcore2.ConnectionPool(
                ssl_context=_ssl_context(settings.ca_file),
                max_connections=None,  # the queue limits them by host
                max_keepalive_connections=32,
                keepalive_expiry=15.0,
                http1=True,
                http2=False,
                network_backend=backend,
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._close.close()

    def get(
        self,
        url: str,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        max_bytes: int | None = None,
        check_robots: bool = True,
    ) -> Page:
        """Fetch an address, its redirects followed.

        Credentials in the URL are neither sent nor kept. headers of the page have lower-case names.

        Args:
            etag, last_modified: validators of an earlier page; with them the answer may be a 304, without a body.
            max_bytes: of the decompressed body; the settings' limit if None.

        Raises:
            NewsError: with the outcome word; status and retry_after_s where the server said so.
        """
        headers = {"accept": ACCEPT}
        if etag and _fits_a_header(etag):
            headers["if-none-match"] = etag
        if last_modified and _fits_a_header(last_modified):
            headers["if-modified-since"] = last_modified
        limit = self._settings.max_bytes if max_bytes is None else max_bytes
        ask = _Ask(url, headers, limit, _Allowance(self._settings.total_timeout_s), check_robots)
        try:
            page = self._get(ask)
        except NewsError as error:
            LOGGER.info("url=%s outcome=%s detail=%r", redact_url(url), error.outcome, error.detail)
            raise
        n_bytes, elapsed_ms = len(page.body), page.elapsed_ms
        LOGGER.debug("url=%s status=%d bytes=%d ms=%d", redact_url(url), page.status, n_bytes, elapsed_ms)
        return page

    def _get(self, ask: _Ask) -> Page:
        """Try again what often passes: a lost connection, a gateway that is restarting."""
        wait_s = self._settings.retry_wait_s
        retrying = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(1 + self._settings.retries),
            wait=wait_exponential_jitter(multiplier=wait_s, max=10.0, jitter=wait_s),
            reraise=True,
        )
        return retrying(self._follow, ask)

    def _follow(self, ask: _Ask) -> Page:
        """Walk from answer to answer until one is no redirect; guard, robots and queue apply to each."""
        url, cookies = self._check(ask.url), httpx2.Cookies()
        first, permanent_url, only_permanent = url, None, True
        for _ in range(self._settings.max_redirects + 1):
            with self._turn(url, ask.check_robots):
                answer = self._exchange(url, ask, cookies)
            if answer.status not in REDIRECTS:
                return self._to_page(ask, answer, first, permanent_url)
            url = self._check(_location(answer))
            only_permanent = only_permanent and answer.status in PERMANENT
            permanent_url = str(url) if only_permanent else permanent_url
        detail = f"{redact_url(ask.url)} redirects more than {self._settings.max_redirects} times"
        raise NewsError("too_many_redirects", detail)

    def _check(self, text: str | httpx2.URL) -> httpx2.URL:
        """The URL without credentials and fragment; scheme and port are checked before anything is sent or resolved."""
        try:
            url = httpx2.URL(text).copy_with(username="", password="", fragment=None)
        except (httpx2.InvalidURL, UnicodeError, ValueError) as error:
            raise NewsError("parse_error", f"not a URL: {redact_url(str(text))} ({type(error).__name__})") from None
        if url.scheme not in DEFAULT_PORTS or not url.host:
            raise NewsError("blocked_address", f"only http and https are fetched: {redact_url(str(text))}")
        if url.port is not None and not self._rule.permits_port(url.port):
            raise NewsError("blocked_address", f"port {url.port} is not allowed: {redact_url(str(url))}")
        if len(str(url)) > MAX_URL_CHARS:
            raise NewsError("parse_error", f"URL of {len(str(url))} characters: {redact_url(str(url))}")
        return url

    @contextmanager
    def _turn(self, url: httpx2.URL, check_robots: bool) -> Iterator[None]:
        """Hold a connection to the host, if robots.txt lets us have the page."""
        interval_s = self._settings.min_interval_s
        if check_robots:
            robots, agent = self._robots.look_up(_origin(url)), self._settings.user_agent
            if not robots.allows(str(url), agent):
                because = robots.forbidden_because or "robots.txt forbids it"
                raise NewsError("robots_denied", f"{redact_url(str(url))}: {because}")
            interval_s = max(interval_s, min(robots.crawl_delay_s(agent), self._settings.max_crawl_delay_s))
        with self._queue.turn(_queue_name(url), interval_s):
            yield

    def _fetch_robots(self, url: str) -> Page:
        allowance = _Allowance(self._settings.robots_timeout_s)
        headers = {"accept": "text/plain,*/*;q=0.5"}
        return self._get(_Ask(url, headers, MAX_ROBOTS_BYTES, allowance, check_robots=False, cut=True))

    def _exchange(self, url: httpx2.URL, ask: _Ask, cookies: httpx2.Cookies) -> _Answer:
        """One request, one answer, on the wire."""
        headers = {"user-agent": self._settings.user_agent, "accept-encoding": "gzip, br"}
        request = httpx2.Request("GET", url, headers=headers)
        request.headers.encoding = "utf-8"  # a server's cookie may hold any character
        cookies.set_cookie_header(request)
        with ask.allowance.in_use(ask.max_bytes + HEAD_BYTES), _errors_named(redact_url(str(url))):
            core = self._pool.handle_request(_to_core(request, ask.headers, self._settings.connect_timeout_s))
            try:
                response = httpx2.Response(core.status, headers=core.headers, content=_stream(core), request=request)
                if len(core.headers) > self._settings.max_headers:
                    raise NewsError("too_large", f"{redact_url(str(url))}: {len(core.headers)} headers")
                cookies.extract_cookies(response)
                body = _read_body(response, ask)
            finally:
                core.close()
        return _Answer(url, core.status, _header_dict(response.headers), body)

    def _to_page(self, ask: _Ask, answer: _Answer, first: httpx2.URL, permanent_url: str | None) -> Page:
        now = datetime.now(UTC)
        name = redact_url(str(answer.url))
        error = error_of_answer(name, answer.status, answer.headers, answer.body, now)
        if error is None and answer.status == 304 and not ask.is_conditional:
            error = NewsError("http_error", f"{name} answered 304 to a plain request", status=304)
        if error and error.outcome == "rate_limited":
            self._queue.refused(_queue_name(answer.url), ask.url, error.retry_after_s)
        if error:
            raise error
        headers = {name: value for name, value in answer.headers.items() if name not in WIRE_HEADERS}
        elapsed_ms = round(ask.allowance.used_s * 1000)
        return Page(str(first), str(answer.url), answer.status, headers, answer.body, now, elapsed_ms, permanent_url)


class _Allowance:
    """The time that a get has left, and the bytes that the answer on the wire may still have. One thread uses it."""

    def __init__(self, time_s: float) -> None:
        self._time_s = time_s
        self._bytes_left = 0
        self._started_at = 0.0
        self.used_s = 0.0

    @contextmanager
    def in_use(self, max_bytes: int) -> Iterator[None]:
        """Let the clock run, and the streams of this thread draw on us."""
        self._bytes_left, self._started_at = max_bytes, time.monotonic()
        token = _allowance.set(self)
        try:
            yield
        finally:
            _allowance.reset(token)
            self.used_s += time.monotonic() - self._started_at

    def time_left_s(self, at_most_s: float | None) -> float:
        left_s = self._time_s - self.used_s - (time.monotonic() - self._started_at)
        if left_s <= 0:
            raise NewsError("timeout", f"not done after {self._time_s:g} s")
        return left_s if at_most_s is None else min(left_s, at_most_s)

    def spend(self, n_bytes: int) -> None:
        self._bytes_left -= n_bytes
        if self._bytes_left < 0:
            raise NewsError("too_large", "more bytes on the wire than the limit")


_allowance: ContextVar[_Allowance] = ContextVar("allowance")


class _GuardedBackend(httpcore2.NetworkBackend):
    """Resolves a host, and connects to the very address it has checked: no second resolution can slip in between."""

    def __init__(
        self,
        rule: AddressRule,
        resolver: Resolver,
        connector: httpcore2.NetworkBackend,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._rule = rule
        self._resolver = resolver
        self._connector = connector
        self._threads = threads

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        if not self._rule.permits_port(port):
            raise NewsError("blocked_address", f"port {port} is not allowed")
        addresses = self._resolve(host, port, timeout)
        permitted = [address for address in addresses if self._rule.permits_address(address)]
        if not permitted:
            shown = ", ".join(addresses[:ADDRESSES_TRIED])
            raise NewsError("blocked_address", f"{host} is {shown}, not a public address")
        failure: Exception = httpcore2.ConnectError("no address")
        for address in permitted[:ADDRESSES_TRIED]:
            left_s = _allowance.get().time_left_s(timeout)
            try:
                stream = self._connector.connect_tcp(address, port, left_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
                continue
            return _GuardedStream(stream)
        raise failure

    def _resolve(self, host: str, port: int, timeout: float | None) -> list[str]:
        """getaddrinfo knows no time limit of its own, so it runs in a thread that we can stop waiting for."""
        waiting = self._threads.submit(self._resolver, host, port)
        try:
            addresses = list(dict.fromkeys(waiting.result(_allowance.get().time_left_s(timeout))))
        except TimeoutError:
            raise NewsError("dns_error", f"no answer for {host} in time") from None
        except (OSError, ValueError) as error:  # ValueError: a label that is empty or too long
            raise NewsError("dns_error", f"{host}: {error}") from None
        if not addresses:
            raise NewsError("dns_error", f"{host} has no address")
        return addresses


class _GuardedStream(httpcore2.NetworkStream):
    """A connection that gives up when the allowance of the request in hand is used up, drop by drop or at once."""

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        allowance = _allowance.get()
        data = self._stream.read(max_bytes, allowance.time_left_s(timeout))
        allowance.spend(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _allowance.get().time_left_s(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left_s = _allowance.get().time_left_s(timeout)
        return _GuardedStream(self._stream.start_tls(ssl_context, server_hostname, left_s))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> object:
        return self._stream.get_extra_info(info)


def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses of a host, by the system's resolver."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@contextmanager
def _errors_named(url: str) -> Iterator[None]:
    """Give the errors of the wire their outcome words, and each the address it happened at."""
    try:
        yield
    except NewsError as error:
        if url in error.detail:
            raise
        raise NewsError(error.outcome, f"{url}: {error.detail}", status=error.status) from error
    except httpcore2.ConnectTimeout as error:
        raise NewsError("connect_error", f"{url}: no connection in time") from error
    except httpcore2.TimeoutException as error:
        raise NewsError("timeout", f"{url}: {type(error).__name__}") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise _wire_error(url, error) from error
    except httpx2.DecodingError as error:
        raise NewsError("parse_error", f"{url}: body cannot be decompressed: {error}") from error


def _wire_error(url: str, error: Exception) -> NewsError:
    detail = f"{url}: {str(error) or type(error).__name__}"
    origin = error.args[0] if error.args else None  # not __cause__: the pool raises its errors "from None"
    if isinstance(origin, ssl.SSLError):
        return NewsError("tls_error", detail)
    if getattr(origin, "error_status_hint", None) == 431:  # h11: the headers do not end
        return NewsError("too_large", detail)
    return NewsError("connect_error", detail)


def _may_pass(error: BaseException) -> bool:
    if not isinstance(error, NewsError) or error.retry_after_s is not None:
        return False
    return error.outcome == "connect_error" or (error.outcome == "http_error" and error.status in PASSING)


def _read_body(response: httpx2.Response, ask: _Ask) -> bytes:
    """The body of content; of a refusal what may show a bot wall, as far as it can be read: it stays a refusal."""
    if response.is_success:
        return unpack(response, ask.max_bytes, ask.cut)
    if response.status_code not in CHALLENGED:
        return b""
    try:
        return unpack(response, WALL_BYTES, cut=True)
    except (
        NewsError,
        httpx2.DecodingError,
        httpcore2.NetworkError,
        httpcore2.TimeoutException,
        httpcore2.ProtocolError,
    ):
        return b""


def unpack(response: httpx2.Response, limit: int, cut: bool = False) -> bytes:
    """The body decompressed, and never more of it in memory than the limit; httpx2 takes steps of 1 MB at most.

    Raises:
        NewsError: too_large, unless it may be cut; parse_error for a coding that nobody asked for.
        httpx2.DecodingError: it is not compressed as the headers say.
    """
    # One coding at most: a bomb inside a bomb costs minutes of decompression without a byte for us to count.
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in CODINGS:
        raise NewsError("parse_error", f"content-encoding {coding[:50]!r} was not asked for")
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > limit:
            if cut:
                break
            raise NewsError("too_large", f"more than {limit} bytes")
    return bytes(body[:limit])


def _stream(core: httpcore2.Response) -> Iterator[bytes]:
    """The body as it comes from the wire."""
    yield from cast(Iterable[bytes], core.stream)  # the other half of its type belongs to async pools


def _to_core(request: httpx2.Request, more: dict[str, str], timeout_s: float) -> httpcore2.Request:
    """more: headers that go out as they are; a validator returns byte for byte."""
    url = httpcore2.URL(
        scheme=request.url.raw_scheme, host=request.url.raw_host, port=request.url.port, target=request.url.raw_path
    )
    headers = request.headers.raw + [(name.encode(), value.encode("latin-1")) for name, value in more.items()]
    return httpcore2.Request("GET", url, headers=headers, extensions={"timeout": {"connect": timeout_s}})


def _header_dict(headers: httpx2.Headers) -> dict[str, str]:
    """Names in lower case, repeated headers joined. Latin-1, so that a validator goes back byte for byte."""
    pairs: dict[str, str] = {}
    for raw_name, raw_value in headers.raw:
        name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1")
        pairs[name] = f"{pairs[name]}, {value}" if name in pairs else value
    return pairs


def _location(answer: _Answer) -> httpx2.URL:
    """Where a redirect leads. Outlets put raw UTF-8 into the header, which the standard does not know."""
    raw = answer.headers.get("location", "").encode("latin-1")
    if not raw:
        raise NewsError("http_error", f"{redact_url(str(answer.url))} redirects to nowhere", status=answer.status)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    try:
        return answer.url.join(text.strip())
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        detail = f"{redact_url(str(answer.url))} redirects to what is no URL: {redact_url(text)}"
        raise NewsError("http_error", detail, status=answer.status) from None


def _fits_a_header(value: str) -> bool:
    return value.isprintable() and value == value.strip() and all(ord(character) < 256 for character in value)


def _origin(url: httpx2.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _queue_name(url: httpx2.URL) -> str:
    """Who the manners are owed to: the owner of the domain, not each of its servers; another port is another owner."""
    owner = registrable_domain(str(url))
    return owner if url.port in (None, *WEB_PORTS) else f"{owner}:{url.port}"


@lru_cache(maxsize=4)
def _ssl_context(ca_file: Path | None) -> ssl.SSLContext:
    """Certificates are always verified; the operator may only add authorities. Reading them takes 25 ms, so once."""
    context = httpx2.create_ssl_context(trust_env=False)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context
