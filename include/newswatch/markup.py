"""Markup in, a tree of bounded size or plain text out; and whether a page is the challenge of a bot wall."""

from __future__ import annotations

import html
import re
from typing import Any

import lxml.html
from lxml import etree
from trafilatura.utils import load_html

from include.newswatch.model import NewsError

# The largest of 2,272 real pages had 10,106 elements and 363 children in one element; trafilatura needs 33 s for 20,000
# equal siblings, and its own limit is looked at after the work is done.
MAX_ELEMENTS = 50_000
MAX_CHILDREN = 5000

# The control and format characters that no text needs, and surrogates; tab and newline are white space and stay.
CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
# An element of 100,000 attributes takes feedparser and trafilatura more than 20 s; no text stands in such a tag.
HUGE_TAG_CHARS = 20_000
HUGE_TAG = re.compile(rf"<[A-Za-z][^<>]{{{HUGE_TAG_CHARS},}}>")
TAG = re.compile(r"<(?:[A-Za-z/!?][^<>]*)>")
BLOCK_TAG = re.compile(r"<(?=/?(?:p|div|br|li|ul|ol|h\d|tr|td|table|blockquote|section)\b)", re.IGNORECASE)
READABLE_TEXT = etree.XPath(
    "//text()[not(parent::script or parent::style or ancestor::template or ancestor::noscript)]"
)
N_ELEMENTS = etree.XPath("count(//*)")
HAS_CROWD = etree.XPath(f"boolean(//*[count(*) > {MAX_CHILDREN}])")
UNESCAPE_ROUNDS = 3  # publishers escape up to twice what their software escapes again

# Phrases and scripts of challenge pages: Cloudflare, DDoS-Guard, Qrator, Imperva, DataDome, Akamai, PerimeterX, AWS.
BOT_WALL_MARKS = (
    "<title>just a moment",
    "cf-chl-",
    "_cf_chl_opt",
    "cf-browser-verification",
    "attention required! | cloudflare",
    "enable javascript and cookies to continue",
    "checking your browser before",
    "checking if the site connection is secure",
    "verifying you are human",
    "verify you are human",
    "<title>ddos-guard",
    "ddos-guard.net",
    "__qrator",
    "qauth.js",
    "servicepipe.ru",
    "_incapsula_resource",
    "captcha-delivery.com",
    "px-captcha",
    "awswafcookiedomainlist",
    "challenge.js?waf",
    "<title>access denied",
    "errors.edgesuite.net",
    "распознавание робота",
    "подтвердите, что вы не робот",
    "вы не робот",
    "访问验证",
    "安全验证",
)
BOT_WALL_WITHIN_CHARS = 60_000
# A page that only sets a cookie and loads itself again: the home-made walls of Russian ministries.
RELOAD_WALL = re.compile(r"document\.cookie\s*=.{0,2000}?location\.(?:reload|href|replace)", re.DOTALL)
RELOAD_WALL_CHARS = 20_000


def without_controls(text: str) -> str:
    return CONTROLS.sub("", text)


def clean_text(text: str) -> str:
    """Text without control characters, with single spaces."""
    return " ".join(without_controls(text).split())


def plain_text(markup: str, max_chars: int = 200_000) -> str:
    """The words of a piece of HTML on one line: no tags, no scripts, entities resolved, at most max_chars read."""
    text = markup[:max_chars]
    for _ in range(UNESCAPE_ROUNDS):
        if TAG.search(text):
            text = _strip_tags(text)
        unescaped = html.unescape(text)
        if unescaped == text:
            break
        text = unescaped
    return clean_text(TAG.sub(" ", text))


def _strip_tags(markup: str) -> str:
    # libxml2 reads any nesting and any broken tag in linear time, which no regular expression of ours would.
    parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    text = BLOCK_TAG.sub(" <", without_controls(markup))
    tree = etree.fromstring(f"<body>{text}</body>".encode(), parser)
    if tree is None:
        return ""
    # Escaped again, so that the caller's unescape sees what a browser's second reading would.
    return html.escape("".join(READABLE_TEXT(tree)), quote=False)


def without_huge_tags(markup: str) -> str:
    """The markup without tags that are longer than any real one."""
    # Looking at the gaps first takes a fifth of the time, and few pages go on from there.
    if max(map(len, markup.split("<"))) < HUGE_TAG_CHARS:
        return markup
    return HUGE_TAG.sub("", markup)


def parse_html(text: str) -> Any:
    """The lxml tree of a page.

    Raises:
        NewsError: too_large (elements in all, or children of one), not_html when nothing in it is an element.
    """
    n_tags = text.count("<")
    if n_tags > 4 * MAX_ELEMENTS:
        raise NewsError("too_large", f"more than {MAX_ELEMENTS:,} elements")
    tree = load_html(without_huge_tags(text))
    if tree is None:
        raise NewsError("not_html", "no HTML element found")
    # Three of four pages have too few tags for either limit.
    if n_tags > MAX_CHILDREN and (N_ELEMENTS(tree) > MAX_ELEMENTS or HAS_CROWD(tree)):
        raise NewsError("too_large", f"more than {MAX_ELEMENTS:,} elements or {MAX_CHILDREN:,} children of one")
    return tree


def is_bot_wall(markup: str) -> bool:
    """Whether a page is a challenge for browsers. Ask only of pages without text: articles may carry such scripts."""
    head = markup[:BOT_WALL_WITHIN_CHARS].lower()
    if any(mark in head for mark in BOT_WALL_MARKS):
        return True
    return len(markup) < RELOAD_WALL_CHARS and RELOAD_WALL.search(markup) is not None
