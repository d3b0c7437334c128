"""Mutated documents through every reader of strangers' bytes, until the time is up: make fuzz

    python -m tests.fuzz [--seconds 600] [feed list_page page robots date url warc]

A reader may refuse with its one expected error; anything else, a broken promise of its docstring, or a document that
takes longer than SLOW_S is a finding: it is shrunk, printed, and ends the run. Findings become tests beside the reader.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from include.newswatch.archive import BrokenRecord, WarcFile, read_pages
from include.newswatch.articles import extract_article
from include.newswatch.dates import parse_date
from include.newswatch.feeds import parse_feed
from include.newswatch.model import Entry, Feed, NewsError, Page
from include.newswatch.robots import robots_from_body
from include.newswatch.urls import canonical_url, is_http_url, redact_url
from tests.conftest import ROOT

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DATA = ROOT / "tests" / "data"
EXAMPLES_A_ROUND = 300
SLOW_S = 5  # of the processor, which other programs do not lengthen
ZONES = ("UTC", "Asia/Shanghai", "Europe/Moscow", "America/New_York")

MARKUP = (
    b"<", b">", b"</", b"/>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&#0;", b"&#x110000;", b"&#99999999999;",
    b"&amp;", b"<!DOCTYPE a [<!ENTITY b 'c'>]>&b;", b"<?xml version='1.1' encoding='utf-7'?>",
    b"<meta charset=gb18030>", b" xmlns:a=' b '", b"<item>", b"<entry>", b"<url>", b"<link href='//[::1'/>",
    b"<base href='http://[x'>", b"<svg>", b"<script type='application/ld+json'>[[[",
    b'{"@graph":[{"datePublished":9,"headline":[]}]}', b"\xef\xbb\xbf", b"\x00", b"\xff\xfe", b"\xed\xa0\x80",
    b"\x1b$B", "\u202e\u2028\x85".encode(), b"[", b"{", b'"', b"null", b"1e999",
)  # fmt: skip
ROBOTS_RULES = (
    b"User-agent: *\n", b"Disallow: /\n", b"Allow: /*$\n", b"Crawl-delay: 1e400\n", b"Crawl-delay: nan\n", b"*",
    b"$", b"%", b"%zz", b"\r", b"#", b":", b"Sitemap: \n", b"Request-rate: 1/0\n", b"Visit-time: 9-1\n",
    b"\xef\xbb\xbf", b"\x00", b"\xff",
)  # fmt: skip
DATE_PARTS = (
    "29", "30", "31", "02", "13", "24", "60", "0000", "9999", "2024", "年", "月", "日", "点", "时", "分", "下午",
    "上午", "июня", "фев.", "Jun", "Thu,", "GMT", "+0800", "+99:99", "-2400", "MSK", "CST", "T", "Z", ":", "-", "/",
    ".", ",", " ", "民国", "二〇二四年", "1467212861", "\u0664", "²", "發佈時間：", "PM",
)  # fmt: skip
URL_PARTS = (
    "http", "https", "://", "//", "/", "..", "/./", "?", "&", "=", "#", "@", ":", ":80", ":99999", "[::1]", "[",
    "]", "%", "%2", "%00", "%2e%2e", "xn--", "xn--a", "。", "é", "ß", "例", "\u202e", "\u00ad", "\x00", "\n", "\\",
    " ", "amp", "/amp/", "amp.html", "m.", "www.", "utm_source=x", ";jsessionid=1", "from=rss", "google.com/amp/s/",
    "cdn.ampproject.org/c/", "a.example", "0x7f.1", "1e9", "\ud800",
)  # fmt: skip
WARC_PARTS = (
    b"WARC/1.0\r\n", b"WARC/9\r\n", b"\r\n\r\n", b"\r\n", b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999\r\n", b"WARC-Date: x\r\n", b"WARC-Type: response\r\n", b"WARC-Target-URI: \r\n",
    b"HTTP/1.1 abc\r\n", b"HTTP/1.1 200\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n",
    b"Content-Encoding: br\r\n", b"\x1f\x8b\x08", b"\x00",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A reader and the documents it is given."""

    documents: st.SearchStrategy[object]
    check: Callable[[object], None]


@st.composite
def mutated(draw: st.DrawFn, seeds: Sequence[bytes], pieces: Sequence[bytes]) -> bytes:
    """A seed with up to eight edits: bytes dropped, doubled or overwritten, pieces put in, once or many times."""
    body = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(body)))
        end = draw(st.integers(at, min(len(body), at + 300)))
        piece = draw(st.sampled_from(pieces)) * draw(st.sampled_from((1, 1, 1, 2, 50, 3000)))
        new = draw(st.sampled_from((b"", body[at:end] * 2, piece, draw(st.binary(max_size=4)))))
        body = body[:at] + new + body[draw(st.sampled_from((at, end))) :]
    return body


def composed(parts: Sequence[str], seeds: Sequence[str]) -> st.SearchStrategy[str]:
    """A seed between parts, in any order, some repeated, with characters of chance among them."""
    one = st.one_of(st.sampled_from(parts), st.text(max_size=3), st.sampled_from(parts).map(lambda part: part * 300))
    around = st.lists(one, max_size=8).map("".join)
    return st.tuples(around, st.sampled_from(["", *seeds]), around).map("".join)


