"""An outlet's page in, the feeds it may offer out, as lines for feeds.csv. No network: the caller tries them.

Three places tell: `<link rel="alternate">` and links of the page, `Sitemap:` lines of robots.txt, and the paths under
which most software keeps its feeds.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import urljoin

from include.newswatch.charset import decode
from include.newswatch.languages import detect_language
from include.newswatch.markup import clean_text, parse_html
from include.newswatch.model import Feed, FeedDocument, FeedKind, NewsError, Page, Side
from include.newswatch.robots import named_sitemaps
from include.newswatch.sources import COLUMNS
from include.newswatch.urls import canonical_url, host_of, registrable_domain

FEED_TYPES: dict[str, FeedKind] = {
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/rdf+xml": "rdf",
    "application/feed+json": "json_feed",
}
# Paths of the outlets in feeds.csv that others use as well.
COMMON_PATHS = (
    "/rss", "/feed/", "/rss.xml", "/feed", "/rss/", "/export/rss2/archive/index.xml", "/rss/news", "/rss/all",
    "/feed/rss", "/rss/all.xml", "/rss/news.xml", "/rss/index.xml", "/export/rss/all.xml", "/index.xml", "/atom.xml",
    "/feed.xml", "/feed.json", "/news-sitemap.xml", "/sitemap_news.xml", "/sitemap-news.xml", "/sitemaps/news.xml",
    "/googlenews.xml", "/sitemap.xml",
)  # fmt: skip
FEED_LINK = re.compile(r"(?:/|\.|\b)(?:rss|atom|feeds?|rdf)(?:2|\d\.\d)?(?:[/._?-]|$)", re.IGNORECASE)
NOT_NEWS = re.compile(r"comment|podcast|/author/|/tag/|replies|wp-json|oembed", re.IGNORECASE)
NEWS_SITEMAP = re.compile(r"news|google", re.IGNORECASE)
MAX_PROPOSALS = 60
SAMPLE_TITLES = 30

# The zone and country that an outlet's top-level domain suggests; a person corrects the line.
HOME_OF_DOMAIN = {
    "cn": ("CN", "Asia/Shanghai"), "ru": ("RU", "Europe/Moscow"), "su": ("RU", "Europe/Moscow"),
    "hk": ("HK", "Asia/Hong_Kong"), "tw": ("TW", "Asia/Taipei"), "uk": ("GB", "Europe/London"),
    "jp": ("JP", "Asia/Tokyo"), "kr": ("KR", "Asia/Seoul"), "kz": ("KZ", "Asia/Almaty"), "sg": ("SG", "Asia/Singapore"),
    "de": ("DE", "Europe/Berlin"), "fr": ("FR", "Europe/Paris"), "in": ("IN", "Asia/Kolkata"),
    "ua": ("UA", "Europe/Kyiv"),
}  # fmt: skip
UNKNOWN_HOME = ("US", "UTC")
UNKNOWN_SIDE: Side = "third"


def discover_sources(page: Page, robots_txt: str = "") -> tuple[Feed, ...]:
    """Propose feeds from an outlet's page, the announced ones first, then sitemaps, at last the page as a list.

    Every proposal is disabled until somebody has looked at it. Addresses are not tried here, and those of COMMON_PATHS
    are not among them: see guess_sources.

    Args:
        page: any page of the outlet, best its front page.
        robots_txt: the text of its robots.txt, if it has one.

    Raises:
        NewsError: the page is no HTML, or too large.
    """
    tree = parse_html(decode(page.body, page.headers.get("content-type", "")))
    template = _template(page, tree)
    announced = [
        replace(template, url=url, kind=kind, section=section)
        for url, kind, section in (*_alternates(tree, page), *_feed_links(tree, page))
    ]
    list_page = replace(template, url=page.final_url, kind="list_page", note="list page; wants an article_pattern")
    return _unique([*announced, *_sitemaps(robots_txt, template), list_page])


def guess_sources(page: Page) -> tuple[Feed, ...]:
    """The usual addresses on the page's host, for outlets that announce nothing."""
    tree = parse_html(decode(page.body, page.headers.get("content-type", "")))
    template = _template(page, tree)
    guesses = [
        replace(template, url=urljoin(page.final_url, path), kind=_kind_of_path(path), note="guessed")
        for path in COMMON_PATHS
    ]
    return _unique(guesses)


