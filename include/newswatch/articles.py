"""A fetched page in, its article as plain text out. Below this module nothing is markup. Run it in the sandbox.

The feed knows title and date better than the page's markup, so they win; the page gives the text, the author and what
the feed left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from htmldate import find_date
from lxml import etree
from trafilatura import bare_extraction, baseline
from trafilatura.metadata import extract_title

from include.newswatch.charset import decode
from include.newswatch.dates import has_time, parse_date
from include.newswatch.languages import detect_language
from include.newswatch.markup import clean_text, is_bot_wall, parse_html, plain_text, without_controls
from include.newswatch.model import Article, Entry, NewsError, Page, PublishedAtSource
from include.newswatch.urls import canonical_url, registrable_domain

# Letters, a Chinese character counting for three. Below the first another way to extract is tried, below the second it
# is no article: a cookie banner or a caption is shorter, a news flash longer.
RETRY_WEIGHT = 200
TEXT_WEIGHT_MIN = 90
TITLE_CHARS = 1000
AUTHOR_CHARS = 200
TEXT_CHARS = 500_000
JSON_LD_CHARS = 500_000
JSON_LD_NODES = 2000

HAN = re.compile("[\u3400-\u9fff]")
CELL_MARKS = "|\\ \t"  # what is left of tables
# Lines that outlets print between or below the paragraphs, seen on pages of Chinese, Russian and English outlets.
ASIDE_LINE = re.compile(
    r"[【\[（(]?\s*(?:责任编辑|責任編輯|责编|编辑|編輯|原标题|原題|发布日期)\s*[:：].{0,60}"
    r"|[【\[（(]?\s*(?:原题为|分享让更多人看到|打印本页|关闭窗口|返回.{0,8}首页).{0,60}"
    r"|您所在的位置.{0,60}|首页|.{0,20}扫描.{0,10}二维码.{0,60}|(?:©|Copyright\b|版权所有|All rights reserved).{0,120}"
    r"|(?:Подписывайтесь|Подпишитесь|Читайте нас|Follow us|Sign up for|Share this)\b.{0,120}"
    r"|(?:Advertisement|Реклама)",
    re.IGNORECASE,
)
# From such a line on, in the last part of a text, there are only headlines of others.
TAIL_LINE = re.compile(
    r"(?:-\s*)?(?:相关(?:推荐|新闻|阅读|链接)|推荐(?:新闻|阅读)?|更多(?:新闻|阅读)|热门(?:新闻|推荐)|延伸阅读|目前没有热门跟贴|关键词|小编最近文章|作者最近文章"
    r"|Читайте также|Материалы по теме|Другие новости|Новости по теме|Related (?:articles|stories|news|topics)"
    r"|Read more|More on this (?:story|topic)|Most read|You may also like)\W{0,3}.{0,10}",
    re.IGNORECASE,
)
TAIL_SHARE = 0.4
HTML_TYPES = ("html", "xml", "text/plain", "octet-stream")
NO_HTML_MAGIC = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"RIFF", b"\x1f\x8b", b"OggS", b"ID3")

PUBLISHED_KEYS = (
    "article:published_time", "og:article:published_time", "datepublished", "publishdate", "pubdate", "publish_date",
    "publication_date", "publish-date", "parsely-pub-date", "sailthru.date", "dc.date.issued", "dcterms.created",
    "dc.date", "date", "article.published", "cxenseparse:recs:publishtime", "firstpublishedtime", "apub:time",
    "og:published_time", "weibo:article:create_at", "bytedance:published_time",
)  # fmt: skip
MODIFIED_KEYS = (
    "article:modified_time", "og:updated_time", "datemodified", "lastmod", "last-modified", "dcterms.modified",
    "bytedance:updated_time", "weibo:article:update_at",
)  # fmt: skip
AUTHOR_KEYS = ("author", "article:author", "parsely-author", "dc.creator", "sailthru.author", "byl")
DATE_IN_PATH = (
    re.compile(r"/(?P<y>20\d\d|199\d)[/_-](?P<m>0[1-9]|1[0-2])[/_-]?(?P<d>0[1-9]|[12]\d|3[01])(?=[/_.-]|$)"),
    re.compile(r"(?<![0-9])t?(?P<y>20\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?=[/_.-]|$)"),
)


@dataclass(frozen=True, slots=True)
class _PageFacts:
    """What the head of a page and its JSON-LD say, raw, empty where they say nothing."""

    title: str
    author: str
    published: tuple[str, ...]
    modified: tuple[str, ...]
    canonical_href: str


def extract_article(page: Page, entry: Entry, *, time_zone: str, language_hint: str = "") -> Article:
    """Read the article of one page.

    Args:
        entry: how the feed announced it; its url is the article's identity, its title and date win over the page's.
        time_zone: IANA name of the outlet's zone, for dates that carry none.
        language_hint: the feed's language, for texts too short to tell.

    Raises:
        NewsError: not_html, no_text, bot_wall, other_language, too_large.
    """
    html = _html(page)
    tree = parse_html(html)
    facts = _page_facts(tree)
    title = _title(entry, facts, tree)
    text = _without_asides(_text(tree), title)
    if _weight(text) < TEXT_WEIGHT_MIN:
        _refuse_empty(html, page)
    language = detect_language(title, text, language_hint)
    if language is None:
        raise NewsError("other_language", f"neither English, Russian nor Chinese: {page.final_url}")
    published_at, source, is_timed = _published(tree, facts, entry, page, time_zone)
    return Article(
        url=entry.url,
        title=title,
        text=text,
        language=language,
        published_at=published_at,
        published_at_source=source,
        has_time=is_timed,
        author=facts.author,
        canonical_url=_canonical_link(facts.canonical_href, page.final_url),
        modified_at=_first_date(facts.modified, time_zone, page.fetched_at)[0],
    )


def _html(page: Page) -> str:
    content_type = page.headers.get("content-type", "").lower()
    start = page.body.lstrip()[:8]
    if content_type and not any(kind in content_type for kind in HTML_TYPES):
        raise NewsError("not_html", f"{clean_text(content_type)[:100]} at {page.final_url}")
    if not start or start.startswith(NO_HTML_MAGIC) or start[:1] in b"{[":
        raise NewsError("not_html", f"no page but {start!r} at {page.final_url}")
    if _is_front_page(page.final_url) and not _is_front_page(page.url):
        raise NewsError("no_text", f"sent to the front page {page.final_url}")
    return decode(page.body, content_type)


def _is_front_page(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path.strip("/").lower() in ("", "index.html", "index.htm", "en", "ru", "zh") and not parts.query


def _refuse_empty(html: str, page: Page) -> None:
    if is_bot_wall(html):
        raise NewsError("bot_wall", f"a challenge page instead of {page.final_url}")
    raise NewsError("no_text", f"no article text on {page.final_url}")


# --- text -----------------------------------------------------------------------------------------------------------


def _text(tree: Any) -> str:
    """The first way that yields enough: precise, balanced, generous, and at last whatever paragraphs there are.

    Precision first costs no recall (F1 .964 against .960 on the article-extraction-benchmark) and leaves out trailing
    headlines. Never deduplicate=True: its process-wide cache empties the fourth equal text.
    """
    best = ""
    for options in ({"favor_precision": True}, {}, {"favor_recall": True}):
        document = bare_extraction(tree, include_comments=False, **options)  # type: ignore[arg-type]
        text = _paragraphs(document.text or "") if document is not None else ""  # type: ignore[union-attr]
        best = max(best, text, key=_weight)
        if _weight(best) >= RETRY_WEIGHT:
            return best
    return max(best, _paragraphs(baseline(tree)[1]), key=_weight)


def _paragraphs(text: str) -> str:
    lines = (" ".join(line.strip(CELL_MARKS).split()) for line in without_controls(text[:TEXT_CHARS]).splitlines())
    return "\n".join(line for line in lines if any(map(str.isalnum, line)))


def _without_asides(text: str, title: str) -> str:
    """The text without its own headline on top, editors' lines, and other articles' headlines below."""
    lines = text.split("\n")
    if len(lines) > 1 and _letters(lines[0]) == _letters(title):
        lines = lines[1:]
    last_part = len(lines) * (1 - TAIL_SHARE)
    tails = (n for n, line in enumerate(lines) if n >= last_part and TAIL_LINE.fullmatch(line))
    return "\n".join(line for line in lines[: next(tails, None)] if not ASIDE_LINE.fullmatch(line))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def _weight(text: str) -> int:
    """How much a text says; exact only where it is short, because only limits ask for it."""
    return len(text) + (2 * len(HAN.findall(text)) if len(text) < RETRY_WEIGHT else 2 * RETRY_WEIGHT)


# --- title, author, address -----------------------------------------------------------------------------------------


def _title(entry: Entry, facts: _PageFacts, tree: Any) -> str:
    """The feed's title; the page's where the feed has none or cut it."""
    if entry.title and not entry.title.endswith(("…", "...")):
        return entry.title
    return facts.title or clean_text(extract_title(tree) or "")[:TITLE_CHARS] or entry.title


def _page_facts(tree: Any) -> _PageFacts:
    named = _meta_values(tree)
    linked = list(_json_ld_nodes(tree))
    times = [element.get("datetime") for element in tree.iter("time") if element.get("pubdate") is not None]
    published = [_text_of(node.get("datePublished")) for node in linked] + _values(named, PUBLISHED_KEYS) + times
    modified = [_text_of(node.get("dateModified")) for node in linked] + _values(named, MODIFIED_KEYS)
    authors = [_names(node.get("author")) for node in linked] + _values(named, AUTHOR_KEYS)
    headlines = [_text_of(node.get("headline")) for node in linked] + _values(named, ("og:title",))
    canonical = [link.get("href") for link in tree.iter("link") if (link.get("rel") or "").lower() == "canonical"]
    return _PageFacts(
        title=plain_text(next(filter(None, headlines), ""), 5000)[:TITLE_CHARS],
        author=plain_text(next(filter(_is_name, authors), ""), 2000)[:AUTHOR_CHARS],
        published=tuple(filter(None, published)),
        modified=tuple(filter(None, modified)),
        canonical_href=next(filter(None, canonical), ""),
    )


def _meta_values(tree: Any) -> dict[str, str]:
    """The first value of each name, property or itemprop, which must be in lower case."""
    values: dict[str, str] = {}
    for meta in tree.iter("meta"):
        content = (meta.get("content") or "").strip()
        if content:
            for attribute in ("name", "property", "itemprop"):
                values.setdefault((meta.get(attribute) or "").strip().lower(), content)
    return values


def _values(named: dict[str, str], keys: tuple[str, ...]) -> list[str]:
    return [named[key] for key in keys if key in named]


def _json_ld_nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """The objects of a page's JSON-LD that are about an article, wherever they are nested."""
    for script in tree.iter("script"):
        source = script.text or ""
        if script.get("type") != "application/ld+json" or len(source) > JSON_LD_CHARS:
            continue
        try:
            waiting = [json.loads(source, strict=False)]
        except (ValueError, RecursionError):
            continue
        for _ in range(JSON_LD_NODES):
            if not waiting:
                break
            node = waiting.pop(0)
            if isinstance(node, dict):
                if "datePublished" in node and "headline" in node:
                    yield node
                waiting.extend(value for value in node.values() if isinstance(value, (dict, list)))
            elif isinstance(node, list):
                waiting.extend(value for value in node[:JSON_LD_NODES] if isinstance(value, (dict, list)))


