import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from include.newswatch.model import NewsError
from include.newswatch.urls import canonical_url, is_http_url, redact_url, registrable_domain

CANONICAL = [
    # spelling
    ("HTTP://Example.COM:80/a/../b/./c", "http://example.com/b/c"),
    ("https://example.com:443", "https://example.com/"),
    ("https://example.com:8443/x", "https://example.com:8443/x"),
    ("https://example.com./x", "https://example.com/x"),
    ("  https://example.com/x\n", "https://example.com/x"),
    ("https://user:secret@example.com/x#part", "https://example.com/x"),
    ("https://пример.рф/новость", "https://xn--e1afmkfd.xn--p1ai/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D1%8C"),
    ("https://example.cn/中俄关系", "https://example.cn/%E4%B8%AD%E4%BF%84%E5%85%B3%E7%B3%BB"),
    ("https://example.com/%e4%b8%ad", "https://example.com/%E4%B8%AD"),
    ("https://example.com/a b", "https://example.com/a%20b"),
    ("https://[2606:4700:0::1111]/x", "https://[2606:4700::1111]/x"),
    # the query: sorted, and what names the article stays as the server spelled it
    ("https://example.com/?b=2&a=1", "https://example.com/?a=1&b=2"),
    ("https://example.com/?news/12", "https://example.com/?news/12"),
    ("https://example.com/?id=7&id=7&", "https://example.com/?id=7"),
    ("https://example.com/a?page=2&p=7&newsid=8", "https://example.com/a?newsid=8&p=7&page=2"),
    # trackers
    ("https://example.com/a?utm_source=rss&utm_medium=x&id=7", "https://example.com/a?id=7"),
    ("https://example.com/a?UTM_Source=rss", "https://example.com/a"),
    ("https://www.bbc.com/news/articles/x?at_medium=RSS&at_campaign=rss", "https://www.bbc.com/news/articles/x"),
    ("https://example.com/a?fbclid=1&gclid=2&yclid=3&ysclid=4&_openstat=5", "https://example.com/a"),
    ("https://www.dw.com/a/a-1?maca=en-rss-en-all-1573-rdf", "https://www.dw.com/a/a-1"),
    ("https://www.rt.com/news/1-x/?utm_source=rss&amp;utm_medium=rss", "https://www.rt.com/news/1-x/"),
    ("https://mp.example.cn/s?spm=a.b.c&isappinstalled=0&from=timeline", "https://mp.example.cn/s"),
    ("https://www.kommersant.ru/doc/1?from=rss", "https://www.kommersant.ru/doc/1"),
    ("https://example.com/a?from=2024-01-01&source=reuters", "https://example.com/a?from=2024-01-01&source=reuters"),
    ("https://example.com/a?source=rss", "https://example.com/a"),
    # sessions
    ("https://example.com/a;jsessionid=A1B2?x=1", "https://example.com/a?x=1"),
    ("https://example.com/a?PHPSESSID=0123456789abcdef0123456789abcdef", "https://example.com/a"),
    ("https://example.com/a?sid=0123456789abcdef0123456789abcdef", "https://example.com/a"),
    ("https://example.com/a?sid=12", "https://example.com/a?sid=12"),
    # twins
    ("https://example.com/2024/05/a-story/amp/", "https://example.com/2024/05/a-story/"),
    ("https://example.com/2024/05/a-story/amp", "https://example.com/2024/05/a-story"),
    ("https://example.com/a-story?outputType=amp&amp=1", "https://example.com/a-story"),
    ("https://example.com/amp/news/a-story-7", "https://example.com/news/a-story-7"),
    ("https://example.com/music/amp", "https://example.com/music/amp"),
    ("https://example.com/amp/", "https://example.com/amp/"),
    ("https://www.google.com/amp/s/www.example.com/a-1/amp/", "https://www.example.com/a-1/"),
    ("https://www-example-com.cdn.ampproject.org/c/s/www.example.com/a-1", "https://www.example.com/a-1"),
    ("https://amp.theguardian.com/world/2024/a", "https://www.theguardian.com/world/2024/a"),
    ("https://m.lenta.ru/news/2024/05/16/x/", "https://lenta.ru/news/2024/05/16/x/"),
    ("https://m.unknown.example/a", "https://m.unknown.example/a"),
]


