"""Pages per second through fetch and extract beside a bare trafilatura loop over the same pages, in one run.

    python -m benchmarks.extract PAGES [--rounds 3] [--newspaper PYTHON]

PAGES is a folder of NAME.html or NAME.html.gz. Ours fetches each page over loopback by Web.get, writes it into a WARC
file and reads it in the parsing child; the bare loop has the decoded pages in memory and calls
trafilatura.bare_extraction with metadata. Rounds alternate and medians are shown. Processor time is that of the
process and its children, so a busy machine does not change it; pages per processor second compares one core with one
core. --newspaper names a Python that has newspaper4k, which then reads the same pages.
"""

from __future__ import annotations

import argparse
import gzip
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import trafilatura

from include.newswatch import archive
from include.newswatch.charset import decode
from include.newswatch.model import Entry, PageTask
from include.newswatch.pipeline import extract_page
from include.newswatch.sandbox import Sandbox
from include.newswatch.web import Web, WebSettings
from tests.loopback import loopback, says

NEWSPAPER = """
import sys, time, pathlib, newspaper
files = sorted(pathlib.Path(sys.argv[1]).glob("*.html"))
started, n_texts = time.process_time(), 0
for file in files:
    try:
        article = newspaper.Article("https://pages.example/a-page-1.html", fetch_images=False)
        article.download(input_html=file.read_text(encoding="utf-8", errors="replace"))
        article.parse()
        n_texts += bool(article.text)
    except Exception:
        pass
print(len(files), n_texts, time.process_time() - started)
"""


def read_folder(folder: Path) -> list[bytes]:
    files = sorted(file for file in folder.rglob("*.html*") if file.is_file())
    return [gzip.decompress(f.read_bytes()) if f.suffix == ".gz" else f.read_bytes() for f in files]


def walk_ours(pages: Sequence[bytes]) -> int:
    """Fetch and extract; how many articles."""
    routes = {
        f"/page-{number}.html": says(body, headers={"Content-Type": "text/html"}) for number, body in enumerate(pages)
    }
    with loopback(routes) as server, tempfile.TemporaryDirectory() as folder:
        base = f"http://127.0.0.1:{server.port}"
        settings = WebSettings(
            "benchmark/1.0", allow_networks=("127.0.0.0/8",), allow_ports=(server.port,), min_interval_s=0
        )
        warc = archive.WarcFile(f"{folder}/pages.warc.gz")
        with Web(settings) as web:
            for number in range(len(pages)):
                warc.add(web.get(f"{base}/page-{number}.html"))
        warc.save()
        found = 0
        with Sandbox() as sandbox:
            for page in archive.read_pages(warc.location):
                task = PageTask(Entry("https://pages.example/feed", page.url, ""), "Example", "en", "UTC")
                found += extract_page(sandbox, page, task).article is not None
    return found


def walk_bare(pages: Sequence[str]) -> int:
    return sum(trafilatura.bare_extraction(page, with_metadata=True) is not None for page in pages)


def measure(walk: Callable[[Sequence[bytes]], int], pages: Sequence[bytes]) -> tuple[float, float, int]:
    """Pages per second, pages per processor second, and how many gave a text."""
    started_s, used_s = time.perf_counter(), _processor_s()
    found = walk(pages)
    return len(pages) / (time.perf_counter() - started_s), len(pages) / (_processor_s() - used_s), found


def _processor_s() -> float:
    return sum(os.times()[:4])


def walk_in_two(pages: Sequence[bytes]) -> int:
    with ProcessPoolExecutor(2) as pool:
        return sum(pool.map(walk_ours, (pages[::2], pages[1::2])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, help="of pages, evenly chosen")
    parser.add_argument("--newspaper", help="a Python that has newspaper4k")
    args = parser.parse_args()
    pages = read_folder(args.pages)
    pages = pages[:: max(1, len(pages) // (args.limit or len(pages)))]
    texts = [decode(page, "text/html") for page in pages]
    ways: dict[str, Callable[[Sequence[bytes]], int]] = {
        "trafilatura.bare_extraction": lambda _: walk_bare(texts),
        "fetch and extract": walk_ours,
        "the same in two processes": walk_in_two,
    }
    results: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ways}
    for _ in range(args.rounds):
        for name, walk in ways.items():
            results[name].append(measure(walk, pages))
    print(
        f"{len(pages)} pages, {sum(map(len, pages)) >> 20} MB, medians of {args.rounds} rounds, {datetime.now(UTC):%F}"
    )
    for name, rounds in results.items():
        rates, per_processor_s, found = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"{name:30} {rates:7.1f} pages/s {per_processor_s:7.1f} pages per processor s, {found:.0f} texts")
    if args.newspaper:
        with tempfile.TemporaryDirectory() as folder:
            for number, text in enumerate(texts):
                Path(folder, f"{number:05}.html").write_text(text, encoding="utf-8", errors="replace")
            command = [args.newspaper, "-c", NEWSPAPER, folder]
            done = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        n_pages, n_texts, seconds = int(done[-3]), int(done[-2]), float(done[-1])
        print(f"{'newspaper4k':30} {'':15} {n_pages / seconds:7.1f} pages per processor s, {n_texts} texts")


if __name__ == "__main__":
    main()
