"""Feed bytes in, entries out: RSS, Atom, RDF, JSON Feed, news sitemaps and list pages. No network.

The kind is seen from the content, whatever feeds.csv says, because publishers change it; only a list page must be
announced, since any HTML page has links. Run it in the sandbox: feedparser is quadratic on some inputs.
"""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urljoin

import courlan
import feedparser
from lxml import etree

from include.newswatch.charset import decode
from include.newswatch.dates import parse_date
from include.newswatch.markup import (
    clean_text,
    is_bot_wall,
    parse_html,
    plain_text,
    without_controls,
    without_huge_tags,
)
from include.newswatch.model import Entry, Feed, FeedDocument, FeedKind, NewsError
from include.newswatch.urls import canonical_url, is_http_url, registrable_domain

MAX_ENTRIES = 2000  # the largest of 268 real feeds had 1,046
FIELD_CHARS = 200_000
TITLE_CHARS = 1000
GUID_CHARS = 2000
GUNZIPPED_BYTES = 50_000_000
LIST_PAGE_LINKS = 5000
SNIFFED_CHARS = 20_000
MAX_TTL_MINUTES = 7 * 24 * 60
# A plain sitemap reaches back for years; only what changed lately is news.
PLAIN_SITEMAP_DAYS = 7
MAX_SITEMAP_URLS = 50_000  # sitemaps.org allows no more in one file

