"""Rows in, HTML out: the operators' page in the Airflow UI. Everything from the web is escaped; nothing is loaded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.newswatch.tone import direction_in_words, tone

Rows = Sequence[Mapping[str, Any]]

N_DAYS = 14  # of the picture beside each feed
BAR_PX = 22.0  # the highest of its bars
LATE_AFTER = timedelta(minutes=90)  # three missed runs: the page says that it is old, whoever may be asleep
# The queries of each view, by the name under which the template knows their rows.
ALWAYS = {"alerts": "find_alerts", "runs": "find_last_runs"}
VIEWS: Mapping[str, Mapping[str, str]] = {
    "today": ALWAYS | {"days": "brief_index", "stories": "brief_stories"},
    "feeds": ALWAYS | {"feeds": "find_feed_health", "feed_days": "find_feed_days"},
    "runs": ALWAYS,
}
WORST_FIRST = ("gone", "failing", "silent", "slow", "ok")
# Columns that feeds can be sorted by: heading, and what comes first on the first click.
SORTS: Mapping[str, tuple[str, bool]] = {
    "outlet": ("outlet and feed", False),
    "standing": ("state", False),
    "last_ok_at": ("last success", False),
    "not_modified_share": ("304", True),
    "n_articles": ("kept", True),
    "age_hours": ("age at arrival", True),
}


@dataclass(frozen=True, slots=True)
class DayBar:
    """One day of a feed's picture. n_articles: kept; height_px: of the bar, against the best day of the feed."""

    day: date
    n_articles: int
    n_polls: int
    n_failed: int
    height_px: float


def sort_feeds(feeds: Rows, by: str, *, down: bool) -> list[Mapping[str, Any]]:
    """Feeds in the order of a column of SORTS; those without a value come last either way."""

    def value(row: Mapping[str, Any]) -> Any:
        return WORST_FIRST.index(row["standing"]) if by == "standing" else row[by]

    known = [row for row in feeds if row[by] is not None]
    return sorted(known, key=value, reverse=down) + [row for row in feeds if row[by] is None]


def draw_days(feed_days: Rows) -> dict[str, list[DayBar]]:
    """The bars of every feed, oldest first; a day without polls has none."""
    by_feed: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in feed_days:
        by_feed[row["feed_url"]].append(row)
    pictures = {}
    for feed_url, rows in by_feed.items():
        most = max(row["n_articles"] for row in rows) or 1
        pictures[feed_url] = [
            DayBar(
                row["day"],
                row["n_articles"],
                row["n_polls"],
                row["n_failed"],
                max(row["n_articles"] / most * BAR_PX, 1.5),
            )
            for row in rows
        ]
    return pictures


def group_by_rule(alerts: Rows) -> dict[str, list[Mapping[str, Any]]]:
    """Open alerts by their rule, whose advice they share, in the order in which they come."""
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in alerts:
        if row["closed_at"] is None:
            groups[row["rule"]].append(row)
    return groups


def ago(moment: datetime | None, now: datetime) -> str:
    """A past moment in words: the largest unit that says enough."""
    if moment is None:
        return "never"
    minutes = (now - moment) // timedelta(minutes=1)
    if minutes < 120:
        return f"{max(minutes, 0)} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"


ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("page")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters |= {
    "in_words": direction_in_words,
    "tone": tone,
    "ago": ago,
    "gigabytes": gigabytes,
    "days_later": lambda day, n: day + timedelta(days=n),
}
ENVIRONMENT.globals |= {"SORTS": SORTS, "N_DAYS": N_DAYS, "WORST_FIRST": WORST_FIRST}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor wants to see. day: of "today"; by: column of SORTS for "feeds", down: the largest first.

    nonce: by what the Content-Security-Policy of the answer allows its style and script. dyads: those of the settings,
    between which the page offers to switch if they are several; dyad: the one shown.
    """

    view: str
    now: datetime
    day: date
    nonce: str
    by: str = "standing"
    down: bool = False
    dyads: tuple[str, ...] = ()
    dyad: str = ""

    def link(self, view: str, **query: object) -> str:
        """The address of a view, of the same dyad unless another is named."""
        if len(self.dyads) > 1:
            query = {"dyad": self.dyad} | query
        return f"{view}?{urlencode(query)}" if query else view


def render_view(asked: Asked, rows: Mapping[str, Rows]) -> str:
    """One view of the page from what each query of VIEWS[asked.view] found."""
    newest = max((row["finished_at"] for row in rows["runs"]), default=None)
    values: dict[str, Any] = dict(rows) | {
        "newest": newest,
        "is_late": newest is None or asked.now - newest > LATE_AFTER,
    }
    if asked.view == "feeds":
        values["feeds"] = sort_feeds(rows["feeds"], asked.by, down=asked.down)
        values["pictures"] = draw_days(rows["feed_days"])
    if asked.view == "runs":
        values["by_rule"] = group_by_rule(rows["alerts"])
    return _render(f"{asked.view}.html.j2", asked, problem="", **values)


def render_problem(asked: Asked, problem: str) -> str:
    """The page when there is nothing to show, and why."""
    return _render("base.html.j2", asked, problem=problem)


def _render(template: str, asked: Asked, **values: Any) -> str:
    values |= {field.name: getattr(asked, field.name) for field in fields(asked)} | {"link": asked.link}
    return ENVIRONMENT.get_template(template).render(values)
