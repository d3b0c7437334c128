"""Reprints find their original, reports of one happening find each other, and near misses stay apart."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from include.newswatch import archive, warehouse
from include.newswatch.stories import (
    Copy,
    Membership,
    Story,
    StoryArticle,
    assign_stories,
    find_copies,
    summarise_stories,
    tell_stories,
)
from tests.conftest import ROOT

START = datetime(2026, 3, 4, 8, tzinfo=UTC)
LINES = (ROOT / "tests" / "data" / "stories.jsonl").read_text(encoding="utf-8").splitlines()
LABELS = {row["article_id"]: row["story"] for row in map(json.loads, LINES)}
LONG_TEXTS = {
    "en": " ".join(
        f"Sentence {number} tells what the delegation said about item {number * 7}." for number in range(20)
    ),
    "ru": " ".join(f"Пункт {number} говорит о том, что делегация решила по делу {number * 7}." for number in range(20)),
    "zh": "".join(f"第{number}项说明代表团就议题{number * 7}所作的决定。" for number in range(20)),
}


def read_article(line: str) -> StoryArticle:
    row = json.loads(line)
    actors, events, themes = (tuple(row[name]) for name in ("actors", "events", "themes"))
    return StoryArticle(
        row["article_id"], row["outlet"], "third", row["language"], row["title"], row["text"],
        START + timedelta(hours=row["hours"]), 0.9, 2.0, actors, events, themes,
    )  # fmt: skip


ARTICLES = [read_article(line) for line in LINES]


def pairs(stories: dict[int, object]) -> set[tuple[int, int]]:
    return {(a, b) for a, b in combinations(sorted(stories), 2) if stories[a] == stories[b]}


def test_stories_of_the_labelled_set_are_found_across_languages() -> None:
    found, wanted = pairs(dict(assign_stories(ARTICLES, []))), pairs(dict(LABELS))
    f1 = 2 * len(found & wanted) / (len(found) + len(wanted))
    assert f1 >= 0.9, (f1, [(LABELS[a], a, LABELS[b], b) for a, b in sorted(found ^ wanted)])


def test_near_misses_stay_apart() -> None:
    assert pairs(dict(assign_stories(ARTICLES, []))) <= pairs(dict(LABELS))


def test_most_stories_are_found_where_the_scorer_misses_three_in_ten_concepts() -> None:
    random, wanted = Random(0), pairs(dict(LABELS))  # noqa: S311 no secret

    def lose(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if random.random() > 0.3)

    for _ in range(5):
        poorer = [
            replace(row, actors=lose(row.actors), events=lose(row.events), themes=lose(row.themes)) for row in ARTICLES
        ]
        found = pairs(dict(assign_stories(poorer, [])))
        assert 2 * len(found & wanted) / (len(found) + len(wanted)) >= 0.8


def test_reports_that_arrive_in_several_runs_keep_their_story() -> None:
    early, _ = tell_stories(ARTICLES[::2])
    both, _ = tell_stories([*early, *ARTICLES[1::2]])
    before, after = ({row.article_id: row.story_id for row in rows} for rows in (early, both))
    assert before.items() <= after.items()
    assert tell_stories(both) == (both, {})


@pytest.mark.parametrize("language", ["en", "ru", "zh"])
def test_a_cut_reprint_is_a_copy_of_the_earliest_report_and_joins_its_story(language: str) -> None:
    text = LONG_TEXTS[language]
    original = replace(ARTICLES[0], language=language, text=text)
    cut = replace(
        original, article_id=900, title="?", text=text[: len(text) * 6 // 10], reported_at=START + timedelta(hours=90)
    )
    copies = find_copies([cut, original], [])
    assert {key: original for key, (original, _) in copies.items()} == {900: original.article_id}
    assert copies[900][1] > 0.95
    members, _ = tell_stories([cut, original])
    assert {row.story_id for row in members} == {original.article_id}


def test_reports_of_the_labelled_set_are_no_copies() -> None:
    assert find_copies(ARTICLES, []) == {}


def test_an_original_that_arrives_late_makes_the_earlier_seen_report_a_copy() -> None:
    seen = replace(ARTICLES[0], text=LONG_TEXTS["en"], story_id=1)
    late = replace(seen, article_id=900, reported_at=START - timedelta(hours=1), story_id=None)
    members, copies = tell_stories([seen, late])
    assert copies == {1: (900, 1.0)}
    assert {row.story_id for row in members} == {1}


def test_a_story_counts_reprints_as_reports_but_not_as_texts() -> None:
    first = replace(ARTICLES[0], story_id=1, direction=4.0)
    reprint = replace(first, article_id=2, outlet="Other", copy_of=1, direction=-4.0)
    [story] = summarise_stories([reprint, first])
    assert (story.n_reports, story.n_texts, story.n_outlets, story.direction) == (2, 1, 2, 4.0)
    assert (story.headline, story.representative_article_id) == (first.title, 1)


def save(connection: warehouse.Connection) -> list[tuple[object, ...]]:
    """Tell the stories of a warehouse as a load does, and return its rows."""
    warehouse.drop_story_ids(connection, START + timedelta(days=1))
    members, copies = tell_stories(warehouse.find_story_articles(connection, START + timedelta(days=1)))
    memberships = [Membership(row.article_id, row.story_id) for row in members if row.story_id is not None]
    tables: list[pa.Table] = [
        archive.to_table([Copy(key, *found) for key, found in copies.items()], Copy),
        archive.to_table(memberships, Membership),
        archive.to_table(summarise_stories(members), Story),
    ]
    warehouse.save_stories(connection, *tables)
    return connection.execute(
        "select article_id, story_id, n_reports from articles left join stories using (story_id) order by article_id"
    ).fetchall()


def test_the_warehouse_keeps_stories_and_an_article_that_loses_the_relation_leaves(tmp_path: Path) -> None:
    with warehouse.open_warehouse(tmp_path / "warehouse.duckdb") as connection:
        for row in ARTICLES[:3]:
            connection.execute(
                """
                insert into articles by name
                select $id as article_id, $id::text as url, '' as feed_url, $outlet as outlet, 'RU' as country,
                    'third' as side, $language as "language", $title as title, $text as "text", '' as author,
                    $at as first_seen_at, $at as fetched_at, 'old' as text_sha256
                """,
                {"id": row.article_id, "outlet": row.outlet, "language": row.language, "title": row.title,
                 "text": row.text, "at": row.reported_at},
            )  # fmt: skip
            connection.execute(
                "insert into scores values ($id, $id, 'v', 'old', $at, 0.9, 2, 3.0, 1)",
                {"id": row.article_id, "at": row.reported_at},
            )
            for actor in row.actors:
                connection.execute("insert into article_actors values (?, ?, '', '')", [row.article_id, actor])
            for event in row.events:
                connection.execute(
                    "insert into events select $id, count(*), $type, 'verbal_coop', 1, $source, $target, 0 from events",
                    {"id": row.article_id, "type": event.split(":")[0], "source": event[-5:-3], "target": event[-2:]},
                )
        first = save(connection)
        assert first == [(1, 1, 3), (2, 1, 3), (3, 1, 3)]
        assert save(connection) == first
        connection.execute("update articles set text_sha256 = 'new', revised_at = fetched_at where article_id = 3")
        connection.execute("insert into scores values (4, 3, 'v', 'new', now(), 0.1, 0, null, null)")
        assert save(connection) == [(1, 1, 2), (2, 1, 2), (3, None, None)]