def _text_of(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _names(value: Any) -> str:
    """The names in a schema.org author: text, object or a list of them."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_names, value[:10])))
    return _text_of(value.get("name")) if isinstance(value, dict) else _text_of(value)


def _is_name(author: str) -> bool:
    """Templates leave addresses, numbers and e-mails in the place of names."""
    return any(map(str.isalpha, author)) and "://" not in author and "@" not in author


def _canonical_link(href: str, page_url: str) -> str:
    """rel=canonical, where it can be trusted: on the same site and no front page; publishers' templates err there."""
    if not href:
        return ""
    try:
        url = canonical_url(urljoin(page_url, href.strip()))
        is_same_site = urlsplit(url).hostname == urlsplit(page_url).hostname or (
            registrable_domain(url) == registrable_domain(page_url)
        )
    except (NewsError, ValueError):
        return ""
    return url if is_same_site and not _is_front_page(url) else ""


# --- dates ----------------------------------------------------------------------------------------------------------


def _published(
    tree: Any, facts: _PageFacts, entry: Entry, page: Page, time_zone: str
) -> tuple[datetime | None, PublishedAtSource | None, bool]:
    """The feed's date, else what the page declares, else the date in the address, else one seen in the markup.

    Where it comes from, and whether it has a time of its own.
    """
    if entry.published_at is not None:
        if has_time(entry.published_raw):
            return entry.published_at, "feed", True
        return min(entry.published_at, page.fetched_at), "feed", False  # the feed may be polled later than its page
    declared, is_timed = _first_date(facts.published, time_zone, page.fetched_at)
    if declared is not None:
        return declared, "page", is_timed
    in_path = _date_in_path(page.final_url, time_zone, page.fetched_at) or _date_in_path(
        entry.url, time_zone, page.fetched_at
    )
    if in_path is not None:
        return in_path, "url", False
    seen = _date_in_markup(tree, time_zone, page.fetched_at)
    return (seen, "page", False) if seen else (None, None, True)


def _first_date(raws: tuple[str, ...], time_zone: str, now: datetime) -> tuple[datetime | None, bool]:
    """The first that can be read, and whether it has a time of its own."""
    dates = ((parse_date(raw, time_zone=time_zone, now=now), has_time(raw)) for raw in raws)
    return next((found for found in dates if found[0] is not None), (None, True))


def _date_in_path(url: str, time_zone: str, now: datetime) -> datetime | None:
    path = urlsplit(url).path
    found = next(filter(None, (pattern.search(path) for pattern in DATE_IN_PATH)), None)
    if found is None:
        return None
    return parse_date("-".join(found.group("y", "m", "d")), time_zone=time_zone, now=now)


def _date_in_markup(tree: Any, time_zone: str, now: datetime) -> datetime | None:
    try:
        day = find_date(
            tree,
            extensive_search=False,  # the extensive search takes any date of the page rather than none
            original_date=True,
            max_date=(now + timedelta(days=1)).date().isoformat(),
        )
    except (etree.LxmlError, AssertionError, ValueError, TypeError):  # pages whose root is no html element
        return None
    return parse_date(day or "", time_zone=time_zone, now=now)
