"""A web server on loopback that says exactly the bytes a test wants and remembers who asked."""

from __future__ import annotations

import socket
import socketserver
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, Thread


@dataclass(frozen=True)
class Asked:
    """One request as it arrived. headers: names in lower case. at: time.monotonic()."""

    path: str
    headers: dict[str, str]
    at: float
    body: bytes = b""


Says = bytes | Iterable[bytes] | Callable[[Asked], "bytes | Iterable[bytes]"]


def says(body: bytes = b"", status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def redirects(location: str, status: int = 302, **headers: str) -> bytes:
    return says(b"", status, {"Location": location, **headers})


class LoopbackServer(socketserver.ThreadingTCPServer):
    """Answers by path; "*" is everything else, 404 if absent. Keeps connections open, one thread each."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, routes: dict[str, Says], host: str = "127.0.0.1", port: int = 0) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.routes = routes
        self.asked: list[Asked] = []
        self.n_connections = 0
        self.n_at_once = self.most_at_once = 0
        self.lock = Lock()
        super().__init__((host, port), _Conversation)
        self.port: int = self.server_address[1]

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http://{host or self.server_address[0]}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up in the middle are the point of many tests."""


class _Conversation(socketserver.StreamRequestHandler):
    server: LoopbackServer
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with self.server.lock:
            self.server.n_connections += 1
        while asked := self._read_request():
            with self.server.lock:
                self.server.asked.append(asked)
                self.server.n_at_once += 1
                self.server.most_at_once = max(self.server.most_at_once, self.server.n_at_once)
            try:
                keep_open = self._answer(asked)
            finally:
                with self.server.lock:
                    self.server.n_at_once -= 1
            if not keep_open:
                return

    def _read_request(self) -> Asked | None:
        if self.rfile.peek(1)[:1] == b"\x16":  # TLS, where none is spoken: answer as servers do
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            return None
        line = self.rfile.readline().decode("latin-1")
        if not line.strip():
            return None
        headers = {}
        while (header := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", 0)))
        return Asked(line.split()[1], headers, time.monotonic(), body)

    def _answer(self, asked: Asked) -> bool:
        said = self.server.routes.get(asked.path.partition("?")[0], self.server.routes.get("*", says(b"", 404)))
        said = said(asked) if callable(said) else said
        if isinstance(said, bytes):
            self.wfile.write(said)
            return b"Content-Length" in said[:400]
        for piece in said:
            self.wfile.write(piece)
        return False


@contextmanager
def loopback(
    routes: dict[str, Says], host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[LoopbackServer]:
    """A server that runs until the block ends."""
    with LoopbackServer(routes, host, port) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
