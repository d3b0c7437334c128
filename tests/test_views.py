"""The views: what the index counts, how sure it is, what it calls unusual."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from include.newswatch import warehouse

DAY_0 = datetime(2026, 1, 1, 12, tzinfo=UTC)
OUTLETS = {"china_state": "Eastern Wire", "russia_state": "Northern Wire", "third": "Harbour Post"}


class Report(NamedTuple):
    """An article about the relation. day: from 0. story: any number; the same number is the same story."""

    day: int
    story: int
    direction: float = 1.0
    relevance: float = 1.0
    side: str = "third"
    copy_of: int | None = None
    theme: str = ""


@pytest.fixture
def connection() -> Iterator[warehouse.Connection]:
    with warehouse.connect(":memory:") as empty:
        warehouse.migrate(empty)
        yield empty


def save_reports(
    connection: warehouse.Connection, reports: Collection[Report], collected: Iterable[int] | None = None
) -> None:
    """Save reports, and a run on each collected day: by default from the first report to the last."""
    days = [row.day for row in reports]
    save_runs(connection, range(min(days), max(days) + 1) if collected is None else collected)
    rows: list[dict[str, Any]] = [
        {
            "key": key, "at": DAY_0 + timedelta(days=row.day), "story": 10**6 + row.story, "direction": row.direction,
            "relevance": row.relevance, "side": row.side, "outlet": OUTLETS[row.side], "copy_of": row.copy_of,
            "theme": row.theme,
        }
        for key, row in enumerate(reports)
    ]  # fmt: skip
    connection.register("new_reports", pa.Table.from_pylist(rows))
    connection.execute(
        """
        insert into articles by name
        select article_key('https://a.example/' || "key") as article_id, 'https://a.example/' || "key" as url,
            'f' as feed_url, outlet, 'FR' as country, side::side as side, 'en' as "language",
            'title ' || "key" as title, 'text' as "text", '' as author,
            "at" as published_at, "at" as first_seen_at, "at" as fetched_at, 'x' as text_sha256, copy_of,
            story as story_id
        from new_reports;
        insert into scores by name
        select "key" as score_id, article_key('https://a.example/' || "key") as article_id, 'v' as scorer_version,
            'x' as text_sha256, "at" as scored_at, relevance, 2 as relevance_class,
            direction, 0 as direction_class, true as is_current
        from new_reports;
        insert into article_themes select "key", theme from new_reports where theme <> '';
        """
    )


def save_runs(
    connection: warehouse.Connection, days: Iterable[int], *, n_feeds: int = 9, is_network_down: bool = False
) -> None:
    runs = [{"at": DAY_0 + timedelta(days=day)} for day in days]
    connection.register("new_runs", pa.Table.from_pylist(runs, pa.schema({"at": pa.timestamp("us", "UTC")})))
    connection.execute(
        """
        insert or ignore into runs by name
        select "at"::text || $n_feeds || $is_network_down as run_id, "at" as started_at, "at" as finished_at,
            $n_feeds as n_feeds, 0 as n_entries, 0 as n_pages, 0 as n_articles, 0 as n_relevant, 0 as n_backlog,
            $is_network_down as is_network_down, 0 as free_bytes, 0 as database_bytes, [] as checks
        from new_runs
        """,
        {"n_feeds": n_feeds, "is_network_down": is_network_down},
    )


def one_day(connection: warehouse.Connection, day: int) -> dict[str, Any]:
    found = connection.execute("from relation_daily where report_date = $day", {"day": (DAY_0 + timedelta(day)).date()})
    names = [column[0] for column in found.description]
    return dict(zip(names, found.fetchone() or (), strict=True))


def brief_rows(connection: warehouse.Connection, name: str, first: int, last: int) -> list[dict[str, Any]]:
    """What a query of the brief finds for the days first .. last, from 0."""
    days = {"first_day": (DAY_0 + timedelta(first)).date(), "last_day": (DAY_0 + timedelta(last)).date()}
    return warehouse.find_rows(connection, name, **days)


def quiet_days(n_days: int, rng: np.random.Generator, n_stories: int = 20) -> list[Report]:
    """Days with a Poisson number of stories, half as many at weekends, and directions around 2."""
    weekend = [(DAY_0 + timedelta(day)).isoweekday() > 5 for day in range(n_days)]
    counts = rng.poisson([n_stories / 2 if is_weekend else n_stories for is_weekend in weekend])
    return [
        Report(day, 1000 * day + number, float(np.clip(rng.normal(2, 3), -10, 10)))
        for day, count in enumerate(counts)
        for number in range(count)
    ]


def test_a_story_counts_once_however_often_it_is_reprinted(connection: warehouse.Connection) -> None:
    copies = [Report(0, 1, 8.0, copy_of=0) for _ in range(9)]
    save_reports(connection, [Report(0, 1, 8.0), *copies, Report(0, 2, -4.0)])
    day = one_day(connection, 0)
    assert (day["n_stories"], day["n_reports"], day["direction_index"]) == (2, 11, 2.0)


def test_a_story_weighs_as_much_as_it_is_about_the_relation(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(0, 1, 6.0, relevance=0.9), Report(0, 2, -6.0, relevance=0.3)])
    assert one_day(connection, 0)["direction_index"] == pytest.approx(3.0)


def test_the_standard_error_agrees_with_a_bootstrap(connection: warehouse.Connection) -> None:
    rng = np.random.default_rng(1)
    direction, relevance = rng.uniform(-8, 8, 60), rng.uniform(0.5, 1, 60)
    save_reports(
        connection,
        [Report(0, n, float(d), float(w)) for n, (d, w) in enumerate(zip(direction, relevance, strict=True))],
    )
    drawn = rng.integers(0, 60, (4000, 60))
    means = (direction[drawn] * relevance[drawn]).sum(axis=1) / relevance[drawn].sum(axis=1)
    assert one_day(connection, 0)["direction_se"] == pytest.approx(means.std(), rel=0.05)


def test_the_interval_holds_the_truth_nineteen_times_in_twenty_even_with_few_stories(
    connection: warehouse.Connection,
) -> None:
    rng = np.random.default_rng(2)
    save_reports(
        connection,
        [
            Report(day, 10 * day + n, float(rng.normal(1, 2)), float(rng.uniform(0.5, 1)))
            for day in range(800)
            for n in range(5)
        ],
    )
    held = connection.sql(
        "select avg((1 between direction_low and direction_high)::int) from relation_daily"
    ).fetchone()
    assert held is not None and held[0] == pytest.approx(0.95, abs=0.025)


def test_fewer_than_five_stories_are_shown_but_claim_nothing(connection: warehouse.Connection) -> None:
    rng = np.random.default_rng(3)
    save_reports(connection, [*quiet_days(60, rng), *(Report(60, 10**5 + n, -9.0) for n in range(4))])
    day = one_day(connection, 60)
    assert day["direction_index"] == -9.0
    assert not day["is_claimed"] and not day["is_shift"] and not day["is_burst"]


def test_a_burst_and_a_turn_stand_out_and_quiet_days_do_not(connection: warehouse.Connection) -> None:
    rng = np.random.default_rng(4)
    loud = [Report(200, 10**6 + n, float(rng.normal(-5, 2))) for n in range(60)]
    save_reports(connection, [*(row for row in quiet_days(365, rng) if row.day != 200), *loud])
    day = one_day(connection, 200)
    assert day["is_burst"] and day["is_shift"] and day["direction_z"] < -3
    alarms = connection.sql("select count(*) from relation_daily where is_burst or is_shift").fetchone()
    assert alarms is not None and alarms[0] <= 4, "one is real; of 337 quiet days at most three are false alarms"


def test_a_quiet_weekend_is_expected_once_weekends_are_known(connection: warehouse.Connection) -> None:
    save_reports(connection, quiet_days(180, np.random.default_rng(5)))
    expected = connection.sql(
        """
        select avg(stories_expected) filter (where isodow(report_date) > 5),
            avg(stories_expected) filter (where isodow(report_date) <= 5)
        from relation_daily where report_date >= '2026-04-15'
        """
    ).fetchone()
    assert expected is not None
    assert expected[0] == pytest.approx(10, abs=1.5) and expected[1] == pytest.approx(20, abs=1.5)


def test_the_first_four_weeks_claim_nothing_unusual(connection: warehouse.Connection) -> None:
    save_reports(connection, quiet_days(28, np.random.default_rng(6)))
    assert connection.sql("select count(direction_z), count(stories_z) from relation_daily").fetchone() == (0, 0)


def test_a_day_is_judged_by_the_days_before_it_alone(connection: warehouse.Connection) -> None:
    reports = quiet_days(120, np.random.default_rng(7))
    save_reports(connection, [row for row in reports if row.day <= 90])
    before = one_day(connection, 90)
    connection.execute("delete from scores; delete from articles")
    save_reports(connection, reports)
    assert one_day(connection, 90) == pytest.approx(before)  # sums of another order differ in the last digit


def test_a_collected_day_without_reports_is_a_row_of_zeros(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(0, 1), Report(2, 2)])
    assert (one_day(connection, 1)["n_stories"], one_day(connection, 1)["direction_index"]) == (0, None)


def test_one_old_page_makes_no_year_of_days_without_news(connection: warehouse.Connection) -> None:
    reports = quiet_days(60, np.random.default_rng(8))
    save_reports(connection, [Report(-365, 10**6), *reports], collected=range(60))
    rows = connection.sql("select count(*), count(*) filter (where is_burst) from relation_daily").fetchone()
    assert rows == (61, 0)
    assert one_day(connection, -365)["n_stories"] == 1


def test_an_outage_is_no_time_without_news(connection: warehouse.Connection) -> None:
    reports = [row for row in quiet_days(110, np.random.default_rng(9)) if not 50 <= row.day < 90]
    save_reports(connection, reports, collected=[*range(50), *range(90, 110)])
    save_runs(connection, range(50, 90), is_network_down=True)
    save_runs(connection, range(50, 90), n_feeds=0)  # a rescore asks no feed
    assert (DAY_0 + timedelta(109)).isoweekday() < 6
    assert one_day(connection, 109)["stories_expected"] == pytest.approx(20, abs=3)
    assert connection.sql("select count(*) from relation_daily").fetchone() == (70,)


def test_imported_days_are_shown_but_make_no_baseline(connection: warehouse.Connection) -> None:
    imported = [Report(day, 10**5 + 10 * day + n, 9.0) for day in range(40) for n in range(6)]
    collected = [row for row in quiet_days(120, np.random.default_rng(10)) if row.day >= 40]
    save_reports(connection, [*imported, *collected], collected=range(40, 120))
    assert one_day(connection, 39)["n_stories"] == 6
    assert one_day(connection, 119)["n_baseline_days"] <= 79
    assert one_day(connection, 80)["direction_median"] == pytest.approx(2, abs=0.5)


def test_a_database_made_by_imports_alone_has_rows_and_claims_nothing_unusual(
    connection: warehouse.Connection,
) -> None:
    save_reports(connection, quiet_days(60, np.random.default_rng(11)), collected=())
    rows = connection.sql("select count(direction_index), count(direction_z), count(stories_z) from relation_daily")
    assert rows.fetchone() == (60, 0, 0)


def test_a_day_is_a_day_in_utc_whatever_the_time_zone_of_the_reader(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(0, 1), Report(1, 2)])
    connection.execute("update articles set published_at = published_at + interval 8 hours")  # 20:00 in UTC
    connection.execute("update runs set started_at = started_at + interval 8 hours")
    days = connection.sql("from relation_daily order by report_date").fetchall()
    connection.execute("set TimeZone = 'Asia/Shanghai'")
    assert connection.sql("from relation_daily order by report_date").fetchall() == days
    assert days[0][0] == DAY_0.date()


def test_the_series_of_the_sides_add_up_to_the_reports(connection: warehouse.Connection) -> None:
    save_reports(
        connection, [Report(0, 1, 4.0, side="china_state"), Report(0, 1, -2.0, side="russia_state"), Report(0, 2)]
    )
    found = connection.sql(
        "select value, n_stories, direction_index from relation_series where series = 'side' order by value"
    ).fetchall()
    assert found == [("china_state", 1, 4.0), ("russia_state", 1, -2.0), ("third", 1, 1.0)]


def test_the_framing_of_a_side_is_set_against_the_others(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(0, 1, 4.0, side="china_state"), Report(0, 1, -2.0, side="russia_state")])
    found = connection.sql("select side::text, direction_difference from framing order by 1").fetchall()
    assert found == [("china_state", 6.0), ("russia_state", -6.0)]


def test_reprints_do_not_weigh_on_the_direction_of_a_side_in_the_brief(connection: warehouse.Connection) -> None:
    reprints = [Report(0, 1, 8.0, side="china_state", copy_of=0) for _ in range(9)]
    save_reports(
        connection,
        [
            Report(0, 1, 8.0, side="third"), Report(0, 1, -4.0, side="china_state"), *reprints,
            Report(0, 2, 2.0, side="china_state", copy_of=0),
        ],
    )  # fmt: skip
    china, third = brief_rows(connection, "brief_sides", 0, 0)
    assert (china["n_reports"], china["n_stories"], china["direction"]) == (11, 2, -1.0)
    assert (china["direction_difference"], china["n_shared_stories"], third["direction_difference"]) == (-12.0, 1, 12.0)
    (story, _) = brief_rows(connection, "brief_stories", 0, 0)
    assert story["sides"][0] == {"side": "china_state", "n_reports": 10, "direction": -4.0}


def test_the_brief_says_who_was_first_of_all_and_not_of_its_day(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(0, 1, side="china_state"), Report(1, 1, side="third")])
    (story,) = brief_rows(connection, "brief_stories", 1, 1)
    assert (story["first_outlet"], story["first_report_at"]) == ("Eastern Wire", DAY_0)


def test_the_usual_stories_of_a_theme_are_those_of_a_collected_day(connection: warehouse.Connection) -> None:
    long_story = [Report(day, 1, theme="energy") for day in range(10)]
    imported = [Report(-5, 10 + n, theme="energy") for n in range(50)]
    save_reports(connection, [*imported, *long_story, Report(9, 2, theme="trade")], collected=range(10))
    usual = {row["theme"]: row["n_usual"] for row in brief_rows(connection, "brief_themes", 9, 9)}
    assert usual == {"energy": 1.0, "trade": 0.0}
    assert brief_rows(connection, "brief_themes", 0, 0)[0]["n_usual"] is None


def test_the_usual_stories_of_a_theme_in_a_week_are_those_of_whole_collected_weeks(
    connection: warehouse.Connection,
) -> None:
    weeks = [Report(7 * week + day, week, theme="energy") for week in range(4) for day in range(7)]
    loud = [Report(0, 100 + n, theme="energy") for n in range(9)]  # in a week that was not collected whole
    save_reports(connection, [*weeks, *loud], collected=range(3, 28))
    (row,) = brief_rows(connection, "brief_themes", 21, 27)
    assert (row["n_stories"], row["n_usual"]) == (1, 1.0)


def test_a_report_with_a_day_alone_is_not_the_first_of_its_story(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(0, 1, side="china_state"), Report(0, 1), Report(0, 1, side="russia_state")])
    connection.execute(
        """
        update articles set has_time = false, published_at = published_at - interval 8 hours where side = 'china_state';
        update articles set published_at = published_at + interval 1 hour where side = 'russia_state'
        """
    )
    timeline = connection.sql(
        "select report_no, outlet, hours_after_first from story_timeline order by report_no nulls last"
    ).fetchall()
    assert timeline == [(1, "Harbour Post", 0), (2, "Northern Wire", 1), (None, "Eastern Wire", None)]
    firsts = connection.sql("select outlet, n_first, n_shared_stories from outlet_profile order by outlet").fetchall()
    assert firsts == [("Eastern Wire", 0, 1), ("Harbour Post", 1, 1), ("Northern Wire", 0, 1)]
    (story,) = brief_rows(connection, "brief_stories", 0, 0)
    assert (story["first_outlet"], story["first_report_at"]) == ("Harbour Post", DAY_0)
    connection.execute("update articles set has_time = false")
    assert [story["n_reports"] for story in brief_rows(connection, "brief_stories", 0, 0)] == [3]


def test_the_timeline_of_a_story_says_who_was_first(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(2, 1, side="third"), Report(0, 1, side="china_state")])
    found = connection.sql("select report_no, outlet, hours_after_first from story_timeline order by 1").fetchall()
    assert found == [(1, "Eastern Wire", 0.0), (2, "Harbour Post", 48.0)]


def test_the_slant_of_an_outlet_is_measured_on_shared_stories_alone(connection: warehouse.Connection) -> None:
    shared = [
        Report(0, n, direction, side=side)
        for n in range(5)
        for side, direction in (("china_state", 3.0), ("third", 1.0))
    ]
    save_reports(connection, [*shared, Report(0, 99, -9.0, side="china_state")])
    found = connection.sql(
        "select direction, direction_difference, n_shared_stories from outlet_profile where outlet = 'Eastern Wire'"
    ).fetchone()
    assert found == (1.0, 2.0, 5)


def test_an_outlet_whose_side_was_corrected_is_one_row_of_the_newer_side(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(0, 1), Report(1, 2), Report(2, 3)])
    connection.execute("update articles set side = 'russia_state' where url = 'https://a.example/2'")
    assert connection.sql("select side::text, n_articles, n_reports from outlet_profile").fetchall() == [
        ("russia_state", 3, 3)
    ]


def test_what_occurs_nowhere_or_everywhere_has_no_odds(connection: warehouse.Connection) -> None:
    odds = "select log_odds_z(k, 5, k, 10, usual, 50) from (values (0, 0.0), (5, 1.0), (0, null)) as t (k, usual)"
    assert connection.sql(odds).fetchall() == [(None,), (None,), (None,)]


def test_the_newest_score_of_the_newest_text_is_current(connection: warehouse.Connection) -> None:
    save_reports(connection, [Report(0, 1)])
    day = date(2026, 1, 2)
    connection.execute("create temp table new_scores as select url from articles")
    connection.execute("create temp table new_extractions as select null::struct(url text) as article where false")
    for key, digest, later in ((7, "x", 1), (8, "old text", 2)):
        connection.execute(
            """
            insert into scores values
            ($key, article_key('https://a.example/0'), $version, $digest, $at, 0.5, 1, 3.0, 1, false)
            """,
            {"key": key, "version": f"v{key}", "digest": digest, "at": day + timedelta(later)},
        )
    connection.execute(warehouse.read_sql("mark_current_scores"))
    assert connection.sql("select score_id from current_scores").fetchall() == [(7,)]