def check_feed(body: object, feed: Feed) -> None:
    assert isinstance(body, bytes)
    try:
        document = parse_feed(body, feed, now=NOW)
    except NewsError:
        return
    for entry in document.entries:
        assert entry.url == canonical_url(entry.url)
        assert entry.published_at is None or entry.published_at <= NOW + timedelta(days=1)
        assert "\x00" not in entry.title + entry.summary + entry.guid + entry.published_raw
        (entry.title + entry.summary + entry.guid).encode()


def check_page(body: object) -> None:
    assert isinstance(body, bytes)
    url = "https://news.example/2026/05/30/a-story-1"
    page = Page(url, url, 200, {"content-type": "text/html"}, body, NOW)
    try:
        article = extract_article(page, Entry("https://news.example/feed", url, ""), time_zone="UTC")
    except NewsError:
        return
    assert article.published_at is None or article.published_at <= NOW + timedelta(days=1)
    (article.title + article.text + article.author).encode()


def check_robots(body: object) -> None:
    assert isinstance(body, bytes)
    robots = robots_from_body(body, 0.0)
    assert robots.allows("https://news.example/a/b?c=%e4%bd%a0", "newswatch/0.1") in (True, False)
    assert robots.crawl_delay_s("newswatch/0.1") >= 0


def check_date(raw: object) -> None:
    for time_zone in ZONES:
        moment = parse_date(str(raw), time_zone=time_zone, now=NOW)
        assert moment is None or (moment.utcoffset() == timedelta(0) and moment <= NOW + timedelta(days=1))


def check_url(raw: object) -> None:
    text = str(raw)
    is_http_url(text)
    assert "\n" not in redact_url(text)
    try:
        url = canonical_url(text, "https://news.example/a/b")
    except NewsError as error:
        str(error).encode()
        return
    assert canonical_url(url) == url
    assert is_http_url(url) and urlsplit(url).username is None
    url.encode("ascii")


def check_warc(body: object) -> None:
    assert isinstance(body, bytes)
    with tempfile.NamedTemporaryFile(suffix=".warc.gz") as file:
        Path(file.name).write_bytes(body)
        for page in read_pages(file.name):
            assert isinstance(page, BrokenRecord) or (page.fetched_at.tzinfo is not None and page.url)


def warc_seeds() -> list[bytes]:
    warc = WarcFile("")
    for name in ("english.html", "chinese.html"):
        url = f"https://news.example/{name}"
        warc.add(Page(url, url, 200, {"content-type": "text/html"}, (DATA / "pages" / name).read_bytes()[:3000], NOW))
    whole = warc._buffer.getvalue()
    return [whole, gzip.decompress(whole)]


def make_targets() -> dict[str, Target]:
    feeds = {path.name: path.read_bytes() for path in sorted((DATA / "feeds").iterdir())}
    pages = [path.read_bytes() for path in sorted((DATA / "pages").iterdir())]
    feed = Feed("https://news.example/feed", "Example", "en", "GB", "third", "rss", time_zone="Asia/Shanghai")
    index = Feed("https://news.example/", "Example", "ru", "RU", "third", "list_page", time_zone="Europe/Moscow")
    lists = [body for name, body in feeds.items() if name.endswith(".html")]
    robots = (b"User-agent: *\nDisallow: /private/\nAllow: /a*b$\nCrawl-delay: 5\n\nUser-agent: x\nDisallow:\n",)
    dates = (
        "Wed, 29 Jun 2016 15:07:41 +0300",
        "2016年6月29日 下午3点07分",
        "29 июня 2016 г., 15:07 (мск)",
        "2016-06-29T15:07:41.123Z",
    )
    urls = (
        "https://www.news.example/a/b-1.html?id=7&utm_medium=rss",
        "https://m.bbc.com/news/world-1#x",
        "//пример.рф/путь?я=1",
    )
    return {
        "feed": Target(mutated(list(feeds.values()), MARKUP), lambda body: check_feed(body, feed)),
        "list_page": Target(mutated(lists, MARKUP), lambda body: check_feed(body, index)),
        "page": Target(mutated(pages, MARKUP), check_page),
        "robots": Target(mutated(robots, ROBOTS_RULES), check_robots),
        "date": Target(composed(DATE_PARTS, dates), check_date),
        "url": Target(composed(URL_PARTS, urls), check_url),
        "warc": Target(mutated(warc_seeds(), WARC_PARTS), check_warc),
    }


def fuzz(target: Target, seconds: float) -> int:
    """Rounds of examples until the time is up; how many there were.

    Raises:
        Exception: whatever the finding raised, with the shrunk document in its notes.
    """
    n_examples = 0

    def check(document: object) -> None:
        nonlocal n_examples
        n_examples += 1
        started_s = time.process_time()
        target.check(document)
        assert time.process_time() - started_s < SLOW_S, "slow"

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        of_chance = settings(
            max_examples=EXAMPLES_A_ROUND,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        seed(time.time_ns())(of_chance(given(target.documents)(check)))()
    return n_examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    targets = make_targets()
    parser.add_argument("--seconds", type=float, default=600, help="for each target")
    parser.add_argument("names", nargs="*", default=list(targets), metavar="target", help=", ".join(targets))
    args = parser.parse_args()
    for name in args.names:
        print(f"{name:10}", end=" ", flush=True)
        print(f"{fuzz(targets[name], args.seconds)} documents, no finding")


if __name__ == "__main__":
    main()
