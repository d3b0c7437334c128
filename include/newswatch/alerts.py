"""What a run saw in, what an operator must know out: rules with thresholds, judged once a run. No clock."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from include.newswatch.model import SettingsError

SEVERITIES = ("critical", "warning", "notice")
MAX_TITLE, MAX_TEXT = 150, 4000  # characters; a hundred failing feeds are one message that every service takes
GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of alerts.csv. threshold: in the unit of the line. advice: what the operator should do."""

    name: str
    threshold: float
    severity: str
    advice: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that holds for a subject: an alert opens unless one is open already."""

    rule: str
    subject: str
    severity: str
    message: str
    detail: str
    advice: str


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """How one monitored feed does. Moments are aware, UTC; reason: how its last poll failed."""

    feed_url: str
    outlet: str
    standing: str
    failing_since: datetime | None
    last_new_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run; checks: name, is_ok and detail of each named check."""

    started_at: datetime
    finished_at: datetime
    n_backlog: int
    checks: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class DayIndex:
    """A day of the view relation_daily; z is None while the baseline is too short."""

    report_date: date
    n_stories: int
    direction_index: float | None
    baseline_low: float | None
    baseline_high: float | None
    direction_z: float | None
    stories_expected: float | None
    stories_z: float | None
    is_claimed: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules look at. runs: newest first, this one included; days: oldest first; sizes in bytes.

    rejection: why the newest attempt to publish was refused; empty when it was not.
    """

    now: datetime
    feeds: Sequence[FeedHealth]
    runs: Sequence[RunResult]
    days: Sequence[DayIndex]
    n_polled: int
    n_failed: int
    is_network_down: bool
    free_bytes: int
    database_bytes: int
    rejection: str = ""


Told = Iterable[tuple[str, str, str]]  # subject, message, detail


def outlet_silent(threshold: float, seen: Situation) -> Told:
    """Days without anything new from an outlet that answers; one that does not answer is told by feed_failing."""
    by_outlet: dict[str, list[FeedHealth]] = defaultdict(list)
    for feed in seen.feeds:
        by_outlet[feed.outlet].append(feed)
    for outlet, feeds in sorted(by_outlet.items()):
        news = [feed.last_new_at for feed in feeds if feed.last_new_at is not None]
        answers = any(feed.standing not in ("failing", "gone") for feed in feeds)
        if answers and news and seen.now - max(news) >= timedelta(days=threshold):
            yield (
                outlet,
                f"{outlet} is silent: nothing new since {_day(max(news))}",
                "\n".join(f.feed_url for f in feeds),
            )


def feed_failing(threshold: float, seen: Situation) -> Told:
    """Hours of unbroken failure, or an address that is gone."""
    for feed in seen.feeds:
        since = feed.failing_since
        if since is not None and (feed.standing == "gone" or seen.now - since >= timedelta(hours=threshold)):
            word = "is gone" if feed.standing == "gone" else "fails"
            yield feed.feed_url, f"A feed of {feed.outlet} {word} since {_minute(since)}", feed.reason


def most_feeds_failing(threshold: float, seen: Situation) -> Told:
    """Share of the polls of this run that failed, while something answered."""
    if seen.n_polled and not seen.is_network_down and seen.n_failed / seen.n_polled > threshold:
        yield "polls", f"{seen.n_failed} of {seen.n_polled} feeds failed in one run", ""


def network_down(threshold: float, seen: Situation) -> Told:
    if seen.is_network_down:
        yield "network", "Nothing answers anywhere: our own network is down", f"{seen.n_polled} feeds asked"


def run_late(threshold: float, seen: Situation) -> Told:
    """Minutes that a run took, or that passed between the starts of two runs."""
    limit, newest = timedelta(minutes=threshold), seen.runs[0]
    took = newest.finished_at - newest.started_at
    if took > limit:
        yield "monitor", f"The run of {_minute(newest.started_at)} took {_minutes(took)} minutes", "too long"
    elif len(seen.runs) > 1 and newest.started_at - seen.runs[1].started_at > limit:
        gap = newest.started_at - seen.runs[1].started_at
        yield "monitor", f"No run began for {_minutes(gap)} minutes before {_minute(newest.started_at)}", "too seldom"


def check_failed(threshold: float, seen: Situation) -> Told:
    """Named checks that have no rule of their own."""
    for check in seen.runs[0].checks:
        if not check["is_ok"] and check["name"] not in ("network is up", "most feeds answer"):
            yield check["name"], f"The check '{check['name']}' of a run did not hold", check["detail"]


def gate_failed(threshold: float, seen: Situation) -> Told:
    """The newest attempt to publish was refused; readers keep what was published before."""
    if seen.rejection:
        yield "publication", "The database was not published: the checks before it did not hold", seen.rejection


def backlog_growing(threshold: float, seen: Situation) -> Told:
    """Runs in a row that each left more pages waiting than the one before."""
    waiting = [run.n_backlog for run in seen.runs[: int(threshold) + 1]]
    if len(waiting) > threshold and all(newer > older for newer, older in pairwise(waiting)):
        yield "backlog", f"{waiting[0]} pages wait, more after each of the last {int(threshold)} runs", ""


def disk_low(threshold: float, seen: Situation) -> Told:
    """GB free, or less than two copies of the database need: one to publish, one to compact."""
    if seen.free_bytes < max(threshold * GB, 2 * seen.database_bytes):
        detail = f"the database holds {seen.database_bytes / GB:.1f} GB, publishing needs that much once more"
        yield "data folder", f"{seen.free_bytes / GB:.1f} GB are free on the disk of the data folder", detail


def index_burst(threshold: float, seen: Situation) -> Told:
    """Robust standard deviations between today and what was expected, of the index either way and of more stories."""
    today = next((day for day in seen.days if day.report_date == seen.now.date() and day.is_claimed), None)
    if today is None:
        return
    if today.direction_z is not None and abs(today.direction_z) >= threshold:
        usual = f"{today.baseline_low:+.1f} to {today.baseline_high:+.1f} is usual"
        message = f"The index of {today.report_date} is {today.direction_index:+.1f}"
        yield "direction", message, f"{today.direction_z:+.1f} standard deviations; {usual}"
    if today.stories_z is not None and today.stories_z >= threshold:
        usual = f"{today.stories_z:+.1f} standard deviations; {today.stories_expected:.0f} were expected"
        yield "stories", f"{today.n_stories} stories on {today.report_date}", usual


RULES: Mapping[str, Callable[[float, Situation], Told]] = {
    rule.__name__: rule
    for rule in (
        network_down, most_feeds_failing, run_late, check_failed, gate_failed, disk_low,
        backlog_growing, feed_failing, outlet_silent, index_burst,
    )
}  # fmt: skip
# While our own network is down these cannot be told: what is open stays open.
NEED_NETWORK = frozenset({"outlet_silent", "feed_failing", "most_feeds_failing", "backlog_growing"})
# What they say holds for one dyad; the others speak of feeds, network and machine, which all dyads share.
OF_ONE_DYAD = frozenset({"check_failed", "gate_failed", "index_burst"})


def judge(rules: Iterable[Rule], seen: Situation) -> tuple[list[Finding], list[str]]:
    """What holds now, and the rules that could be judged; an open alert of a judged rule that holds no more is over."""
    judged = [rule for rule in rules if not (seen.is_network_down and rule.name in NEED_NETWORK)]
    findings = [
        Finding(rule.name, subject, rule.severity, message, detail, rule.advice)
        for rule in judged
        for subject, message, detail in RULES[rule.name](rule.threshold, seen)
    ]
    return findings, [rule.name for rule in judged]


def load_rules(path: Path) -> tuple[list[Rule], list[str]]:
    """Read alerts.csv: its rules, and a message for every line that is none. A rule left out is switched off."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return [], [f"{path}: {error}"]
    rules, problems = [], []
    for number, line in enumerate(csv.DictReader(lines), start=2):
        try:
            rules.append(_rule(line))
        except SettingsError as error:
            problems.append(f"{path.name} line {number}: {error}")
    return rules, problems


