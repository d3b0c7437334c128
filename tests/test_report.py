"""The brief: nothing from the web runs in it, its figures say what they rest on, an empty day says so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import feedparser
import html5lib

from include.newswatch.report import (
    QUERIES,
    Period,
    day_in_words,
    days_in_words,
    direction_in_words,
    render_brief,
    render_feed,
)

DAY = date(2026, 2, 16)
NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
SQL = dict.fromkeys(QUERIES.values(), "select $first_day")
SCRIPT = "<script>alert(1)</script>"


def story(**more: Any) -> dict[str, Any]:
    return {
        "story_id": 7, "headline": "Leaders telephone", "n_reports": 2, "n_texts": 1, "direction": 4.0,
        "outlets": ["A"], "languages": ["en"], "themes": [], "first_report_at": NOW, "first_outlet": "A", "sides": [],
        "evidence": [{"sentence": "They agreed.", "outlet": "A", "language": "en", "url": "https://a.example/1"}],
    } | more  # fmt: skip


def day(report_date: date, **more: Any) -> dict[str, Any]:
    return {
        "report_date": report_date, "n_stories": 6, "n_reports": 9, "direction_index": 3.0, "direction_low": 1.0,
        "direction_high": 5.0, "is_claimed": True, "baseline_low": 1.0, "baseline_high": 4.0, "direction_z": 0.5,
        "is_shift": False, "stories_expected": 5.0, "stories_z": 0.2, "is_burst": False,
    } | more  # fmt: skip


def brief(*, today: date = DAY + timedelta(days=1), **rows: list[dict[str, Any]]) -> str:
    total = {"n_stories": 1, "n_reports": 2, "n_outlets": 1, "direction_index": 4.0}
    found: dict[str, list[dict[str, Any]]] = {key: [] for key in QUERIES}
    found |= {"totals": [total]} | rows
    return render_brief("China and Russia", Period.of_day(DAY), found, SQL, today, {f"{DAY}"})


def test_a_script_in_a_headline_sentence_or_outlet_stays_text() -> None:
    evidence = [{"sentence": SCRIPT, "outlet": SCRIPT, "language": "en", "url": "https://a.example/1"}]
    html = brief(stories=[story(headline=SCRIPT, outlets=[SCRIPT], first_outlet=SCRIPT, evidence=evidence)])
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 5


def test_only_web_addresses_become_links() -> None:
    evidence = [{"sentence": "x", "outlet": "A", "language": "en", "url": "javascript:alert(1)"}]
    assert "javascript:" not in brief(stories=[story(evidence=evidence)])
    assert 'href="https://a.example/1"' in brief(stories=[story()])


def test_the_page_is_valid_html_and_needs_nothing_else() -> None:
    days = [day(DAY - timedelta(days=n)) for n in (2, 1, 0)]
    sides = [
        {"side": "third", "n_reports": 1, "n_stories": 1, "direction": -2.0, "direction_difference": None,
         "n_shared_stories": 0, "themes": ["trade"]}
    ]  # fmt: skip
    html = brief(stories=[story()], days=days, sides=sides)
    html5lib.HTMLParser(strict=True).parse(html)
    assert html.count("<svg") == 2
    assert 'src="' not in html
    assert "@import" not in html


def test_every_query_is_shown_with_the_days_that_it_was_asked_for() -> None:
    html = brief(days=[day(DAY)])
    assert html.count("select date &#39;2026-02-16&#39;") == len(QUERIES)


def test_a_day_without_reports_says_so() -> None:
    assert "No report about the two." in brief()
    assert days_in_words([], Period.of_day(DAY)) == "No story on this day."


def test_a_story_shows_its_direction_in_number_and_words() -> None:
    assert "+4.0, cooperative" in brief(stories=[story()])
    assert "not judged" in brief(stories=[story(direction=None)])
    assert direction_in_words(-6) == "strongly conflictual"


def test_a_day_is_held_against_what_is_usual_and_nothing_is_claimed_of_too_little() -> None:
    assert "too little for a claim" in day_in_words(day(DAY, n_stories=2, is_claimed=False))
    assert "no baseline" in day_in_words(day(DAY, baseline_low=None))
    assert "is within the usual band" in day_in_words(day(DAY))
    outside = day_in_words(day(DAY, direction_index=4.5, direction_z=2.5))
    assert "is outside the usual band of +1.0 to +4.0, but not far enough to stand out" in outside
    assert "far outside" in day_in_words(day(DAY, is_shift=True, direction_z=-4.0))
    assert "A burst: 30 stories against 5" in day_in_words(day(DAY, n_stories=30, is_burst=True))


def test_a_week_names_the_days_that_stand_out() -> None:
    week = Period.of_week(DAY)
    assert (week.name, week.first_day, week.last_day) == ("2026-W08", DAY, DAY + timedelta(days=6))
    assert week.shifted(-1).name == "2026-W07"
    assert "Monday: " in days_in_words([day(DAY, is_burst=True), day(DAY + timedelta(days=1))], week)
    silent = day(DAY + timedelta(days=1), n_stories=0, direction_index=None, is_claimed=False)
    assert "No day of the 1 with reports" in days_in_words([day(DAY), silent], week)


def test_a_day_that_is_not_over_says_so_and_is_not_held_against_the_usual() -> None:
    theme = {"theme": "energy", "n_stories": 3, "direction": 1.0, "n_usual": 7.5}
    found: dict[str, Any] = {
        "days": [day(DAY - timedelta(days=1)), day(DAY, is_shift=True, is_burst=True, n_stories=30)],
        "themes": [theme],
    }
    whole, half = brief(**found), brief(today=DAY, **found)
    for said in ("Who was silent", "far outside", "A burst", "7.5", "stands out, burst"):
        assert said in whole
        assert said not in half
    assert "This day is not over: counts so far." in half
    assert "not over" not in whole
    assert half.count("+1.0 to +4.0") == 1, "the day before has its band"


def test_of_a_week_that_is_not_over_the_days_that_are_over_are_compared() -> None:
    rows = {name: [] for name in QUERIES} | {
        "totals": [{"n_stories": 1, "n_reports": 2, "n_outlets": 1, "direction_index": 4.0}],
        "days": [day(DAY, is_burst=True), day(DAY + timedelta(days=1), is_burst=True)],
    }
    html = render_brief("China and Russia", Period.of_week(DAY), rows, SQL, DAY + timedelta(days=1))
    assert "This week is not over: counts so far." in html
    assert "Monday: " in html
    assert "Tuesday: " not in html


def test_a_theme_without_collected_days_before_has_no_usual_number() -> None:
    theme = {"theme": "energy", "n_stories": 3, "direction": 1.0, "n_usual": None}
    assert '<td class="n">unknown</td>' in brief(themes=[theme])


def test_only_briefs_that_exist_are_linked() -> None:
    html = brief(days=[day(DAY), day(DAY - timedelta(days=1))])
    assert 'href="2026-02-16.html"' in html
    assert 'href="2026-02-15.html"' not in html


def test_the_feed_of_stories_is_read_by_a_feed_reader() -> None:
    stories = [story(), story(story_id=8, headline=f"\x00Border {SCRIPT}", first_report_at=NOW + timedelta(hours=1))]
    read = feedparser.parse(render_feed("China and Russia", stories, "https://n.example/latest.html", NOW))
    assert not read.bozo
    assert [entry.id for entry in read.entries] == ["urn:newswatch:story:8", "urn:newswatch:story:7"]
    assert read.entries[0].link == "https://n.example/latest.html#story-8"
    assert "<script" not in read.entries[0].content[0].value
