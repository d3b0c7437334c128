"""feeds.csv in, monitored feeds out; a bad line is a problem with its line number and never hides the good ones."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from include.newswatch.model import Feed, FeedKind, Language, SettingsError, Side
from include.newswatch.urls import is_http_url, redact_url

COLUMNS = (
    "url", "outlet", "language", "country", "side", "kind", "section", "time_zone", "article_pattern", "enabled", "note"
)  # fmt: skip
YES_NO = {"yes": True, "no": False}
CHOICES: dict[str, tuple[str, ...]] = {
    "language": get_args(Language),
    "side": get_args(Side),
    "kind": get_args(FeedKind),
    "enabled": tuple(YES_NO),
}


@dataclass(frozen=True, slots=True)
class FeedList:
    """The feeds of a file, in its order, disabled ones included; problems: one sentence for each line left out."""

    feeds: tuple[Feed, ...]
    problems: tuple[str, ...]


def load_feeds(path: Path) -> FeedList:
    """Read feeds.csv.

    Raises:
        SettingsError: the file is missing, no UTF-8, or lacks a column.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    reader = csv.DictReader(lines)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise SettingsError(f"{path}: column {', '.join(missing)} is missing")
    feeds: dict[str, Feed] = {}
    problems = []
    for row in reader:
        values = {column: (row[column] or "").strip() for column in COLUMNS}
        if not any(values.values()) or values["url"].startswith("#"):
            continue
        found = line_problems(values)
        if values["url"] in feeds:
            found.append("the address stands further up already")
        if found:
            problems.append(f"{path.name} line {reader.line_num}: {'; '.join(found)}")
        else:
            feeds[values["url"]] = feed_of_line(values)
    return FeedList(tuple(feeds.values()), tuple(problems))


def line_problems(values: dict[str, str]) -> list[str]:
    """What is wrong with one line; nothing if it is good."""
    found = [
        f"{column} is {values[column]!r}, not one of {', '.join(allowed)}"
        for column, allowed in CHOICES.items()
        if values[column] not in allowed
    ]
    found += [f"{column} is empty" for column in ("outlet", "time_zone") if not values[column]]
    if not _is_plain_address(values["url"]):
        found.append(f"url {redact_url(values['url'])!r} is no http or https address without credentials")
    if not re.fullmatch(r"[A-Z]{2}", values["country"]):
        found.append(f"country {values['country']!r} is not two capital letters")
    if values["time_zone"] and not _is_time_zone(values["time_zone"]):
        found.append(f"time_zone {values['time_zone']!r} is unknown")
    if not _is_pattern(values["article_pattern"]):
        found.append(f"article_pattern {values['article_pattern']!r} is no regular expression")
    return found


def _is_plain_address(url: str) -> bool:
    return is_http_url(url) and not urlsplit(url).username and " " not in url


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_pattern(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def feed_of_line(values: dict[str, str]) -> Feed:
    """The feed of a line without problems."""
    return Feed(**{**values, "enabled": YES_NO[values["enabled"]]})  # type: ignore[arg-type]