def _rule(line: Mapping[str, str | None]) -> Rule:
    name, severity, threshold = (line.get(key) or "" for key in ("rule", "severity", "threshold"))
    if name not in RULES:
        raise SettingsError(f"no rule is called {name!r}; known are {', '.join(RULES)}")
    if severity not in SEVERITIES:
        raise SettingsError(f"severity must be one of {', '.join(SEVERITIES)}, not {severity!r}")
    if not re.fullmatch(r"(\d{1,9}(\.\d+)?)?", threshold, re.ASCII):
        raise SettingsError(f"the threshold must be a number of 0 or more, not {threshold!r}")
    return Rule(name, float(threshold or 0), severity, line.get("what_to_do") or "")


def render_digest(alerts: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Title and text of one message for all that a run opened and closed (rows of find_run_alerts)."""
    opened = [row for row in alerts if row["is_opened"]]
    closed = [row for row in alerts if not row["is_opened"]]
    lines = []
    for row in opened:
        lines += [
            f"{row['severity'].upper()} {row['message']}",
            row["subject"],
            row["detail"],
            f"→ {row['advice']}",
            "",
        ]
    lines += [f"over: {row['message']}" for row in closed]
    first = (opened or closed)[0]["message"]
    title = f"newswatch: {len(opened)} opened, {len(closed)} over: {first}"
    return " ".join(title.split())[:MAX_TITLE], "\n".join(lines)[:MAX_TEXT]


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _minutes(span: timedelta) -> int:
    return round(span / timedelta(minutes=1))