def confirm_source(proposal: Feed, document: FeedDocument) -> Feed:
    """The proposal after its address was read: the kind and the language that it really has."""
    titles = " ".join(entry.title for entry in document.entries[:SAMPLE_TITLES])
    language = detect_language("", titles, proposal.language) or proposal.language
    n_dated = sum(entry.published_at is not None for entry in document.entries)
    note = f"{len(document.entries)} entries, {n_dated} dated"
    return replace(proposal, kind=document.kind, language=language, note=note)


def render_lines(proposals: Iterable[Feed]) -> str:
    """The proposals as lines of feeds.csv, without its header."""
    lines = io.StringIO()
    writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
    for proposal in proposals:
        writer.writerow({**asdict(proposal), "enabled": "yes" if proposal.enabled else "no"})
    return lines.getvalue()


def _template(page: Page, tree: Any) -> Feed:
    """What all proposals of one outlet share."""
    country, time_zone = HOME_OF_DOMAIN.get(host_of(page.final_url).rpartition(".")[2], UNKNOWN_HOME)
    title = clean_text(" ".join(tree.xpath("//title[1]//text()")))
    declared = (next(iter(tree.xpath("/html/@lang")), "") or "")[:2].lower()
    language = detect_language(title, clean_text(" ".join(tree.itertext()))[:3000], declared) or "en"
    names = [clean_text(name) for name in tree.xpath("//meta[@property='og:site_name']/@content")]
    outlet = next(filter(None, names), "") or re.split(r"\s[-|–—:]\s|[_|]", title)[0]
    return Feed(
        url=page.final_url,
        outlet=outlet[:80] or registrable_domain(page.final_url),
        language=language,
        country=country,
        side=UNKNOWN_SIDE,
        kind="rss",
        time_zone=time_zone,
        enabled=False,
    )


def _alternates(tree: Any, page: Page) -> list[tuple[str, FeedKind, str]]:
    found = []
    for link in tree.iter("link"):
        kind = FEED_TYPES.get((link.get("type") or "").split(";")[0].strip().lower())
        relations = (link.get("rel") or "").lower().split()
        if kind is not None and "alternate" in relations and link.get("href"):
            found.append((_absolute(link.get("href"), page), kind, clean_text(link.get("title") or "")[:80]))
    return found


def _feed_links(tree: Any, page: Page) -> list[tuple[str, FeedKind, str]]:
    """Links on the page whose address looks like a feed's."""
    found = []
    for anchor in tree.iter("a"):
        href = anchor.get("href") or ""
        if FEED_LINK.search(href.partition("#")[0]):
            url = _absolute(href, page)
            found.append((url, _kind_of_path(url), clean_text(" ".join(anchor.itertext()))[:80]))
    return [(url, kind, section) for url, kind, section in found if _is_same_site(url, page.final_url)]


def _sitemaps(robots_txt: str, template: Feed) -> list[Feed]:
    """Sitemaps that sound like news first; the others are often indexes or archives."""
    urls = sorted(named_sitemaps(robots_txt), key=lambda url: not NEWS_SITEMAP.search(url))
    return [replace(template, url=url, kind="news_sitemap", note="from robots.txt") for url in urls]


def _kind_of_path(path: str) -> FeedKind:
    if "sitemap" in path or "googlenews" in path:
        return "news_sitemap"
    if path.endswith(".json"):
        return "json_feed"
    return "atom" if "atom" in path else "rss"


def _absolute(href: str, page: Page) -> str:
    """The address that a link leads to, empty if it leads nowhere."""
    try:
        return canonical_url(href, page.final_url)
    except NewsError:
        return ""


def _is_same_site(url: str, page_url: str) -> bool:
    try:
        return registrable_domain(url) == registrable_domain(page_url)
    except NewsError:
        return False


def _unique(proposals: Iterable[Feed]) -> tuple[Feed, ...]:
    """Fetchable addresses, one line each, without feeds of comments and podcasts."""
    unique: dict[str, Feed] = {}
    for proposal in proposals:
        try:
            url = canonical_url(proposal.url)
        except NewsError:
            continue
        if not NOT_NEWS.search(url) and len(unique) < MAX_PROPOSALS:
            unique.setdefault(url, replace(proposal, url=url))
    return tuple(unique.values())
