"""What guard, robots.txt, queue and limits cost: pages per second of Web.get beside a bare httpx2 client, in one run.

    python -m benchmarks.fetch [--pages 2000] [--threads 8] [--rounds 5]

A server process of its own holds one page of 60 KB (about the median of real feeds), gzip, on as many loopback
addresses as there are threads, so that each thread talks to a host of its own as in the pipeline. Rounds alternate; the
table shows medians. CPU time is that of the client alone, and steadier than pages per second on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection

import httpx2

from include.newswatch.web import Web, WebSettings

USER_AGENT = "newswatch-benchmark/1.0"
ROBOTS = b"User-agent: *\nDisallow: /private/\n"


def make_page(n_bytes: int) -> bytes:
    """Words, not zeros: they pack about as well as a news page does (4 to 1)."""
    chance = random.Random(1)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9))) for _ in range(800)]
    return " ".join(chance.choices(words, k=n_bytes // 7)).encode()[:n_bytes]


def serve(hosts: list[str], page_bytes: int, ready: Connection) -> None:
    """Answer every request on the hosts until killed; tell the port when listening."""
    packed = gzip.compress(make_page(page_bytes), 6)
    page = _answer(packed, "text/html", "Content-Encoding: gzip\r\n")
    robots = _answer(ROBOTS, "text/plain")

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(robots if request.startswith(b"GET /robots.txt ") else page)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def listen() -> None:
        first = await asyncio.start_server(converse, hosts[0], 0)
        port = first.sockets[0].getsockname()[1]
        others = [await asyncio.start_server(converse, host, port) for host in hosts[1:]]
        ready.send(port)
        await asyncio.gather(*(server.serve_forever() for server in [first, *others]))

    asyncio.run(listen())


def _answer(body: bytes, kind: str, more: str = "") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body


@contextmanager
def running_server(n_hosts: int, page_bytes: int):
    """The base URLs of a server in a process of its own."""
    hosts = [f"127.0.0.{11 + number}" for number in range(n_hosts)]
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(hosts, page_bytes, theirs), daemon=True)
    process.start()
    try:
        port = ours.recv()
        yield [f"http://{host}:{port}" for host in hosts], port
    finally:
        process.terminate()
        process.join()


def measure(get: Callable[[str], bytes], bases: list[str], n_pages: int, page_bytes: int) -> tuple[float, float]:
    """Pages per second, and CPU milliseconds of this process per page; one thread a host."""

    def fetch_all(base: str) -> None:
        for number in range(n_pages // len(bases)):
            assert len(get(f"{base}/news/{number}.html")) == page_bytes

    started_at, cpu_at = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(len(bases)) as threads:
        list(threads.map(fetch_all, bases))
    elapsed_s, cpu_s = time.perf_counter() - started_at, time.process_time() - cpu_at
    return n_pages / elapsed_s, cpu_s / n_pages * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--page-bytes", type=int, default=60_000)
    args = parser.parse_args()

    with running_server(args.threads, args.page_bytes) as (bases, port):
        settings = WebSettings(
            USER_AGENT, allow_networks=("127.0.0.0/8",), allow_ports=(port,), min_interval_s=0.0
        )  # the limits and manners of the pipeline, without its pauses
        with Web(settings) as web, httpx2.Client(headers={"user-agent": USER_AGENT}, trust_env=False) as client:
            ways: dict[str, Callable[[str], bytes]] = {
                "Web.get": lambda url: web.get(url).body,
                "Web.get, check_robots=False": lambda url: web.get(url, check_robots=False).body,
                "bare httpx2.Client.get": lambda url: client.get(url).content,
            }
            results: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
            for _ in range(args.rounds):
                for name, get in ways.items():
                    results[name].append(measure(get, bases, args.pages, args.page_bytes))

    print(f"{args.pages} pages of {args.page_bytes} bytes, {args.threads} threads, medians of {args.rounds} rounds")
    for name, rounds in results.items():
        rates, cpu_ms = zip(*rounds, strict=True)
        print(f"{name:30} {statistics.median(rates):8.0f} pages/s {statistics.median(cpu_ms):6.2f} CPU ms/page")


if __name__ == "__main__":
    main()
