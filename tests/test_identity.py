"""One article once, however it is addressed; a text that changes later is seen and scored anew."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.newswatch import archive, warehouse
from include.newswatch.model import Article, Entry, ExtractedPage, Feed, Fetch, Score, ScoredArticle
from include.newswatch.stories import Membership, Story, StoryChange, tell_stories
from tests.conftest import ROOT

AT = datetime(2026, 3, 4, 8, tzinfo=UTC)
FEED = Feed("https://a.example/feed", "Example", "en", "GB", "third", "rss")
NO_RELATION = Score(0.1, 0, None, None, (), (), (), (), "v")


@pytest.fixture
def connection() -> Iterator[warehouse.Connection]:
    with warehouse.open_published(ROOT / "absent.duckdb") as opened:
        warehouse.save_feeds(opened, archive.to_table([FEED], Feed))
        yield opened


def load(connection: warehouse.Connection, run_id: str, at: datetime, *texts: tuple[str, str, str]) -> None:
    """A run that fetched pages: address, title, text; those that speak of football are not about the relation."""
    extracted, scored = [], []
    for url, title, text in texts:
        digest = hashlib.sha256(f"{title}\n{text}".encode()).hexdigest()
        article = Article(url, title, text, "en", AT, "feed")
        extracted.append(ExtractedPage(url, FEED.url, "scored", "", at, article, digest))
        found = Score(0.9, 2, 3.0, 1, (), ("trade",), (), (), "v")
        scored.append(ScoredArticle(url, digest, at, NO_RELATION if "ootball" in text else found))
    entries = [Entry(FEED.url, url, title) for url, title, _ in texts]
    fetches = [Fetch("page", url, FEED.url, "a.example", "fetched", at) for url, _, _ in texts]
    tables = warehouse.RunTables(
        archive.to_table(fetches, Fetch),
        archive.to_table(entries, Entry),
        archive.to_table(extracted, ExtractedPage),
        archive.to_table(scored, ScoredArticle),
    )
    warehouse.load_tables(connection, run_id, at, tables)


@pytest.mark.parametrize(
    "twin",
    [
        "http://example.com/a-1/", "https://www.example.com/a-1", "https://m.example.com/a-1", "https://amp.example.com/a-1",
        "https://www2.example.com/a-1",
    ],
)  # fmt: skip
def test_twins_of_an_address_have_one_key(connection: warehouse.Connection, twin: str) -> None:
    query = "select article_key($twin) = article_key('https://example.com/a-1')"
    assert connection.execute(query, {"twin": twin}).fetchone() == (True,)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/a?id=1", "https://example.com/a?id=2"),
        ("https://example.com/a", "https://news.example.com/a"),
        ("https://m.com/a", "https://com/a"),
        ("https://example.com/a/b", "https://example.com/ab"),
        ("https://example.com/www.a", "https://example.com/a"),
    ],
)
def test_addresses_that_only_look_alike_keep_their_own_key(
    connection: warehouse.Connection, one: str, other: str
) -> None:
    query = "select article_key($one) = article_key($other)"
    assert connection.execute(query, {"one": one, "other": other}).fetchone() == (False,)


def test_one_article_under_two_addresses_is_one_row_with_one_score(connection: warehouse.Connection) -> None:
    load(
        connection, "one", AT, ("http://a.example/1", "Title", "Text."), ("https://www.a.example/1/", "Title", "Text.")
    )
    load(connection, "two", AT + timedelta(hours=1), ("https://m.a.example/1", "Title", "Text."))
    assert connection.execute("select count(*), max(revised_at) from articles").fetchone() == (1, None)
    assert connection.execute("select count(*) from scores").fetchone() == (1,)
    linked = connection.execute("select count(*), count(distinct article_id) from entries").fetchone()
    assert linked == (3, 1)


def test_a_changed_text_replaces_the_old_one_is_dated_and_scored_and_the_old_score_stays(
    connection: warehouse.Connection,
) -> None:
    later = AT + timedelta(hours=5)
    load(connection, "one", AT, ("https://a.example/1", "Title", "Three agreements were signed."))
    load(connection, "two", later, ("https://a.example/1", "Title", "Four agreements were signed."))
    load(
        connection,
        "three",
        later + timedelta(hours=1),
        ("https://a.example/1", "Title", "Four agreements were signed."),
    )
    row = connection.execute('select "text", first_seen_at, fetched_at, revised_at from articles').fetchone()
    assert row == ("Four agreements were signed.", AT, later, later)
    scores = connection.execute("select scored_at, is_current from scores order by scored_at").fetchall()
    assert scores == [(AT, False), (later, True)]


def test_dates_from_addresses_are_days_alone_in_a_warehouse_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.duckdb"
    with monkeypatch.context() as before:
        shutil.copy(warehouse.SQL_DIR / "migrate_001_tables.sql", tmp_path)
        before.setattr(warehouse, "SQL_DIR", tmp_path)
        with warehouse.open_warehouse(path) as opened:
            for key, source in enumerate(("feed", "url")):
                opened.execute(
                    """
                    insert into articles by name
                    select $key as article_id, '' as url, '' as feed_url, '' as outlet, 'GB' as country,
                        'third' as side, 'en' as "language", '' as title, '' as "text", '' as author,
                        $at as published_at, $source as published_at_source, $at as first_seen_at,
                        $at as fetched_at, '' as text_sha256
                    """,
                    {"key": key, "source": source, "at": AT},
                )
            opened.execute(
                "insert into scores select article_id, article_id, 'v', '', $at, 0, 0, null, null, true from articles",
                {"at": AT},
            )
    with warehouse.open_warehouse(path) as opened:
        found = opened.execute("select published_at_source, has_time from articles order by 1").fetchall()
    assert found == [("feed", True), ("url", False)]


@pytest.mark.parametrize(
    ("text", "changed", "story"),
    [("Three agreements were signed.", "Football.", True), ("Football.", "Three agreements were signed.", False)],
)
def test_a_text_that_is_changed_and_changed_back_has_the_story_of_what_it_says_now(
    connection: warehouse.Connection, text: str, changed: str, story: bool
) -> None:
    for hours, some in enumerate((text, changed, text)):
        at = AT + timedelta(hours=hours)
        load(connection, f"run {hours}", at, ("https://a.example/1", "Title", some))
        told = tell_stories(warehouse.find_story_articles(connection, at), at.date())
        tables = (told.memberships, Membership), (told.stories, Story), (told.changes, StoryChange)
        warehouse.save_stories(connection, *(archive.to_table(rows, kind) for rows, kind in tables))
    stories = connection.execute(
        "select a.story_id = s.story_id from articles as a full join stories as s using (story_id)"
    ).fetchall()
    assert stories == [(True if story else None,)]
    assert connection.execute("select count(*) from stories").fetchone() == (int(story),)
    scores = connection.execute("select scored_at, is_current from scores order by scored_at").fetchall()
    assert scores == [(AT + timedelta(hours=1), False), (AT + timedelta(hours=2), True)]
