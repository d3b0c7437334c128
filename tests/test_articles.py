"""Recorded pages become articles of plain text; everything else ends in one word that says why not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.newswatch.articles import extract_article
from include.newswatch.model import Article, Entry, NewsError, Page

DATA = Path(__file__).parent / "data" / "pages"
NOW = datetime(2024, 5, 20, tzinfo=UTC)
URL = "https://www.times.example/news/1"


def page(body: bytes, url: str = URL, content_type: str = "text/html; charset=utf-8", final_url: str = "") -> Page:
    return Page(url, final_url or url, 200, {"content-type": content_type}, body, NOW)


def entry(url: str = URL, title: str = "", published_at: datetime | None = None) -> Entry:
    return Entry("https://www.times.example/rss", url, title, published_at)


def extract(name: str, announced: Entry | None = None, *, url: str = URL, hint: str = "") -> Article:
    body = (DATA / name).read_bytes()
    announced = announced or entry(url)
    return extract_article(page(body, url), announced, time_zone="Asia/Shanghai", language_hint=hint)


def refused(fetched: Page, announced: Entry | None = None) -> str:
    with pytest.raises(NewsError) as caught:
        extract_article(fetched, announced or entry(), time_zone="UTC", language_hint="en")
    return caught.value.outcome


def test_an_article_is_the_text_and_nothing_around_it():
    article = extract("english.html")
    paragraphs = article.text.split("\n")

    assert article.url == URL
    assert article.language == "en"
    assert paragraphs[-4].startswith("China and Russia will open")
    assert paragraphs[-2].endswith("talks on a rail link <still unnamed> would go on.")
    assert paragraphs[-1].startswith("Traders expect")
    for noise in ("Copyright", "Other news", "track(", "Home"):
        assert noise not in article.text


def test_the_page_gives_title_date_authors_and_address_where_the_feed_has_none():
    article = extract("english.html")

    assert article.title == "Grain corridor opens in June"
    assert article.published_at == datetime(2024, 5, 16, 1, 30, tzinfo=UTC)
    assert article.published_at_source == "page"
    assert article.modified_at == datetime(2024, 5, 16, 4, tzinfo=UTC)
    assert article.author == "Ann Writer, Li Ming"
    assert article.canonical_url == "https://www.times.example/2024/05/16/grain-corridor"


def test_the_feed_s_title_and_date_win():
    said = datetime(2024, 5, 15, 8, tzinfo=UTC)
    article = extract("english.html", entry(title="A new way for grain", published_at=said))

    assert (article.title, article.published_at, article.published_at_source) == ("A new way for grain", said, "feed")


def test_a_day_alone_in_a_feed_is_known_as_such_and_no_later_than_the_page_was_read():
    body = (DATA / "english.html").read_bytes()
    told = Entry("https://www.times.example/rss", URL, "", NOW + timedelta(hours=3), f"{NOW:%Y-%m-%d}")
    article = extract_article(page(body), told, time_zone="Asia/Shanghai")

    assert (article.published_at, article.published_at_source, article.has_time) == (NOW, "feed", False)
    assert extract("english.html").has_time


def test_a_title_that_the_feed_cut_is_taken_from_the_page():
    assert extract("english.html", entry(title="Grain corridor op…")).title == "Grain corridor opens in June"


def test_a_chinese_page():
    article = extract("chinese.html", url="https://www.invented.example/world/20240516/c.html")

    assert article.language == "zh"
    assert article.title == "两国外长在北京举行会谈"
    assert article.text.count("\n") >= 2
    assert "共同签署了2025年外交部磋商计划" in article.text
    assert "版权所有" not in article.text
    assert article.published_at == datetime(2024, 5, 16, 4, tzinfo=UTC)


def test_a_russian_page_in_its_old_encoding():
    body = (DATA / "russian_plain.html").read_text(encoding="utf-8").encode("cp1251")
    article = extract_article(
        page(body, content_type="text/html"), entry(), time_zone="Europe/Moscow", language_hint="ru"
    )

    assert article.language == "ru"
    assert "зерновой коридор в июне" in article.text
    assert article.published_at is None
    assert article.published_at_source is None


@pytest.mark.parametrize(
    ("path", "day"),
    [
        ("/2024/05/16/story.html", 16),
        ("/2024-05-16/story", 16),
        ("/world/20240516/ab12cd/c.html", 16),
        ("/n1/2024/0516/c1002-1.html", 16),
        ("/web/202405/t20240516_11300001.shtml", 16),
        ("/internation/2024_05_16_734000.shtml", 16),
        ("/story/20240599/1.html", None),
        ("/2099/05/16/story.html", None),
        ("/docs/1120240516123/story", None),
        ("/202405/1312345.shtml", None),
    ],
)
def test_the_date_in_an_address_is_used_when_feed_and_page_have_none(path, day):
    body = (DATA / "russian_plain.html").read_bytes().replace(b"windows-1251", b"utf-8")
    url = f"https://gazeta.example{path}"
    article = extract_article(page(body, url), entry(url), time_zone="UTC", language_hint="ru")

    assert article.published_at == (datetime(2024, 5, day, 12, tzinfo=UTC) if day else None)
    assert article.has_time == (day is None)
    assert article.published_at_source == ("url" if day else None)


def test_a_page_built_by_scripts_gives_the_text_of_its_linked_data():
    article = extract("script_only.html")

    assert article.text.startswith("Talks on the second pipeline resumed")
    assert article.published_at == datetime(2024, 5, 16, 4, tzinfo=UTC)


def test_the_same_page_gives_the_same_article_every_time():
    assert len({extract("english.html") for _ in range(6)}) == 1


@pytest.mark.parametrize(
    "href",
    [
        "https://www.times.example/",
        "https://other.example/2024/05/16/grain-corridor",
        "javascript:void(0)",
        "http://[broken",
        "/",
        "",
    ],
)
def test_a_canonical_link_that_cannot_be_trusted_is_dropped(href):
    body = (DATA / "english.html").read_text(encoding="utf-8")
    wanted = "https://www.times.example/2024/05/16/grain-corridor?utm_source=canonical"
    fetched = page(body.replace(wanted, href).encode())

    assert extract_article(fetched, entry(), time_zone="UTC", language_hint="en").canonical_url == ""


def test_a_relative_canonical_link_of_the_mobile_twin_is_followed():
    body = (DATA / "english.html").read_text(encoding="utf-8").replace("https://www.times.example/2024", "/2024")
    fetched = page(body.encode(), "https://m.times.example/news/1")

    found = extract_article(fetched, entry(), time_zone="UTC", language_hint="en").canonical_url
    assert found == "https://m.times.example/2024/05/16/grain-corridor"


@pytest.mark.parametrize(
    ("body", "content_type", "outcome"),
    [
        (b"%PDF-1.7 ...", "text/html", "not_html"),
        (b"\x89PNG....", "", "not_html"),
        (b'{"error": 1}', "text/html", "not_html"),
        (b"<html></html>", "application/pdf", "not_html"),
        (b"<html></html>", "image/png", "not_html"),
        (b"", "text/html", "not_html"),
        (b"   \n", "text/html", "not_html"),
        (b"<html><body><div>" + b"<span>a</span>" * 20_000 + b"</div></body></html>", "text/html", "too_large"),
        (b"<html><body>" + b"<div><p>a</p></div>" * 30_000 + b"</body></html>", "text/html", "too_large"),
        (b"<html><body></body></html>", "text/html", "no_text"),
    ],
)
def test_what_is_no_article_ends_in_its_word(body, content_type, outcome):
    assert refused(page(body, content_type=content_type)) == outcome


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("ukrainian.html", "other_language"), ("cookie_wall.html", "no_text"), ("../feeds/challenge.html", "bot_wall")],
)
def test_a_page_that_is_of_no_use_ends_in_its_word(name, outcome):
    assert refused(page((DATA / name).read_bytes())) == outcome


def test_an_article_that_moved_to_the_front_page_has_no_text():
    body = (DATA / "english.html").read_bytes()

    assert refused(page(body, final_url="https://www.times.example/")) == "no_text"


def test_an_article_that_carries_a_wall_s_script_is_still_an_article():
    body = (DATA / "english.html").read_bytes().replace(b"</body>", b'<script src="/cf-chl-x.js"></script></body>')

    assert extract_article(page(body), entry(), time_zone="UTC", language_hint="en").language == "en"


def test_linked_data_that_is_broken_or_endless_does_no_harm():
    body = (DATA / "english.html").read_bytes()
    script = b'<script type="application/ld+json">'
    for data in (b"{", b"[" * 100_000, b'[{"headline": 1, "datePublished": [], "author": {"name": [1]}}]', b'"x"'):
        fetched = page(body.replace(b"</head>", script + data + b"</script></head>"))
        assert extract_article(fetched, entry(), time_zone="UTC", language_hint="en").author == "Ann Writer, Li Ming"


def test_a_date_of_the_page_is_never_in_the_future():
    body = (DATA / "english.html").read_bytes().replace(b"2024-05-16T", b"2031-05-16T")
    article = extract_article(
        replace(page(body), url=URL, final_url=URL), entry(), time_zone="Asia/Shanghai", language_hint="en"
    )

    assert article.published_at is None or article.published_at <= NOW


def test_a_page_without_an_html_element_is_read_without_its_date():
    text = "The two presidents met in Beijing on Thursday and signed a joint statement on trade and energy. " * 4
    fetched = page(f'<map/0.9" xmlns:a="b"><p>{text}</p><p>{text}</p></map>'.encode())

    assert extract_article(fetched, entry(title="Talks"), time_zone="UTC", language_hint="en").published_at is None
