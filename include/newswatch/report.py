"""Rows in, HTML out: the brief of one day. Everything from the web is escaped; links are http(s) only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

# The queries of the brief, by the name under which the template knows their rows.
QUERIES = {
    "days": "find_day_index",
    "stories": "find_day_stories",
    "sides": "find_day_sides",
    "actors": "find_day_actors",
    "outcomes": "find_day_outcomes",
    "quiet": "find_unwell_feeds",
}
FLAT = 0.5  # below this a direction reads as balanced
STRONG = 5.0  # Goldstein value of a formal agreement or a broken relation
MIN_DAYS = 5  # fewer make no trend


def direction_in_words(value: float) -> str:
    if abs(value) < FLAT:
        return "balanced"
    degree = "strongly " if abs(value) >= STRONG else ""
    return f"{degree}{'cooperative' if value > 0 else 'conflictual'}"


def tone(value: float) -> str:
    """The class of a direction in the style sheet."""
    return "zero" if abs(value) < FLAT else "plus" if value > 0 else "minus"


def trend(days: Sequence[Mapping[str, Any]]) -> str:
    """The thirty days in a sentence, for those who do not read the table."""
    values = [row["direction_index"] for row in days if row["direction_index"] is not None]
    if len(values) < MIN_DAYS:
        return f"{len(values)} day{'s' if len(values) != 1 else ''} with reports: too few to speak of a trend."
    mean, last = sum(values[:-1]) / len(values[:-1]), values[-1]
    more = "more cooperative than" if last > mean else "less cooperative than"
    move = "about as" if abs(last - mean) < FLAT else more
    return f"The newest day ({last:+.1f}) is {move} the mean of the days before ({mean:+.1f})."


def is_link(url: str) -> bool:
    return url.startswith(("http://", "https://"))


ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
ENVIRONMENT.filters |= {"in_words": direction_in_words, "tone": tone, "trend": trend, "is_link": is_link}
BRIEF = ENVIRONMENT.from_string(Path(__file__).with_name("brief.html.j2").read_text(encoding="utf-8"))


def render_brief(day: date, rows: Mapping[str, Sequence[Mapping[str, Any]]], sql: Mapping[str, str]) -> str:
    """The brief of a day as one self-contained page.

    Args:
        rows: what each of QUERIES found, by its name in the template.
        sql: the text of each query by its own name, shown beside its figures.
    """
    return BRIEF.render(day=day, sql=sql, **rows)
