from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.newswatch.answers import MAX_RETRY_AFTER_S, error_of_answer, parse_retry_after

NOW = datetime(2026, 5, 16, 12, 0, 0, tzinfo=UTC)
URL = "https://outlet.example/a"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("99999999", MAX_RETRY_AFTER_S),
        ("Sat, 16 May 2026 12:05:00 GMT", 300.0),
        ("Sat, 16 May 2026 15:05:00 +0300", 300.0),
        ("Saturday, 16-May-26 12:05:00 GMT", 300.0),
        ("Sat, 16 May 2026 11:00:00 GMT", 0.0),
        ("Sat, 16 May 2099 12:00:00 GMT", MAX_RETRY_AFTER_S),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("Sat, 99 May 2026 12:05:00 GMT", None),
        ("٣", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert parse_retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_no_retry_after_makes_the_reader_fail(value):
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_S


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (200, {}, b"<html>", None),
        (203, {}, b"", None),
        (304, {}, b"", None),
        (429, {}, b"", "rate_limited"),
        (503, {"retry-after": "60"}, b"", "rate_limited"),
        (503, {}, b"", "http_error"),
        (410, {}, b"", "gone"),
        (404, {}, b"", "http_error"),
        (451, {}, b"", "http_error"),
        (500, {}, b"", "http_error"),
        (999, {}, b"", "http_error"),
        (300, {}, b"", "http_error"),
        (403, {}, b"forbidden", "http_error"),
        (403, {"cf-mitigated": "challenge"}, b"", "bot_wall"),
        (503, {}, b"<title>Just a moment...</title>", "bot_wall"),
        (403, {}, b'<script src="/cdn-cgi/challenge-platform/h/b"></script>', "bot_wall"),
        (403, {"server": "ddos-guard"}, b"<title>DDoS-Guard</title>", "bot_wall"),
        (202, {"x-amzn-waf-action": "challenge"}, b"", "bot_wall"),
        (405, {}, b"var awsWafCookieDomainList = []", "bot_wall"),
        (403, {}, b'<iframe src="/_Incapsula_Resource?x">', "bot_wall"),
        (403, {}, b"https://geo.captcha-delivery.com/", "bot_wall"),
        (401, {}, b"/__qrator/qauth.js", "bot_wall"),
        (200, {}, b"an article about <title>Just a moment...</title>", None),
    ],
)
def test_each_answer_has_one_word(status, headers, body, outcome):
    error = error_of_answer(URL, status, headers, body, NOW)

    assert (error.outcome if error else None) == outcome
    if error:
        assert error.status == status
        assert URL in str(error)


def test_what_the_server_asks_for_travels_with_the_error():
    assert error_of_answer(URL, 429, {"retry-after": "30"}, b"", NOW).retry_after_s == 30.0
    assert error_of_answer(URL, 429, {}, b"", NOW).retry_after_s is None