XML_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]{0,500}\?>")
FEED_ROOT = re.compile(r"<(?:[\w.-]{1,40}:)?(rss|feed|rdf|urlset|sitemapindex|channel)[\s>]", re.IGNORECASE)
HTML_ROOT = re.compile(r"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
# 32 KB of author take feedparser 12.8 s (https://github.com/kurtmckee/feedparser/pull/580), so they are cut before.
LONG_AUTHOR = re.compile(
    r"(<(?:[\w.-]{1,40}:)?(?:author|name|email|managingeditor|webmaster|creator|contributor|publisher|owner)\b[^<>]{0,500}>)"
    r"(?:[^<>]{500,}|<!\[CDATA\[[^\]]{500,}\]\]>)",
    re.IGNORECASE,
)
# One reference to a character that does not exist, and feedparser raises over the whole feed.
CHARACTER_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
# White space in the name of a namespace, and feedparser raises as well.
NAMESPACE = re.compile(r"""(\bxmlns(?::[\w.-]{1,40})?\s*=\s*)(["'])([^"'<>]{0,500})\2""")
ITEM_END = re.compile(r"</(?:[\w.-]{1,40}:)?(?:item|entry)\s*>", re.IGNORECASE)
UPDATE_PERIOD_MINUTES = {"hourly": 60, "daily": 1440, "weekly": 10080, "monthly": 43200, "yearly": 525600}

SAFE_XML = {"recover": True, "resolve_entities": False, "no_network": True, "huge_tree": False}
DATE_IN_TEXT = re.compile(
    r"20\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}日?(?:\s{1,3}\d{1,2}:\d\d(?::\d\d)?)?"
    r"|\d{1,2}\.\d{1,2}\.20\d\d(?:,?\s{1,3}\d{1,2}:\d\d)?"
    r"|\d{1,2} [A-Za-zА-Яа-я]{3,9}\.?,? 20\d\d(?: (?:года|г\.))?(?:,?\s{1,3}\d{1,2}:\d\d)?"
    r"|[A-Za-z]{3,9}\.? \d{1,2}, 20\d\d"
)
NEIGHBOURHOOD_CHARS = 400
SLUG = re.compile(r"\d{5,}|(?:[^\W_]+-){3}|/20\d\d[/-]?\d\d")
HEADLINE_WEIGHT_MIN = 16  # letters, a Chinese character counting for two; shorter anchors are menus
HAN = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class _Reader:
    """What every kind of feed needs to make an entry."""

    feed: Feed
    now: datetime
    max_entries: int

    def entry(
        self, links: Iterable[str], base: str, *, title: str, raw_date: str = "", guid: str = "", summary: str = ""
    ) -> Entry | None:
        """The entry under the first link that is an address of the web; None if there is none."""
        url = next(filter(None, (self._address(link, base) for link in links)), None)
        if url is None:
            return None
        raw = clean_text(raw_date)[:200]
        return Entry(
            feed_url=self.feed.url,
            url=url,
            title=plain_text(title, FIELD_CHARS)[:TITLE_CHARS],
            published_at=parse_date(raw, time_zone=self.feed.time_zone, now=self.now),
            published_raw=raw,
            guid=clean_text(guid)[:GUID_CHARS],
            summary=plain_text(summary, FIELD_CHARS),
        )

    def _address(self, link: str, base: str) -> str | None:
        if not link or not isinstance(link, str):
            return None
        try:
            url = canonical_url(link.strip(), base)
        except NewsError:
            return None
        if self.feed.article_pattern and not re.search(self.feed.article_pattern, url):
            return None
        return url

    def document(self, kind: FeedKind, entries: Iterable[Entry | None], ttl_minutes: int | None = None) -> FeedDocument:
        """One entry an address, the first one counts, as the publisher lists them."""
        unique: dict[str, Entry] = {}
        for entry in entries:
            if entry is not None:
                unique.setdefault(entry.url, entry)
            if len(unique) >= self.max_entries:
                break
        return FeedDocument(kind=kind, entries=tuple(unique.values()), ttl_minutes=ttl_minutes)


def parse_feed(
    body: bytes, feed: Feed, *, content_type: str = "", now: datetime, max_entries: int = MAX_ENTRIES
) -> FeedDocument:
    """Read the entries of one feed, as the publisher lists them.

    Entries without an http(s) link are left out, and those that feed.article_pattern, if there is one, does not match.

    Args:
        body: the response body, undecoded; a gzip file (`news.xml.gz`) is unpacked.
        now: the moment of the fetch, aware; no entry is dated later than a day after it.

    Raises:
        NewsError: not_a_feed (the detail says what it is instead), bot_wall, parse_error, too_large.
    """
    text = _readable(_gunzip(body), content_type)
    reader = _Reader(feed, now, max_entries)
    if not text:
        raise NewsError("not_a_feed", f"nothing came from {feed.url}")
    if text[0] in "{[":
        return _read_json_feed(text, reader)
    root = _root_name(text)
    if feed.kind == "list_page" and root in ("html", ""):
        return _read_list_page(text, reader)
    if root == "urlset":
        return _read_sitemap(text, reader)
    if root == "sitemapindex":
        _refuse_sitemap_index(text, feed)
    if root in ("html", ""):
        _refuse_page(text, feed)
    return _read_xml_feed(text, reader)


def _gunzip(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(body, GUNZIPPED_BYTES)
    except zlib.error as error:
        raise NewsError("parse_error", f"broken gzip file: {error}") from error
    if unpacker.unconsumed_tail:
        raise NewsError("too_large", f"gzip file of more than {GUNZIPPED_BYTES:,} bytes")
    return unpacked


def _readable(body: bytes, content_type: str) -> str:
    """Text from its first sign on, without what XML forbids."""
    text = without_controls(decode(body, content_type)).lstrip()
    return XML_DECLARATION.sub("", text, count=1).lstrip()


def _root_name(text: str) -> str:
    """html, or the local name of a feed's root, or nothing."""
    head = text[:SNIFFED_CHARS]
    html = HTML_ROOT.search(head)
    root = FEED_ROOT.search(head)
    if root is None or (html is not None and html.start() < root.start()):
        return "html" if html else ""
    return root[1].lower()


def _refuse_page(text: str, feed: Feed) -> NoReturn:
    if is_bot_wall(text):
        raise NewsError("bot_wall", f"a challenge page instead of a feed at {feed.url}")
    what = "an HTML page" if "<" in text[:SNIFFED_CHARS] else "plain text"
    raise NewsError("not_a_feed", f"{what} at {feed.url}: {plain_text(text, SNIFFED_CHARS)[:100]}")


# --- RSS, Atom, RDF -------------------------------------------------------------------------------------------------


def _read_xml_feed(text: str, reader: _Reader) -> FeedDocument:
    safe = LONG_AUTHOR.sub(r"\1", without_huge_tags(_first_items(text, reader.max_entries)))
    safe = CHARACTER_REFERENCE.sub(_without_impossible, safe)
    safe = NAMESPACE.sub(lambda found: f"{found[1]}{found[2]}{''.join(found[3].split())}{found[2]}", safe)
    # A stream, never the bytes themselves: feedparser takes bytes for a file name first.
    parsed = feedparser.parse(
        io.BytesIO(safe.encode()),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    version = parsed.get("version", "")
    if not version and not parsed.entries:
        raise NewsError("not_a_feed", f"no entries and no known format at {reader.feed.url}")
    channel = parsed.get("feed", {})
    base = _base(reader.feed.url, _first_text(channel, ("xml_base", "link")))
    return reader.document(
        _xml_kind(version), (_xml_entry(item, base, reader) for item in parsed.entries), _ttl_minutes(channel)
    )


def _without_impossible(reference: re.Match[str]) -> str:
    digits, base = (reference[1], 16) if reference[1] else (reference[2], 10)
    code = int(digits[-10:], base) if len(digits.lstrip("0")) <= 8 else 0
    is_character = 0x20 <= code < 0xD800 or 0xE000 <= code < 0x110000 or code in (9, 10, 13)
    return reference[0] if is_character else ""


def _first_items(text: str, max_entries: int) -> str:
    """The feed without the items beyond the limit, so that they cost nothing; what follows the last item stays."""
    ends = [found.end() for found in ITEM_END.finditer(text)]
    if len(ends) <= max_entries:
        return text
    return text[: ends[max_entries - 1]] + text[ends[-1] :]


def _xml_kind(version: str) -> FeedKind:
    if version.startswith("atom"):
        return "atom"
    return "rdf" if version in ("rss090", "rss10") else "rss"


def _xml_entry(item: Any, base: str, reader: _Reader) -> Entry | None:
    alternates = [link.get("href", "") for link in item.get("links", ()) if link.get("rel", "alternate") == "alternate"]
    # FeedBurner keeps the publisher's own address beside its counting one.
    links = [item.get("feedburner_origlink", ""), item.get("link", ""), *alternates, _permalink(item)]
    contents = [content.get("value", "") for content in item.get("content", ())]
    return reader.entry(
        links,
        base,
        title=_first_text(item, ("title",)),
        raw_date=_first_text(item, ("published", "created", "updated")),
        guid=_first_text(item, ("id",)),
        summary=_first_text(item, ("summary",)) or next(filter(None, contents), ""),
    )


def _permalink(item: Any) -> str:
    guid = _first_text(item, ("id",))
    return guid if is_http_url(guid) else ""


def _first_text(thing: Any, keys: Iterable[str]) -> str:
    values = (thing.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value.strip()), "")


def _base(feed_url: str, declared: str) -> str:
    """What relative links refer to: what the document declares, if that is an address of the web, else its own."""
    try:
        joined = urljoin(feed_url, declared.strip())
    except ValueError:
        return feed_url
    return joined if is_http_url(joined) else feed_url


def _ttl_minutes(channel: Any) -> int | None:
    ttl = _first_text(channel, ("ttl",)).strip()
    if re.fullmatch(r"[0-9]{1,6}", ttl) and int(ttl):
        return min(int(ttl), MAX_TTL_MINUTES)
    minutes = UPDATE_PERIOD_MINUTES.get(_first_text(channel, ("sy_updateperiod",)).strip().lower())
    if minutes is None:
        return None
    frequency = _first_text(channel, ("sy_updatefrequency",)).strip()
    times = int(frequency) if re.fullmatch(r"[0-9]{1,4}", frequency) else 1
    return min(max(1, minutes // max(1, times)), MAX_TTL_MINUTES)


# --- JSON Feed ------------------------------------------------------------------------------------------------------


def _read_json_feed(text: str, reader: _Reader) -> FeedDocument:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NewsError("not_a_feed", f"broken JSON at {reader.feed.url}: {error}") from error
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not (items or "jsonfeed" in str(document.get("version"))):
        raise NewsError("not_a_feed", f"JSON without items at {reader.feed.url}: {clean_text(text[:100])}")
    base = _base(reader.feed.url, _first_text(document, ("home_page_url",)))
    entries = (_json_entry(item, base, reader) for item in items if isinstance(item, dict))
    return reader.document("json_feed", entries)


def _json_entry(item: dict[str, Any], base: str, reader: _Reader) -> Entry | None:
    guid = _first_text(item, ("id",))
    summary = _first_text(item, ("summary", "content_text", "content_html"))
    return reader.entry(
        (_first_text(item, ("url",)), _first_text(item, ("external_url",)), guid if is_http_url(guid) else ""),
        base,
        title=_first_text(item, ("title",)),
        raw_date=_first_text(item, ("date_published", "date_modified")),
        guid=guid,
        summary=summary,
    )


# --- sitemaps -------------------------------------------------------------------------------------------------------


def _read_sitemap(text: str, reader: _Reader) -> FeedDocument:
    urls = [_sitemap_fields(url) for url in _children(_xml_root(text, reader.feed), "url")]
    has_news = any("publication_date" in fields or "title" in fields for fields in urls)
    if not has_news:
        urls = _lately_changed(urls, reader)
    entries = (
        reader.entry(
            [fields.get("loc", "")],
            reader.feed.url,
            title=fields.get("title", ""),
            raw_date=fields.get("publication_date", ""),
        )
        for fields in urls
    )
    return reader.document("news_sitemap", entries)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap says of a period: pages, or as an index the addresses of further sitemaps."""

    entries: tuple[Entry, ...]
    sitemaps: tuple[str, ...]


def parse_sitemap(body: bytes, feed: Feed, *, base: str, now: datetime, first: date, last: date) -> Sitemap:
    """Read what a sitemap of any kind says of some days, first and last included, UTC.

    A page counts by its date of publication, else by that of its last change, which is no date of publication; pages
    without either are left out. Of an index those are left out that were last changed before the first day.

    Raises:
        NewsError: not_a_feed, parse_error, too_large.
    """
    text = _readable(_gunzip(body), "")
    if _root_name(text) not in ("urlset", "sitemapindex"):
        raise NewsError("not_a_feed", f"no sitemap at {base}")
    reader, root = _Reader(feed, now, MAX_SITEMAP_URLS), _xml_root(text, feed)

    def day_of(fields: dict[str, str], *names: str) -> date | None:
        dates = (parse_date(fields.get(name, ""), time_zone=feed.time_zone, now=now) for name in names)
        return next((moment.astimezone(UTC).date() for moment in dates if moment), None)

    pages = [_sitemap_fields(url) for url in _children(root, "url")]
    entries = (
        reader.entry(
            [fields.get("loc", "")],
            base,
            title=fields.get("title", ""),
            raw_date=fields.get("publication_date", ""),
        )
        for fields in pages
        if (day := day_of(fields, "publication_date", "lastmod")) and first <= day <= last
    )
    others = [_sitemap_fields(child) for child in _children(root, "sitemap")]
    wanted = [fields["loc"] for fields in others if fields.get("loc") and (day_of(fields, "lastmod") or last) >= first]
    return Sitemap(reader.document("news_sitemap", entries).entries, tuple(wanted))


def _xml_root(text: str, feed: Feed) -> Any:
    try:
        root = etree.fromstring(text.encode(), etree.XMLParser(**SAFE_XML))
    except etree.XMLSyntaxError as error:
        raise NewsError("parse_error", f"broken sitemap at {feed.url}: {error}") from error
    if root is None:
        raise NewsError("parse_error", f"broken sitemap at {feed.url}")
    return root


def _children(root: Any, name: str) -> Iterator[Any]:
    return (element for element in root.iter() if isinstance(element.tag, str) and _local_name(element) == name)


def _local_name(element: Any) -> str:
    # Recovered XML has names that etree.QName refuses.
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def _sitemap_fields(url: Any) -> dict[str, str]:
    """loc, lastmod, and title and publication_date of the news extension; the first of each."""
    fields: dict[str, str] = {}
    for element in url.iter():
        if isinstance(element.tag, str) and element.text and "image" not in element.tag and "video" not in element.tag:
            fields.setdefault(_local_name(element), element.text.strip())
    return fields


def _lately_changed(urls: list[dict[str, str]], reader: _Reader) -> list[dict[str, str]]:
    """The last change is no date of publication, but it tells what may be new."""
    dated = [(parse_date(u.get("lastmod", ""), time_zone=reader.feed.time_zone, now=reader.now), u) for u in urls]
    if not any(changed_at for changed_at, _ in dated):
        return urls
    since = reader.now - timedelta(days=PLAIN_SITEMAP_DAYS)
    recent = [(changed_at, fields) for changed_at, fields in dated if changed_at and changed_at >= since]
    return [fields for _, fields in sorted(recent, key=lambda pair: pair[0], reverse=True)]


def _refuse_sitemap_index(text: str, feed: Feed) -> NoReturn:
    children = [_sitemap_fields(child).get("loc", "") for child in _children(_xml_root(text, feed), "sitemap")]
    named = " ".join(clean_text(child)[:200] for child in children[:5])
    raise NewsError("not_a_feed", f"a sitemap index of {len(children)}, name one of its children in feeds.csv: {named}")


# --- list pages -----------------------------------------------------------------------------------------------------


def _read_list_page(text: str, reader: _Reader) -> FeedDocument:
    """The article links of an HTML index, in the order of the page, with the longest anchor text of each as title."""
    tree = parse_html(text)
    base = _base(reader.feed.url, next(iter(tree.xpath("//base/@href")), ""))
    titles: dict[str, tuple[str, Any]] = {}
    for anchor in tree.xpath("//a[@href]")[:LIST_PAGE_LINKS]:
        url = reader._address(anchor.get("href"), base)
        title = _anchor_title(anchor)
        if url is None or not (reader.feed.article_pattern or _looks_like_article(url, title, reader.feed)):
            continue
        if url not in titles or len(title) > len(titles[url][0]):
            titles[url] = (title, titles[url][1] if url in titles else anchor)
    if not titles:
        if is_bot_wall(text):
            raise NewsError("bot_wall", f"a challenge page instead of a list at {reader.feed.url}")
        raise NewsError("not_a_feed", f"no link to an article on the page {reader.feed.url}")
    entries = (
        reader.entry([url], base, title=title, raw_date=_date_beside(anchor)) for url, (title, anchor) in titles.items()
    )
    return reader.document("list_page", entries)


def _anchor_title(anchor: Any) -> str:
    text = clean_text(" ".join(anchor.itertext()))
    spare = clean_text(anchor.get("title") or "") or clean_text(" ".join(anchor.xpath(".//img/@alt")))
    return max(text, spare, key=len) if text.endswith(("…", "...")) else text or spare


def _looks_like_article(url: str, title: str, feed: Feed) -> bool:
    weight = len(title) + len(HAN.findall(title))
    return (
        weight >= HEADLINE_WEIGHT_MIN
        and registrable_domain(url) == registrable_domain(feed.url)
        and SLUG.search(url) is not None
        and courlan.check_url(url, strict=False) is not None
    )


def _date_beside(anchor: Any) -> str:
    """The date printed next to a link: in the nearest surrounding element, as long as that holds no other link."""
    element = anchor
    for _ in range(4):
        if element is None or any(other.get("href") != anchor.get("href") for other in element.iter("a")):
            return ""
        stamp = next((t.get("datetime") for t in element.iter("time") if t.get("datetime")), None)
        text = stamp or " ".join(element.itertext())[:NEIGHBOURHOOD_CHARS]
        found = None if stamp else DATE_IN_TEXT.search(text)
        if stamp or found:
            return str(stamp or (found[0] if found else ""))
        element = element.getparent()
    return ""
