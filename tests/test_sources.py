"""feeds.csv: the real one is sound, and a bad line is named without hiding the others."""

from collections import Counter
from pathlib import Path

import pytest

from include.newswatch.model import SettingsError
from include.newswatch.sources import COLUMNS, load_feeds
from include.newswatch.urls import registrable_domain

FEEDS_CSV = Path(__file__).parents[1] / "include" / "feeds.csv"
HEADER = ",".join(COLUMNS)
GOOD = "https://a.example/rss,Outlet,en,CN,china_state,rss,world,Asia/Shanghai,,yes,"


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_real_file_is_sound_and_wide():
    listed = load_feeds(FEEDS_CSV)
    enabled = [feed for feed in listed.feeds if feed.enabled]
    by_side = Counter(feed.side for feed in enabled)

    assert listed.problems == ()
    assert len(enabled) >= 150
    assert len({registrable_domain(feed.url) for feed in enabled}) >= 100
    assert {feed.language for feed in enabled} == {"en", "ru", "zh"}
    assert min(Counter(feed.language for feed in enabled).values()) >= 30
    assert set(by_side) == {"china_state", "russia_state", "china_independent", "russia_independent", "third"}
    assert {feed.kind for feed in enabled} >= {"rss", "atom", "news_sitemap", "list_page"}


def test_both_sides_official_voices_are_heard_in_the_real_file():
    hosts = {registrable_domain(feed.url) for feed in load_feeds(FEEDS_CSV).feeds if feed.enabled}

    assert hosts >= {"news.cn", "people.cn", "people.com.cn", "mfa.gov.cn", "mid.ru", "kremlin.ru", "tass.ru", "ria.ru"}


def test_every_list_page_of_the_real_file_says_which_links_are_articles():
    feeds = load_feeds(FEEDS_CSV).feeds

    assert [feed.url for feed in feeds if feed.kind == "list_page" and not feed.article_pattern] == []


def test_every_disabled_feed_of_the_real_file_says_why():
    assert [feed.url for feed in load_feeds(FEEDS_CSV).feeds if not feed.enabled and not feed.note] == []


def test_a_line_becomes_a_feed(tmp_path):
    path = write(tmp_path / "feeds.csv", HEADER, GOOD, GOOD.replace("/rss,", "/atom,").replace("yes", "no"))
    first, second = load_feeds(path).feeds

    assert (first.url, first.side, first.time_zone, first.enabled) == (
        "https://a.example/rss",
        "china_state",
        "Asia/Shanghai",
        True,
    )
    assert not second.enabled


@pytest.mark.parametrize(
    ("wrong", "right", "word"),
    [
        ("china_state", "china", "side"),
        (",rss,", ",xml,", "kind"),
        (",en,", ",de,", "language"),
        ("Asia/Shanghai", "Asia/Peking", "time_zone"),
        (",yes,", ",true,", "enabled"),
        (",CN,", ",China,", "country"),
        ("https://a.example/rss", "ftp://a.example/rss", "url"),
        ("https://a.example/rss", "https://user:secret@a.example/rss", "url"),
        ("Outlet", "", "outlet"),
        ("Asia/Shanghai,,", "Asia/Shanghai,(,", "article_pattern"),
    ],
)
def test_a_bad_line_is_named_and_the_others_go_on(tmp_path, wrong, right, word):
    other = GOOD.replace("a.example", "b.example")
    listed = load_feeds(write(tmp_path / "feeds.csv", HEADER, GOOD.replace(wrong, right), other))

    assert [feed.url for feed in listed.feeds] == ["https://b.example/rss"]
    assert len(listed.problems) == 1
    assert listed.problems[0].startswith("feeds.csv line 2: ")
    assert word in listed.problems[0]
    assert "secret" not in listed.problems[0]


def test_the_same_address_twice_is_a_problem(tmp_path):
    listed = load_feeds(write(tmp_path / "feeds.csv", HEADER, GOOD, GOOD))

    assert len(listed.feeds) == 1
    assert "line 3" in listed.problems[0]


def test_a_short_line_a_comment_and_an_empty_line_do_no_harm(tmp_path):
    listed = load_feeds(write(tmp_path / "feeds.csv", HEADER, "# ours", "", "https://c.example/rss,Outlet", GOOD))

    assert len(listed.feeds) == 1
    assert len(listed.problems) == 1


def test_a_byte_order_mark_of_a_spreadsheet_does_no_harm(tmp_path):
    path = tmp_path / "feeds.csv"
    path.write_text(f"{HEADER}\n{GOOD}\n", encoding="utf-8-sig")

    assert len(load_feeds(path).feeds) == 1


def test_a_missing_column_or_file_stops_with_its_name(tmp_path):
    path = write(tmp_path / "feeds.csv", HEADER.replace(",side", ""), GOOD)

    with pytest.raises(SettingsError, match="side"):
        load_feeds(path)
    with pytest.raises(SettingsError, match=r"nothing\.csv"):
        load_feeds(tmp_path / "nothing.csv")
