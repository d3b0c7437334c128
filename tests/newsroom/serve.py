"""A small newsroom on loopback for the demo and the tests: our own articles, an address an outlet.

    python -m tests.newsroom.serve --port 8790 --feeds feeds.csv

Writes the feeds.csv that names its feeds, then serves until it is stopped. Each outlet has an address of its own
(127.0.0.21, 127.0.0.22, ...), so that the rules a host are real. Outlets lie in outlets.csv, articles in JSON lines
(outlet, slug, hours_ago, title, text): articles.jsonl is enough for the tests, day.jsonl beside it makes a full day of
news. A page without text is missing, and the feed of BROKEN is none.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from include.newswatch.settings import Settings

HERE = Path(__file__).resolve().parent
FIRST_ADDRESS = 21
SMALL, FULL = ("articles.jsonl",), ("articles.jsonl", "day.jsonl")
BROKEN = "Delta Radio"
FEED_COLUMNS = (
    "url", "outlet", "language", "country", "side", "kind", "section", "time_zone", "article_pattern", "enabled",
    "note",
)  # fmt: skip
ROBOTS = b"User-agent: *\nDisallow: /private/\n"
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title} - {outlet}</title>
<link rel="canonical" href="{url}"><meta property="article:published_time" content="{date}"></head><body>
<header><nav><a href="/">Home</a> <a href="/world">World</a> <a href="/business">Business</a></nav></header>
<main><article><h1>{title}</h1><p class="meta"><time datetime="{date}">{date}</time></p>
{paragraphs}
</article></main><footer>&copy; {outlet}</footer></body></html>"""


