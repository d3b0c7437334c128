"""Rows in, pages out: the brief of a day or week, and the feed of its stories.

Everything from the web is escaped; links are http(s) only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from feedgen.feed import FeedGenerator
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from include.newswatch.tone import direction_in_words, tone

Row = Mapping[str, Any]
# The queries of the brief, by the name under which the template knows their rows.
QUERIES = {
    "days": "brief_index",
    "totals": "brief_period",
    "stories": "brief_stories",
    "sides": "brief_sides",
    "themes": "brief_themes",
    "actors": "brief_actors",
    "deeds": "brief_deeds",
    "silent": "brief_silent",
    "outcomes": "brief_outcomes",
    "unwell": "brief_feeds",
}
N_LISTED_DAYS = 30
# Of a day that is not over: half its stories would pass for few, and an outlet that reports at night for silent.
NOT_COMPARED = {"baseline_low": None, "baseline_high": None, "is_shift": False, "is_burst": False}


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a brief is about, first and last included, UTC."""

    first_day: date
    last_day: date

    @classmethod
    def of_day(cls, day: date) -> Period:
        return cls(day, day)

    @classmethod
    def of_week(cls, day: date) -> Period:
        """The ISO week, Monday to Sunday, that holds the day."""
        monday = day - timedelta(days=day.weekday())
        return cls(monday, monday + timedelta(days=6))

    @property
    def is_day(self) -> bool:
        return self.first_day == self.last_day

    @property
    def name(self) -> str:
        """2026-02-16, or 2026-W08; the name of its file."""
        return f"{self.first_day}" if self.is_day else f"{self.first_day:%G-W%V}"

    @property
    def in_words(self) -> str:
        if self.is_day:
            return f"{self.first_day:%A, %-d %B %Y}"
        return f"{self.first_day:%-d %B %Y} to {self.last_day:%-d %B %Y}"

    def shifted(self, n: int) -> Period:
        """The n-th period after it, or before it when n is negative."""
        move = n * (self.last_day - self.first_day + timedelta(days=1))
        return Period(self.first_day + move, self.last_day + move)


def day_in_words(row: Row) -> str:
    """How a day stands to the days before it, for those who do not read the chart. `row`: of brief_index."""
    if not row["is_claimed"]:
        return f"With {row['n_stories']} stories there is too little for a claim; it takes five."
    if row["baseline_low"] is None:
        return "There is no baseline to hold it against: that takes 28 earlier days of at least five stories."
    band = f"the usual band of {row['baseline_low']:+.1f} to {row['baseline_high']:+.1f}"
    if row["is_shift"]:
        place = f"far outside {band} (z = {row['direction_z']:+.1f})"
    elif row["baseline_low"] <= row["direction_index"] <= row["baseline_high"]:
        place = f"within {band}"
    else:
        place = f"outside {band}, but not far enough to stand out"
    expected = f"{row['n_stories']} stories against {row['stories_expected']:.0f} expected"
    return f"The index of {row['direction_index']:+.1f} is {place}. {'A burst: ' if row['is_burst'] else ''}{expected}."


def days_in_words(days: Sequence[Row], period: Period) -> str:
    """What stands out in the period, in a sentence or two."""
    is_told = [row for row in days if row["n_stories"]]
    rows = [row for row in is_told if period.first_day <= row["report_date"] <= period.last_day]
    if period.is_day:
        return day_in_words(rows[0]) if rows else "No story on this day."
    marks = [f"{row['report_date']:%A}: {day_in_words(row)}" for row in rows if row["is_shift"] or row["is_burst"]]
    return " ".join(marks) or f"No day of the {len(rows)} with reports stands out."


def is_link(url: str) -> bool:
    return url.startswith(("http://", "https://"))


FILTERS: dict[str, Callable[..., Any]] = {"in_words": direction_in_words, "tone": tone, "is_link": is_link}
ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
ENVIRONMENT.filters |= FILTERS
BRIEF = ENVIRONMENT.from_string(Path(__file__).with_name("brief.html.j2").read_text(encoding="utf-8"))
STORY = ENVIRONMENT.from_string(
    "{% for row in story.evidence %}<blockquote>{{ row.sentence }}<br>"
    '{% if row.url | is_link %}<a href="{{ row.url }}">{{ row.outlet }}</a>{% else %}{{ row.outlet }}{% endif %}'
    "</blockquote>{% endfor %}<p>{{ story.n_reports }} reports by {{ story.outlets | join(', ') }}.</p>"
)


def render_brief(
    relation: str,
    period: Period,
    rows: Mapping[str, Sequence[Row]],
    sql: Mapping[str, str],
    today: date,
    written: Collection[str] = (),
) -> str:
    """The brief of a period as one self-contained page.

    Args:
        relation: the two countries, for the title.
        rows: what each of QUERIES found, by its name in the template.
        sql: the text of each query by its own name, shown beside its figures.
        today: UTC; it is not over, nor a period that holds it: they are not held against what is usual.
        written: names of the periods whose briefs lie beside it, and may be linked.
    """
    from include.newswatch.charts import index_chart, sides_chart  # a second of imports that no other task needs

    past_days = [row for row in rows["days"] if row["report_date"] < today]
    days = past_days + [{**row, **NOT_COMPARED} for row in rows["days"] if row["report_date"] >= today]
    charts = {  # of our own numbers and words alone
        "index": Markup(index_chart(days)) if days else "",  # noqa: S704
        "sides": Markup(sides_chart(rows["sides"])) if rows["sides"] else "",  # noqa: S704
    }
    return BRIEF.render(
        relation=relation,
        period=period,
        neighbours=[near for near in (period.shifted(-1), period.shifted(1)) if near.name in written],
        week=Period.of_week(period.last_day) if period.is_day else None,
        day=next((row for row in days if row["report_date"] == period.last_day), None) if period.is_day else None,
        is_over=period.last_day < today,
        standing=days_in_words(past_days, period) if period.first_day < today else "",
        listed_days=list(reversed(days))[:N_LISTED_DAYS],
        total=rows["totals"][0],
        charts=charts,
        sql=sql,
        written=written,
        **{name: found for name, found in rows.items() if name not in ("totals", "days")},
    )


def render_feed(relation: str, stories: Sequence[Row], page_url: str, now: datetime) -> bytes:
    """An Atom feed of stories, the newest first.

    Args:
        stories: rows of the query brief_stories.
        page_url: where the newest brief is published; relative where no address is set.
    """
    feed = FeedGenerator()
    feed.id(f"urn:newswatch:stories:{relation.replace(' ', '-').lower()}")
    feed.title(f"{relation} in the news: stories")
    feed.author({"name": "newswatch"})
    feed.link(href=page_url, rel="alternate")
    feed.updated(now)
    for story in sorted(stories, key=lambda story: story["first_report_at"]):  # each goes before the last
        entry = feed.add_entry()
        entry.id(f"urn:newswatch:story:{story['story_id']}")
        entry.title(_printable(story["headline"]))
        entry.link(href=f"{page_url}#story-{story['story_id']}")
        entry.updated(story["first_report_at"].astimezone(UTC))
        entry.content(_printable(STORY.render(story=story)), type="html")
    return bytes(feed.atom_str(pretty=True))


def _printable(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(char for char in text if char.isprintable() or char in "\t\n")
