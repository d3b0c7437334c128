"""Date strings of outlets: right or None, never wrong."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.newswatch.dates import has_time, parse_date

NOW = datetime(2026, 9, 10, 12, tzinfo=UTC)
MOSCOW, SHANGHAI, LONDON, NEW_YORK = "Europe/Moscow", "Asia/Shanghai", "Europe/London", "America/New_York"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


NOON = utc(2016, 6, 29, 12)
SHANGHAI_NOON = utc(2016, 6, 29, 4)
MOSCOW_NOON = utc(2016, 6, 29, 9)
AFTERNOON = utc(2016, 6, 29, 15, 7)
TO_THE_SECOND = utc(2016, 6, 29, 15, 7, 41)
IN_SHANGHAI = utc(2016, 6, 29, 7, 7)
IN_MOSCOW = utc(2016, 6, 29, 12, 7)

READ = [
    # with their own zone
    ("Wed, 29 Jun 2016 15:07:41 +0300", "UTC", utc(2016, 6, 29, 12, 7, 41)),
    ("Wed, 29 Jun 2016 15:07:41 GMT", SHANGHAI, TO_THE_SECOND),
    ("29 Jun 2016 15:07 UT", MOSCOW, AFTERNOON),
    ("Wed, 29 Jun 16 15:07:41 +0000", "UTC", TO_THE_SECOND),
    ("Wed, 29 Jun 2016 15:07:41 MSK", "UTC", utc(2016, 6, 29, 12, 7, 41)),
    ("Wed, 29 Jun 2011 15:07:41 MSK", "UTC", utc(2011, 6, 29, 11, 7, 41)),  # Moscow was at +4 then
    ("Wed, 29 Jun 2016 15:07:41 BST", LONDON, utc(2016, 6, 29, 14, 7, 41)),
    ("Wed, 29 Jun 2016 15:07:41 EDT", "UTC", utc(2016, 6, 29, 19, 7, 41)),
    ("Wed, 29 Jun 2016 15:07:41 EST", NEW_YORK, utc(2016, 6, 29, 20, 7, 41)),
    ("Wed, 29 Jun 16 15:07:41 CST", SHANGHAI, utc(2016, 6, 29, 7, 7, 41)),
    ("Wed Jun 29 15:07:41 CST 2016", SHANGHAI, utc(2016, 6, 29, 7, 7, 41)),
    ("Wed Jun 29 15:07:41 CST 2016", "Asia/Taipei", utc(2016, 6, 29, 7, 7, 41)),
    ("Wed, 29 Jun 2016 15:07:41 CST", "America/Chicago", utc(2016, 6, 29, 21, 7, 41)),
    ("Thu,28 Jul 2022 4:35:5 GMT+9", "UTC", utc(2022, 7, 27, 19, 35, 5)),
    ("2016-06-29T15:07:41Z", SHANGHAI, TO_THE_SECOND),
    ("2016-06-29T15:07Z", SHANGHAI, AFTERNOON),
    ("2016-06-29T15:07:41+08:00", "UTC", utc(2016, 6, 29, 7, 7, 41)),
    ("2016-06-29T15:07:41.123456789+08:00", "UTC", utc(2016, 6, 29, 7, 7, 41)),
    ("2016-06-29T15:07:41,123+0800", "UTC", utc(2016, 6, 29, 7, 7, 41)),
    ("2016-06-29T15:07:41 08:00", "UTC", utc(2016, 6, 29, 7, 7, 41)),  # a plus sign lost in a URL
    ("2016-06-29 15:07:41 +0800 CST", "UTC", utc(2016, 6, 29, 7, 7, 41)),
    ("2016-06-29 15:07:41 UTC", SHANGHAI, TO_THE_SECOND),
    ("20160629T150741Z", SHANGHAI, TO_THE_SECOND),
    ("2016-06-29 15:07 (UTC+8)", "UTC", IN_SHANGHAI),
    ("2016-06-29 15:07 北京时间", "UTC", IN_SHANGHAI),
    ("29 июня 2016, 15:07 (мск)", "UTC", IN_MOSCOW),
    ("29.06.2016 15:07 МСК", "UTC", IN_MOSCOW),
    ("15:07 GMT, 29 June 2016", MOSCOW, AFTERNOON),
    ("1467212861", SHANGHAI, TO_THE_SECOND),
    ("1467212861000", SHANGHAI, TO_THE_SECOND),
    # English, in the outlet's zone
    ("Wednesday, June 29, 2016 - 15:07", "UTC", AFTERNOON),
    ("Wed, 29 Jun 2016 3:07:41 PM", "UTC", TO_THE_SECOND),
    ("June 29, 2016 3:07 p.m. ET", "UTC", utc(2016, 6, 29, 19, 7)),
    ("June 29th, 2016", "UTC", NOON),
    ("29th June 2016 at 15:07", LONDON, utc(2016, 6, 29, 14, 7)),
    ("Jun. 29, 2016", "UTC", NOON),
    ("29-Jun-2016 15:07", "UTC", AFTERNOON),
    ("Published: 29 June 2016", "UTC", NOON),
    ("Updated on June 29, 2016 12:07 AM", "UTC", utc(2016, 6, 29, 0, 7)),
    ("12:30 PM June 29, 2016", "UTC", utc(2016, 6, 29, 12, 30)),
    ("06/29/2016", NEW_YORK, utc(2016, 6, 29, 16)),
    ("06/07/2016", NEW_YORK, utc(2016, 6, 7, 16)),
    ("29/06/2016", "UTC", NOON),
    ("2016/6/29 15:07:41", "UTC", TO_THE_SECOND),
    ("2016-06-29 15:07:41.0", "UTC", TO_THE_SECOND),
    ("2016-06-29T15:07:41", SHANGHAI, utc(2016, 6, 29, 7, 7, 41)),
    ("2016.06.29 15:07", "UTC", AFTERNOON),
    ("20160629150741", "UTC", TO_THE_SECOND),
    ("20160629", "UTC", NOON),
    # Russian
    ("29.06.2016 15:07", MOSCOW, IN_MOSCOW),
    ("29.06.16", MOSCOW, MOSCOW_NOON),
    ("15:07 29.06.2016", MOSCOW, IN_MOSCOW),
    ("15:07, 29 июня 2016", MOSCOW, IN_MOSCOW),
    ("29 июня 2016 15:07", MOSCOW, IN_MOSCOW),
    ("29 июня 2016 года, 15:07", MOSCOW, IN_MOSCOW),
    ("29 июня 2016 г. в 15:07", MOSCOW, IN_MOSCOW),
    ("Ср, 29 июн 2016 15:07:41 +0300", "UTC", utc(2016, 6, 29, 12, 7, 41)),
    ("среда, 29 июня 2016", MOSCOW, MOSCOW_NOON),
    ("Опубликовано: 29 июня 2016 г., 15:07", MOSCOW, IN_MOSCOW),
    ("1 янв. 2016 00:05", MOSCOW, utc(2015, 12, 31, 21, 5)),
    ("29 ИЮНЯ 2016", MOSCOW, MOSCOW_NOON),
    ("5 мая 2016", MOSCOW, utc(2016, 5, 5, 9)),
    ("5 марта 2016", MOSCOW, utc(2016, 3, 5, 9)),
    # Chinese
    ("2016年06月29日 15:07", SHANGHAI, IN_SHANGHAI),
    ("2016年6月29日15时07分", SHANGHAI, IN_SHANGHAI),
    ("2016年06月29日15:07:41", SHANGHAI, utc(2016, 6, 29, 7, 7, 41)),
    ("2016年6月29日 下午3:07", SHANGHAI, IN_SHANGHAI),
    ("2016年6月29日 上午9点05分", SHANGHAI, utc(2016, 6, 29, 1, 5)),
    ("2016年6月29日 星期三", SHANGHAI, SHANGHAI_NOON),
    ("2016年6月29日 星期三 15:07", SHANGHAI, IN_SHANGHAI),
    ("2016年6月29日（周三）", SHANGHAI, SHANGHAI_NOON),
    ("二〇一六年六月二十九日", SHANGHAI, SHANGHAI_NOON),
    ("二○一六年十月一日", SHANGHAI, utc(2016, 10, 1, 4)),
    ("發佈時間：2016年06月29日 15:07", "Asia/Taipei", IN_SHANGHAI),
    ("发布时间：2016-06-29 15:07 来源：新闻网", SHANGHAI, IN_SHANGHAI),
    ("２０１６年６月２９日　１５：０７", SHANGHAI, IN_SHANGHAI),
    ("民國105年6月29日", "Asia/Taipei", SHANGHAI_NOON),
    ("2016-6-29", SHANGHAI, SHANGHAI_NOON),
    ("[2016-06-29 15:07]", SHANGHAI, IN_SHANGHAI),
]

UNREAD = [
    ("", "UTC"),
    ("Wed, 29 Jun 2016 25:07:41 GMT", "UTC"),
    ("Wed, 31 Jun 2016 15:07:41 GMT", "UTC"),
    ("Wed, 29 Jun 2099 15:07:41 GMT", "UTC"),
    ("0000-00-00 00:00:00", "UTC"),
    ("Mon, 01 Jan 0001 00:00:00 +0000", "UTC"),
    ("Thu, 01 Jan 1970 00:00:00 GMT", "UTC"),
    ("0", "UTC"),
    ("06/07/2016 10:00", "UTC"),  # June or July
    ("06/07/2016 10:00", MOSCOW),
    ("20.06.16", SHANGHAI),  # 2020 or 2016
    ("Wed, 29 Jun 16 15:07:41 CST", "UTC"),  # Chicago, China or Cuba
    ("Wed, 29 Jan 2016 15:07:41 BST", LONDON),  # no summer time in January
    ("Wed, 29 Jun 2016 15:07:41 IST", "UTC"),  # India, Ireland or Israel
    ("Wed, 29 Jun 2016 15:07:41 XYZ", "UTC"),
    ("Wed, 29 Jun 2016 15:07:41 +9900", "UTC"),
    ("2016-10-30 01:30", LONDON),  # the clocks went back: twice
    ("2016-03-27 01:30", LONDON),  # the clocks went forward: never
    ("29 июня, 15:07", MOSCOW),
    ("вчера, 15:07", MOSCOW),
    ("2 часа назад", MOSCOW),
    ("昨天 15:07", SHANGHAI),
    ("3小时前", SHANGHAI),
    ("刚刚", SHANGHAI),
    ("2 hours ago", "UTC"),
    ("today", "UTC"),
    ("15:07", "UTC"),
    ("2016", "UTC"),
    ("June 2016", "UTC"),
    ("2016年6月", SHANGHAI),
    ("Wed, 29 Jun 2016 15:07 PM 16:08", "UTC"),
    ("13:07 AM 29 June 2016", "UTC"),
    ("1.2.3.4", "UTC"),
    ("Article 29.06.2016 of the treaty", "UTC"),
    ("1 " * 40_000, "UTC"),
    ("9" * 10, "UTC"),
    ("9" * 100, "UTC"),
]


@pytest.mark.parametrize(("raw", "time_zone", "moment"), READ)
def test_a_spelling_is_read_right(raw, time_zone, moment):
    assert parse_date(raw, time_zone=time_zone, now=NOW) == moment


@pytest.mark.parametrize(("raw", "time_zone"), UNREAD)
def test_what_is_broken_ambiguous_or_relative_is_none(raw, time_zone):
    assert parse_date(raw, time_zone=time_zone, now=NOW) is None


@pytest.mark.parametrize("time_zone", [SHANGHAI, MOSCOW, "UTC", NEW_YORK])
def test_a_day_alone_is_noon_at_the_outlet_so_that_it_is_that_day_in_utc_and_never_after_it_was_read(time_zone):
    noon = parse_date("2026-09-09", time_zone=time_zone, now=NOW)
    assert noon is not None
    assert noon.astimezone(ZoneInfo(time_zone)).hour == 12
    assert noon.date() == date(2026, 9, 9)
    early = utc(2026, 9, 9, 1)
    assert parse_date("2026-09-09", time_zone=time_zone, now=early) == early


@pytest.mark.parametrize(
    ("raw", "is_timed"),
    [
        ("2016年6月29日", False), ("20160629", False), ("June 29th, 2016", False), ("2016-06-29T15:07Z", True),
        ("20160629150741", True), ("1467212861", True), ("", True),
    ],
)  # fmt: skip
def test_a_day_alone_is_told_from_a_date_with_a_time(raw, is_timed):
    assert has_time(raw) == is_timed


def test_a_day_s_tolerance_for_clocks_and_zones_and_no_more():
    assert parse_date("2026-09-11T11:00:00Z", time_zone="UTC", now=NOW) == NOW + timedelta(hours=23)
    assert parse_date("2026-09-11T13:00:00Z", time_zone="UTC", now=NOW) is None


@given(
    st.datetimes(datetime(1990, 1, 2), datetime(2026, 9, 10)),  # noqa: DTZ001 - hypothesis wants naive limits
    st.sampled_from(
        [
            "%a, %d %b %Y %H:%M:%S GMT",
            "%Y-%m-%dT%H:%M:%SZ",
            "%Y/%m/%d %H:%M:%S",
            "%Y年%m月%d日 %H:%M:%S",
            "%d.%m.%Y %H:%M:%S",
            "%B %d, %Y %I:%M:%S %p",
            "%A, %d-%b-%Y %H:%M:%S UTC",
            "%Y%m%dT%H%M%SZ",
            "%H:%M:%S %d.%m.%Y",
        ]
    ),
)
def test_what_was_written_is_what_is_read(moment, spelling):
    moment = moment.replace(microsecond=0)

    assert parse_date(moment.strftime(spelling), time_zone="UTC", now=NOW) == moment.replace(tzinfo=UTC)


@given(st.text(max_size=60), st.sampled_from([MOSCOW, SHANGHAI, "UTC", NEW_YORK]))
def test_no_string_breaks_it_or_leads_into_the_future(raw, time_zone):
    found = parse_date(raw, time_zone=time_zone, now=NOW)

    assert found is None or utc(1989, 12, 31) < found <= NOW + timedelta(days=1)
