"""A publisher's date string in, a moment in UTC out: right or None, never wrong, never the present by default.

Own grammar instead of a tolerant library: feedparser turns `2016/6/29` into the wrong month, and CST is American
to all of them. A string is understood whole or not at all; what is ambiguous is None.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

MAX_CHARS = 120
EARLIEST_YEAR = 1990
FUTURE_TOLERANCE = timedelta(days=1)

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan января январь янв",
            "february feb февраля февраль февр фев",
            "march mar марта март мар",
            "april apr апреля апрель апр",
            "may мая май",
            "june jun июня июнь июн",
            "july jul июля июль июл",
            "august aug августа август авг",
            "september sept sep сентября сентябрь сент сен",
            "october oct октября октябрь окт",
            "november nov ноября ноябрь нояб ноя",
            "december dec декабря декабрь дек",
        ),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS = """
    monday mon tuesday tues tue wednesday wed thursday thurs thur thu friday fri saturday sat sunday sun
    понедельник пн пнд вторник вт втр среда среду ср срд четверг чт чтв пятница пятницу пт птн суббота субботу сб суб
    воскресенье вс вск
"""

# Zone names whose meaning does not depend on the outlet.
NAMED_ZONES: dict[str, tzinfo] = {
    **dict.fromkeys(("z", "utc", "gmt", "ut"), UTC),
    **{name: timezone(timedelta(hours=hours)) for name, hours in {
        "edt": -4, "est": -5, "cdt": -5, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
        "wet": 0, "west": 1, "cet": 1, "cest": 2, "mez": 1, "mesz": 2, "eet": 2, "eest": 3, "msd": 4,
        "jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "aest": 10, "aedt": 11, "pkt": 5, "ict": 7, "wib": 7, "yekt": 5,
        "krat": 7, "irkt": 8, "yakt": 9, "vlat": 10,
    }.items()},
    # Local time of the capital, so that Moscow's own summer times of other years come out right.
    **dict.fromkeys(
        ("msk", "мск", "московское время", "московскому времени", "moscow time", "moscow"), ZoneInfo("Europe/Moscow")
    ),
    **dict.fromkeys(("北京时间", "北京時間", "bjt", "beijing time", "beijing"), ZoneInfo("Asia/Shanghai")),
    **dict.fromkeys(("et", "eastern time"), ZoneInfo("America/New_York")),
}  # fmt: skip
CHINESE_STANDARD_TIME = {
    f"Asia/{city}" for city in ("Shanghai", "Chongqing", "Harbin", "Urumqi", "Hong_Kong", "Macau", "Taipei")
} | {"PRC", "ROC", "Hongkong"}
BRITISH_ZONES = {"Europe/London", "GB", "Europe/Belfast", "UTC", "Etc/UTC"}
MONTH_FIRST_ZONES = ("America/", "US/")

LABEL = re.compile(
    r"^(?:发布时间|发布日期|发稿时间|更新时间|更新日期|日期|时间|发表于|發佈時間|發布時間|更新"
    r"|(?:published|updated|posted)(?: on| at)?|date|last (?:updated|modified)"
    r"|опубликовано|обновлено|дата(?: публикации)?|размещено)\s*[:：]?\s*"
)
TRAILER = re.compile(r"\s*(?:来源|來源|作者|责编|编辑|[|｜]).*$")
ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|-е|-го)(?![a-zа-я])")
WEEKDAY = re.compile(rf"(?<!\w)(?:{'|'.join(WEEKDAYS.split())})\.?(?!\w),?|\(?(?:星期|周|週|礼拜)[一二三四五六日天]\)?")
SPACES = re.compile(r"\s+")
CHINESE_NUMERAL_DATE = re.compile(
    r"^([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日$"
)
CHINESE_DIGITS = {
    char: digit
    for digit, chars in enumerate(("〇○零", "一", "二", "三", "四", "五", "六", "七", "八", "九"))
    for char in chars
}
REPUBLIC_YEAR = re.compile(r"^(?:中華)?(?:民國|民国)\s*(\d{2,3})\s*年")  # Taiwan counts from 1912

MONTH_NAME = "|".join(sorted(MONTHS, key=len, reverse=True))
TIME = (
    r"(?P<day_part>上午|下午|晚上|凌晨|中午|早上|傍晚)?\s*(?P<hour>\d{1,2})\s?[:.时時点點]\s?(?P<minute>\d{1,2})\s?分?"
    r"(?:(?:[:.]|(?<=分))(?P<second>\d{1,2})秒?(?:[.,]\d{1,9})?)?(?:\s?(?P<half>[ap]\.?m\.?))?"
)
ZONE = (
    r"(?P<zone>[+-]\d{1,2}:?\d{2}|[+-]\d{1,2}|(?:utc|gmt)\s?[+-]\d{1,2}(?::?\d{2})?|[^\W\d_][^\W\d_ ]*(?: [^\W\d_]+)?)"
)
ZONE_AFTER = rf"(?:\s*,?\s*(?:\(|по )?{ZONE}\)?(?:\s\(?(?P<zone_name>[a-z]{{3,5}})\)?)?)?"
YEAR_MARK = r"(?:\s?(?:г\.?|года?|год\.?))?"
DATES = (
    r"(?P<year>\d{4})\s?(?P<sep>[-/.])\s?(?P<month>\d{1,2})\s?(?P=sep)\s?(?P<day>\d{1,2})",
    r"(?P<year>\d{4})\s?年\s?(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?[日号號]?",
    rf"(?P<day>\d{{1,2}})[\s./-]*(?P<name>{MONTH_NAME})[\s.,/-]*(?P<year>\d{{4}}|\d{{2}}){YEAR_MARK}",
    rf"(?P<name>{MONTH_NAME})[\s.-]*(?P<day>\d{{1,2}})[\s,/-]+(?P<year>\d{{4}})",
    rf"(?P<year>\d{{4}})[\s,./-]*(?P<name>{MONTH_NAME})[\s./-]*(?P<day>\d{{1,2}})",
    rf"(?P<first>\d{{1,2}})(?P<sep>[./-])(?P<second_number>\d{{1,2}})(?P=sep)(?P<year>\d{{4}}|\d{{2}}){YEAR_MARK}",
)
BETWEEN = r"\s*(?:,|t|@|-|–|—|\|| at | в | on )?\s*"
# One string is one whole pattern; nothing is searched inside a longer text.
PATTERNS = tuple(
    re.compile(pattern)
    for date in DATES
    for pattern in (rf"{date}(?:{BETWEEN}{TIME}{ZONE_AFTER})?", rf"{TIME}{ZONE_AFTER}{BETWEEN}{date}")
)
ODD_PATTERNS = (
    # Wed Jun 29 15:07:41 CST 2016
    re.compile(rf"(?P<name>{MONTH_NAME})\s(?P<day>\d{{1,2}})\s{TIME}(?:\s{ZONE})?\s(?P<year>\d{{4}})"),
    # 20160629T150741Z, 20160629150741, 20160629
    re.compile(
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:[t ]?(?P<hour>\d{2}):?(?P<minute>\d{2}):?(?P<second>\d{2})?"
        rf"\s?{ZONE}?)?"
    ),
)
UNIX_TIME = re.compile(r"\d{10}(?:\d{3})?(?:\.0+)?")
LOST_PLUS = re.compile(r"^(\d{4}-\d\d-\d\dt\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:?\d\d)$")


def parse_date(raw: str, *, time_zone: str, now: datetime) -> datetime | None:
    """Read one date string.

    A date without a time is noon at the outlet, or `now` where that is earlier: midnight in Shanghai or Moscow would be
    the day before in UTC. Relative words ("2 hours ago", 昨天) are None: the page may be older than its fetch.

    Args:
        time_zone: IANA name of the outlet's zone, for strings that carry none; it also decides what CST means.
        now: the moment of the fetch, aware; later dates than a day after it are None.
    """
    text = _normalise(raw)
    if not text:
        return None
    parts = _parts(text)
    moment = _moment(parts, time_zone) if parts else _unix_moment(text)
    if moment is None or not _is_plausible(moment, now):
        return None
    if parts and not parts.get("hour"):
        moment = min(moment, now)
    return moment.astimezone(UTC)


def has_time(raw: str) -> bool:
    """False for a date that is a day alone, which parse_date puts at noon."""
    parts = _parts(_normalise(raw))
    return parts is None or bool(parts.get("hour"))


def _is_plausible(moment: datetime, now: datetime) -> bool:
    return moment.year >= EARLIEST_YEAR and moment <= now + FUTURE_TOLERANCE


def _normalise(raw: str) -> str:
    """Lower case, half-width, no weekdays, no labels before and no source after."""
    if len(raw) > MAX_CHARS:
        return ""
    text = unicodedata.normalize("NFKC", raw).casefold().replace("−", "-")
    text = SPACES.sub(" ", text).strip(" \u200b\ufeff[]【】")
    text = TRAILER.sub("", LABEL.sub("", text))
    text = WEEKDAY.sub(" ", ORDINAL.sub("", text))
    text = REPUBLIC_YEAR.sub(lambda found: f"{int(found[1]) + 1911}年", SPACES.sub(" ", text).strip(" ,;.-"))
    return _latin_numerals(LOST_PLUS.sub(r"\1 +\2", text))


def _latin_numerals(text: str) -> str:
    """二〇一六年六月二十九日 as 2016年6月29日."""
    found = CHINESE_NUMERAL_DATE.match(text)
    if found is None:
        return text
    year = "".join(str(CHINESE_DIGITS[char]) for char in found[1])
    return f"{year}年{_chinese_number(found[2])}月{_chinese_number(found[3])}日"


def _chinese_number(numeral: str) -> int:
    tens, ten, ones = numeral.rpartition("十")
    return (CHINESE_DIGITS.get(tens, 1) * 10 if ten else 0) + CHINESE_DIGITS.get(ones, 0)


def _unix_moment(text: str) -> datetime | None:
    if not UNIX_TIME.fullmatch(text):
        return None
    digits = text.partition(".")[0]
    return datetime.fromtimestamp(int(digits) / (1000 if len(digits) == 13 else 1), UTC)


def _parts(text: str) -> dict[str, str | None] | None:
    found = next(filter(None, (pattern.fullmatch(text) for pattern in (*PATTERNS, *ODD_PATTERNS))), None)
    return found.groupdict() if found else None


def _moment(parts: dict[str, str | None], time_zone: str) -> datetime | None:
    day = _calendar_day(parts, time_zone)
    clock = _clock(parts)
    if day is None or clock is None:
        return None
    try:
        local = datetime(*day, *clock)  # noqa: DTZ001 - the zone follows, it may depend on the moment
    except ValueError:
        return None
    zone = _zone(parts, time_zone, local)
    if zone is None:
        return None
    moment = local.replace(tzinfo=zone)
    # In the hour that the clocks repeat or skip the string means two moments or none.
    if moment.utcoffset() != moment.replace(fold=1).utcoffset():
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None


def _calendar_day(parts: dict[str, str | None], time_zone: str) -> tuple[int, int, int] | None:
    year = int(parts["year"] or 0)
    if parts.get("first"):
        return _numeric_day(int(parts["first"] or 0), int(parts["second_number"] or 0), parts, time_zone)
    if len(parts["year"] or "") == 2:
        year += 2000 if year < 90 else 1900
    month = MONTHS[parts["name"]] if parts.get("name") else int(parts["month"] or 0)  # type: ignore[index]
    return year, month, int(parts["day"] or 0)


def _numeric_day(first: int, second: int, parts: dict[str, str | None], time_zone: str) -> tuple[int, int, int] | None:
    """29.06.2016 is day first, as everywhere with dots; 06/07/2016 is left open outside America."""
    digits = parts["year"] or ""
    if len(digits) == 2:
        # 29.06.16 is Russian usage; elsewhere it may begin with the year.
        if parts["sep"] != "." or not time_zone.startswith("Europe/"):
            return None
        return 2000 + int(digits), second, first
    year = int(digits)
    if parts["sep"] == "." or first == second or first > 12:
        return year, second, first
    if second > 12 or (parts["sep"] == "/" and time_zone.startswith(MONTH_FIRST_ZONES)):
        return year, first, second
    return None


def _clock(parts: dict[str, str | None]) -> tuple[int, int, int] | None:
    """Hour, minute, second on the 24-hour clock; noon where the string has no time."""
    if not parts.get("hour"):
        return 12, 0, 0
    hour = int(parts["hour"] or 0)
    half = (parts.get("half") or "")[:1]
    day_part = parts.get("day_part")
    if half and not 1 <= hour <= 12 and not (half == "p" and hour < 24 and hour > 12):
        return None
    if day_part in ("下午", "晚上", "傍晚") or (half == "p"):
        hour += 12 if hour < 12 else 0
    elif half == "a" or day_part in ("凌晨", "上午"):
        hour = 0 if hour == 12 and half == "a" else hour
    elif day_part == "中午":
        hour += 12 if hour < 3 else 0
    return hour, int(parts["minute"] or 0), int(parts.get("second") or 0)


def _zone(parts: dict[str, str | None], time_zone: str, local: datetime) -> tzinfo | None:
    name = parts.get("zone")
    if not name:
        return _zone_info(time_zone)
    offset = re.fullmatch(r"(?:utc|gmt)?\s?([+-])(\d{1,2}):?(\d{2})?", name)
    if offset is not None:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours > 14 or minutes > 59:
            return None
        return timezone((1 if offset[1] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
    return NAMED_ZONES.get(name) or _disputed_zone(name, time_zone, local)


def _disputed_zone(name: str, time_zone: str, local: datetime) -> tzinfo | None:
    """Abbreviations that several countries use mean the outlet's own, or nothing."""
    if name == "cst":
        if time_zone in CHINESE_STANDARD_TIME:
            return _zone_info("Asia/Shanghai")
        return timezone(timedelta(hours=-6)) if time_zone.startswith(MONTH_FIRST_ZONES) else None
    if name == "bst":
        british = local.replace(tzinfo=_zone_info("Europe/London"))
        return british.tzinfo if time_zone in BRITISH_ZONES and british.utcoffset() == timedelta(hours=1) else None
    if name == "ist" and time_zone in ("Asia/Kolkata", "Asia/Calcutta"):
        return _zone_info("Asia/Kolkata")
    return None


@lru_cache(maxsize=64)
def _zone_info(name: str) -> ZoneInfo:
    return ZoneInfo(name)