@pytest.mark.parametrize(("url", "expected"), CANONICAL)
def test_one_article_has_one_spelling(url, expected):
    assert canonical_url(url) == expected
    assert canonical_url(expected) == expected


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/a/b.html", "https://example.com/a/b.html"),
        ("../c?x=1#y", "https://example.com/c?x=1"),
        ("//other.example/z", "https://other.example/z"),
        ("https://third.example/", "https://third.example/"),
    ],
)
def test_a_link_is_read_from_the_page_it_stands_on(link, expected):
    assert canonical_url(link, base="https://example.com/news/index.html") == expected


@pytest.mark.parametrize(
    "url",
    ["", " ", "/a", "example.com", "javascript:alert(1)", "file:///etc/passwd", "ftp://example.com/",
     "data:text/html,x", "http://", "http:///x", "http://[::1/", "http://example.com:abc/", "http://example.com:99999/",
     "http://\x00/", "http://exa mple.com/", "http://a..b/", "http://-.com/", "http://" + "a" * 300 + ".com/",
     "http://%zz/", "https://example.com/" + "a" * 5000, "a" * 10**6,
     "mailto:editor@example.com", "tag:example.com,2024:1"],
)  # fmt: skip
def test_nonsense_is_refused_with_one_word(url):
    with pytest.raises(NewsError) as caught:
        canonical_url(url)
    assert caught.value.outcome == "parse_error"


LIKE_A_URL = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["http://", "https://", "HTTP://", "//", "http:", "ftp://", "http://google.com/amp/s/"]),
        st.sampled_from(["a.com", "A.com.", "u:p@m.lenta.ru", "пример.рф", "[::1]", "a.b:80", "1.2.3.4:443", "x_y.z"]),
        st.lists(
            st.sampled_from(
                [
                    "/",
                    "amp",
                    "/a-1",
                    "/..",
                    "/.",
                    ";sid=1",
                    "%2e",
                    "%zz",
                    "?",
                    "&",
                    "#",
                    "=",
                    "utm_x=1",
                    "amp;",
                    "中",
                    "%D0%BF",
                ]
            )
            | st.text(max_size=3),
            max_size=12,
        ).map("".join),
    ),
)


@given(LIKE_A_URL | st.text(max_size=60))
@example("http://a.b/amp/amp/amp/x-1/amp/amp")
@example("http://a.b/%2e%2e/%252e")
@example("http://a.b/?amp;amp;utm_source=x")
@example("http://a.b/x;sid=1;sid=2/..;jsessionid=3")
def test_a_canonical_url_stays_as_it_is_and_nothing_else_is_raised(text):
    try:
        url = canonical_url(text)
    except NewsError as error:
        assert error.outcome == "parse_error"
        return
    assert canonical_url(url) == url
    assert url.isascii() and url.isprintable() and is_http_url(url) and "#" not in url
    assert registrable_domain(url)


@given(st.text(max_size=80), st.text(max_size=40))
def test_helpers_never_raise_but_news_errors(text, base):
    is_http_url(text)
    assert "\n" not in redact_url(text)
    for call in (lambda: registrable_domain(text), lambda: canonical_url(text, base)):
        try:
            call()
        except NewsError as error:
            assert error.outcome == "parse_error"


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://news.bbc.co.uk/1", "bbc.co.uk"),
        ("http://politics.people.com.cn/n1", "people.com.cn"),
        ("https://ria.ru", "ria.ru"),
        ("http://127.0.0.1:8080/x", "127.0.0.1"),
        ("http://[::1]/x", "::1"),
        ("http://localhost/", "localhost"),
        ("https://xn--e1afmkfd.xn--p1ai/", "xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_the_registrable_domain_is_what_the_owner_registered(url, domain):
    assert registrable_domain(url) == domain


def test_no_credential_and_no_line_break_reaches_a_message():
    assert redact_url("https://user:pw@example.com/a?token=abc&x=1") == "https://example.com/a?token=***&x=1"
    assert redact_url("http://a@b@example.com/") == "http://example.com/"
    assert redact_url("http://example.com/\r\nSet-Cookie: x") == "http://example.com/ Set-Cookie: x"
    assert redact_url("//u:p@example.com") == "//example.com"
    assert len(redact_url("http://example.com/" + "a" * 9999)) < 600
