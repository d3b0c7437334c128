"""The brief: nothing from the web runs in it, and an empty day says so."""

from __future__ import annotations

from datetime import date
from typing import Any

from include.newswatch.report import QUERIES, direction_in_words, render_brief, trend

DAY = date(2026, 2, 16)
SQL = dict.fromkeys(QUERIES.values(), "select 1")
SCRIPT = "<script>alert(1)</script>"


def story(**more: Any) -> dict[str, Any]:
    return {
        "headline": "Leaders telephone", "n_reports": 2, "direction": 4.0, "outlets": ["A"], "languages": ["en"],
        "themes": [], "evidence": [{"sentence": "They agreed.", "outlet": "A", "url": "https://a.example/1"}],
    } | more  # fmt: skip


def brief(stories: list[dict[str, Any]]) -> str:
    return render_brief(DAY, {name: [] for name in QUERIES} | {"stories": stories}, SQL)


def test_a_script_in_a_headline_sentence_or_outlet_stays_text() -> None:
    evidence = [{"sentence": SCRIPT, "outlet": SCRIPT, "url": "https://a.example/1"}]
    html = brief([story(headline=SCRIPT, outlets=[SCRIPT], evidence=evidence)])
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 4


def test_only_web_addresses_become_links() -> None:
    evidence = [{"sentence": "x", "outlet": "A", "url": "javascript:alert(1)"}]
    assert "javascript:" not in brief([story(evidence=evidence)])
    assert 'href="https://a.example/1"' in brief([story()])


def test_a_day_without_reports_says_so() -> None:
    assert "No report about the two on this day." in brief([])


def test_a_story_shows_its_direction_in_number_and_words() -> None:
    assert "+4.0, cooperative" in brief([story()])
    assert "not judged" in brief([story(direction=None)])
    assert direction_in_words(-6) == "strongly conflictual"


def test_too_few_days_make_no_trend() -> None:
    assert "too few" in trend([{"direction_index": 1.0}])
    assert "less cooperative" in trend([{"direction_index": value} for value in (4, 4, 4, 4, 1)])
