"""What an outlet offers is found in its page and robots.txt, and comes out as lines for feeds.csv."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.newswatch.discover import COMMON_PATHS, confirm_source, discover_sources, guess_sources, render_lines
from include.newswatch.feeds import parse_feed
from include.newswatch.model import NewsError, Page
from include.newswatch.sources import COLUMNS, load_feeds

DATA = Path(__file__).parent / "data"
NOW = datetime(2024, 5, 20, tzinfo=UTC)
ROBOTS = """User-agent: *
Disallow: /search
Sitemap: https://gazeta.example.ru/sitemap.xml
sitemap: https://gazeta.example.ru/sitemap_news.xml
"""


def front_page() -> Page:
    body = (DATA / "pages" / "outlet_front.html").read_bytes()
    return Page(
        "http://gazeta.example.ru/", "https://gazeta.example.ru/", 200, {"content-type": "text/html"}, body, NOW
    )


def test_announced_feeds_come_first_then_sitemaps_then_the_page_itself():
    assert [(feed.url, feed.kind) for feed in discover_sources(front_page(), ROBOTS)] == [
        ("https://gazeta.example.ru/rss/all.xml", "rss"),
        ("https://gazeta.example.ru/atom.xml", "atom"),
        ("https://gazeta.example.ru/rss/politics.xml", "rss"),
        ("https://gazeta.example.ru/sitemap_news.xml", "news_sitemap"),
        ("https://gazeta.example.ru/sitemap.xml", "news_sitemap"),
        ("https://gazeta.example.ru/", "list_page"),
    ]


def test_a_proposal_knows_what_the_page_tells_of_its_outlet_and_waits_for_a_person():
    first = discover_sources(front_page())[0]

    assert (first.outlet, first.language, first.country, first.time_zone) == (
        "Вымышленная газета",
        "ru",
        "RU",
        "Europe/Moscow",
    )
    assert first.section == "Все новости"
    assert not first.enabled


def test_the_usual_addresses_are_guessed_on_the_same_host():
    guesses = guess_sources(front_page())

    assert len(guesses) == len(COMMON_PATHS)
    assert {feed.url.split("/")[2] for feed in guesses} == {"gazeta.example.ru"}


def test_a_proposal_is_corrected_by_what_its_address_holds():
    proposal = replace(discover_sources(front_page())[0], kind="rss", language="ru")
    document = parse_feed((DATA / "feeds" / "radio.rdf").read_bytes(), proposal, now=NOW)
    confirmed = confirm_source(proposal, document)

    assert (confirmed.kind, confirmed.language, confirmed.note) == ("rdf", "zh", "1 entries, 1 dated")


def test_the_lines_can_be_appended_to_feeds_csv(tmp_path):
    path = tmp_path / "feeds.csv"
    proposals = discover_sources(front_page(), ROBOTS)
    path.write_text(",".join(COLUMNS) + "\n" + render_lines(proposals), encoding="utf-8")

    assert load_feeds(path).feeds == proposals
    assert load_feeds(path).problems == ()


def test_what_is_no_page_is_refused():
    with pytest.raises(NewsError):
        discover_sources(replace(front_page(), body=b""))