def free_port() -> int:
    """A port that nobody listens on, so that several test runs do not get in each other's way."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def newsroom_settings(folder: Path, port: int) -> Settings:
    """Settings of a pipeline below a folder that reads the newsroom; feeds.csv is written there."""
    write_feeds(folder / "feeds.csv", port)
    return Settings(
        data_dir=folder / "data",
        feeds_csv=folder / "feeds.csv",
        allow_networks=("127.0.0.0/8",),
        allow_ports=(port,),
        min_interval_s=0.0,
    )


def load_outlets() -> dict[str, dict[str, str]]:
    with (HERE / "outlets.csv").open(encoding="utf-8", newline="") as file:
        return {row["outlet"]: row for row in csv.DictReader(file)}


def load_articles(files: Sequence[str] = SMALL) -> list[dict[str, Any]]:
    return [json.loads(line) for name in files for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


def address(outlets: dict[str, dict[str, str]], outlet: str) -> str:
    return f"127.0.0.{FIRST_ADDRESS + list(outlets).index(outlet)}"


def feed_rows(port: int, files: Sequence[str] = SMALL) -> list[dict[str, str]]:
    """The lines of a feeds.csv that names the feeds of the outlets with articles in the files."""
    outlets, active = load_outlets(), {article["outlet"] for article in load_articles(files)}
    fixed = {"section": "all", "article_pattern": "", "enabled": "yes", "note": "newsroom on loopback"}
    return [
        fixed | row | {"url": f"http://{address(outlets, name)}:{port}/{_feed_name(row['kind'])}"}
        for name, row in outlets.items()
        if name in active
    ]


def write_feeds(path: Path, port: int, files: Sequence[str] = SMALL) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, FEED_COLUMNS, extrasaction="ignore")
        table.writeheader()
        table.writerows(feed_rows(port, files))


def _feed_name(kind: str) -> str:
    return "sitemap.xml" if kind == "news_sitemap" else "feed.xml"


def documents(
    port: int, started_at: datetime, articles: Sequence[dict[str, Any]]
) -> dict[str, dict[str, tuple[str, bytes]]]:
    """What each address serves: path to (content type, body)."""
    outlets = load_outlets()
    served: dict[str, dict[str, tuple[str, bytes]]] = {}
    for name, row in outlets.items():
        base = f"http://{address(outlets, name)}:{port}"
        own = [article for article in articles if article["outlet"] == name]
        files = {"/robots.txt": ("text/plain", ROBOTS)}
        for article in own:
            if article["text"]:
                files[f"/{article['slug']}.html"] = ("text/html; charset=utf-8", _page(base, row, article, started_at))
        render = _sitemap if row["kind"] == "news_sitemap" else _atom if row["kind"] == "atom" else _rss
        feed = b"Database connection failed" if name == BROKEN else render(base, row, own, started_at)
        files[f"/{_feed_name(row['kind'])}"] = ("application/xml", feed)
        served[address(outlets, name)] = files
    return served


def _published(article: dict[str, Any], started_at: datetime) -> datetime:
    return started_at - timedelta(hours=article["hours_ago"])


def _page(base: str, outlet: dict[str, str], article: dict[str, Any], started_at: datetime) -> bytes:
    paragraphs = "\n".join(f"<p>{escape(line)}</p>" for line in article["text"].split("\n"))
    return PAGE.format(
        lang=outlet["language"],
        title=escape(article["title"]),
        outlet=escape(outlet["outlet"]),
        url=f"{base}/{article['slug']}.html",
        date=_published(article, started_at).isoformat(),
        paragraphs=paragraphs,
    ).encode()


def _rss(base: str, outlet: dict[str, str], articles: list[dict[str, Any]], started_at: datetime) -> bytes:
    items = "".join(
        f"<item><title>{escape(a['title'])}</title><link>{base}/{a['slug']}.html?utm_source=rss</link>"
        f"<guid>{base}/{a['slug']}</guid><pubDate>{format_datetime(_published(a, started_at))}</pubDate></item>"
        for a in articles
    )
    head = f"<title>{escape(outlet['outlet'])}</title><link>{base}/</link><description>All news</description>"
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def _atom(base: str, outlet: dict[str, str], articles: list[dict[str, Any]], started_at: datetime) -> bytes:
    entries = "".join(
        f'<entry><title>{escape(a["title"])}</title><link href="{base}/{a["slug"]}.html"/><id>{base}/{a["slug"]}</id>'
        f"<updated>{_published(a, started_at).isoformat()}</updated></entry>"
        for a in articles
    )
    head = f"<title>{escape(outlet['outlet'])}</title><id>{base}/</id><updated>{started_at.isoformat()}</updated>"
    return (
        f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">{head}{entries}</feed>'
    ).encode()


def _sitemap(base: str, outlet: dict[str, str], articles: list[dict[str, Any]], started_at: datetime) -> bytes:
    urls = "".join(
        f"<url><loc>{base}/{a['slug']}.html</loc><news:news><news:publication><news:name>{escape(outlet['outlet'])}"
        f"</news:name><news:language>{outlet['language']}</news:language></news:publication><news:publication_date>"
        f"{_published(a, started_at).isoformat()}</news:publication_date><news:title>{escape(a['title'])}</news:title>"
        "</news:news></url>"
        for a in articles
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{urls}</urlset>'
    ).encode()


def make_handler(files: dict[str, tuple[str, bytes]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = files.get(self.path.split("?")[0])
            kind, body = found or ("text/plain", b"not found")
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            status = 404 if found is None else 304 if self.headers.get("If-None-Match") == etag else 200
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", "0" if status == 304 else str(len(body)))
            self.end_headers()
            if status != 304:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the pipeline keeps its own ledger."""

    return Handler


@contextmanager
def open_newsroom(port: int, started_at: datetime, files: Sequence[str] = SMALL) -> Iterator[None]:
    """Serve every outlet at its own loopback address until the block ends."""
    servers = [
        ThreadingHTTPServer((host, port), make_handler(served))
        for host, served in documents(port, started_at, load_articles(files)).items()
    ]
    for server in servers:
        Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--feeds", type=Path, required=True, help="where to write the feeds.csv")
    args = parser.parse_args()
    with open_newsroom(args.port, datetime.now(UTC).replace(microsecond=0), FULL):
        write_feeds(args.feeds, args.port, FULL)
        print(f"newsroom is open on port {args.port}; its feeds are in {args.feeds}", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
