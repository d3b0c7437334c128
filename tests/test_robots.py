import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.newswatch.model import NewsError
from include.newswatch.robots import (
    FRESH_S,
    MAX_ROBOTS_BYTES,
    RETRY_S,
    STALE_S,
    named_sitemaps,
    robots_from_body,
    robots_from_failure,
)

NOW_S = 1_700_000_000.0
AGENT = "newswatch/1.0 (+https://desk.example/bot)"


def allowed(body: bytes, path: str, agent: str = AGENT) -> bool:
    return robots_from_body(body, NOW_S).allows(f"https://outlet.example{path}", agent)


@pytest.mark.parametrize(
    ("body", "path", "expected"),
    [
        (b"", "/a", True),
        (b"User-agent: *\nDisallow:", "/a", True),
        (b"User-agent: *\nDisallow: /", "/a", False),
        (b"\xef\xbb\xbfUser-agent: *\nDisallow: /a", "/a", False),  # a BOM hides nothing
        (b"User-agent: *\nDisallow: /search*\nDisallow: /*.pdf$", "/x/search", True),
        (b"User-agent: *\nDisallow: /search*\nDisallow: /*.pdf$", "/search?q=1", False),
        (b"User-agent: *\nDisallow: /search*\nDisallow: /*.pdf$", "/x/y.pdf", False),
        (b"User-agent: *\nDisallow: /news/\nAllow: /news/world/", "/news/world/1", True),  # the longest match decides
        (b"User-agent: *\nDisallow: /\n\nUser-agent: newswatch\nDisallow: /private", "/a", True),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: newswatch\nDisallow: /private", "/private/1", False),
        (b"User-agent: otherbot\nDisallow: /", "/a", True),
        ("User-agent: *\nDisallow: /новости".encode(), "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8", False),
        ("# наш сайт\nUser-agent: *\nDisallow: /a".encode("cp1251"), "/a", False),
        (b"<!doctype html><title>Not found</title>", "/a", True),
        (b"User-agent: *\r\rDisallow: /a", "/a", False),
        (b"\x00\xff\xfe", "/a", True),
    ],
)
def test_the_rules_are_read_as_the_standard_says(body, path, expected):
    assert allowed(body, path) is expected


def test_no_more_than_the_standard_asks_for_is_read():
    filler = b"# x\n" * (MAX_ROBOTS_BYTES // 4)

    assert not allowed(b"User-agent: *\nDisallow: /a\n" + filler + b"Allow: /a/b\n", "/a/b")


@pytest.mark.parametrize(
    ("line", "delay_s"), [(b"7", 7.0), (b"0.5", 0.5), (b"soon", 0.0), (b"-3", 0.0), (b"nan", 0.0), (b"", 0.0)]
)
def test_the_crawl_delay_is_a_number_of_seconds_or_nothing(line, delay_s):
    robots = robots_from_body(b"User-agent: *\nCrawl-delay: " + line + b"\nDisallow: /x", NOW_S)

    assert robots.crawl_delay_s(AGENT) == delay_s


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_where_there_is_no_file_everything_is_allowed(status):
    robots = robots_from_failure(NewsError("http_error", "x", status=status), None, NOW_S)

    assert robots.allows("https://outlet.example/a", AGENT)
    assert robots.fresh_until == NOW_S + FRESH_S


@pytest.mark.parametrize(
    "error", [NewsError("http_error", "x", status=500), NewsError("timeout", "x"), NewsError("too_large", "x")]
)
def test_a_sick_server_forbids_everything_for_a_while(error):
    robots = robots_from_failure(error, None, NOW_S)

    assert not robots.allows("https://outlet.example/a", AGENT)
    assert error.outcome in robots.forbidden_because
    assert robots.fresh_until == NOW_S + RETRY_S


def test_rules_read_before_outlive_a_sick_server_but_not_for_ever():
    known, sick = robots_from_body(b"User-agent: *\nDisallow: /a", NOW_S), NewsError("http_error", "x", status=503)

    later = robots_from_failure(sick, known, NOW_S + FRESH_S)
    assert later.allows("https://outlet.example/b", AGENT) and not later.allows("https://outlet.example/a", AGENT)
    much_later = robots_from_failure(sick, later, NOW_S + STALE_S)
    assert not much_later.allows("https://outlet.example/b", AGENT)


@pytest.mark.parametrize("outcome", ["dns_error", "connect_error", "tls_error", "blocked_address", "rate_limited"])
def test_where_there_is_no_server_the_page_gets_the_same_word(outcome):
    with pytest.raises(NewsError) as caught:
        robots_from_failure(NewsError(outcome, "x"), None, NOW_S)
    assert caught.value.outcome == outcome


@given(st.binary(max_size=300), st.text(max_size=40))
def test_no_bytes_make_the_reader_fail(body, path):
    robots = robots_from_body(b"User-agent: *\n" + body, NOW_S)
    assert robots.allows(f"https://outlet.example/{path}", AGENT) in (True, False)
    assert robots.crawl_delay_s(AGENT) >= 0


def test_a_sitemap_line_is_read_with_a_blank_before_its_colon_and_without_its_comment():
    text = "Sitemap : https://a.example/1.xml\n  sitemap:https://a.example/2.xml # news\n# Sitemap: /3.xml\n"

    assert named_sitemaps(text) == ["https://a.example/1.xml", "https://a.example/2.xml"]
