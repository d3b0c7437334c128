"""Every kind of feed, read from recorded files; what is no feed ends in the word that says so."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.newswatch.feeds import parse_feed
from include.newswatch.model import Feed, FeedDocument, NewsError

DATA = Path(__file__).parent / "data" / "feeds"
NOW = datetime(2024, 5, 17, tzinfo=UTC)


def feed_at(url: str, *, kind: str = "rss", time_zone: str = "UTC", article_pattern: str = "") -> Feed:
    return Feed(url, "Outlet", "en", "CN", "china_state", kind, time_zone=time_zone, article_pattern=article_pattern)


def read(name: str, feed: Feed | None = None, content_type: str = "") -> FeedDocument:
    return parse_feed(
        (DATA / name).read_bytes(), feed or feed_at("https://x.example/feed"), content_type=content_type, now=NOW
    )


def refused(body: bytes, feed: Feed | None = None) -> NewsError:
    with pytest.raises(NewsError) as caught:
        parse_feed(body, feed or feed_at("https://x.example/feed"), now=NOW)
    return caught.value


def rss(*items: str) -> bytes:
    return f'<rss version="2.0"><channel><title>t</title>{"".join(items)}</channel></rss>'.encode()


# --- RSS, Atom, RDF, JSON --------------------------------------------------------------------------------------------


def test_rss_entries_are_plain_canonical_and_dated():
    document = read("wire.rss", feed_at("https://wire.example/rss", time_zone="Europe/Moscow"))
    first = document.entries[0]

    assert (document.kind, document.ttl_minutes) == ("rss", 15)
    assert first.url == "https://wire.example/news/grain-corridor"
    assert first.title == "China & Russia agree on grain corridor"
    assert first.summary == "The corridor opens in June. It is the third."
    assert first.published_at == datetime(2024, 5, 16, 6, 30, tzinfo=UTC)
    assert first.published_raw == "Thu, 16 May 2024 09:30:00 +0300"
    assert first.feed_url == "https://wire.example/rss"


def test_one_address_is_one_entry_and_what_has_no_web_address_is_left_out():
    assert [entry.url for entry in read("wire.rss").entries] == [
        "https://wire.example/news/grain-corridor",
        "https://wire.example/news/relative-link",
        "https://wire.example/news/permalink",
    ]


def test_a_date_without_a_zone_is_the_outlet_s_and_a_future_one_is_none():
    entries = read("wire.rss", feed_at("https://wire.example/rss", time_zone="Europe/Moscow")).entries

    assert entries[1].published_at == datetime(2024, 5, 16, 9, tzinfo=UTC)
    assert entries[1].summary == "Only the full text is given."
    assert (entries[2].published_at, entries[2].published_raw) == (None, "Wed, 29 Jun 2099 15:07:41 GMT")


def test_atom_links_are_the_alternate_ones_and_relative_ones_resolve():
    document = read("council.atom", feed_at("https://council.example/events/feed"))

    assert document.kind == "atom"
    assert [entry.url for entry in document.entries] == [
        "https://council.example/events/1",
        "https://council.example/events/2",
    ]
    assert document.entries[0].title == "Переговоры «на полях» форума"
    assert document.entries[0].published_at == datetime(2024, 5, 16, 7, 15, tzinfo=UTC)
    assert document.entries[1].published_at == datetime(2024, 5, 15, 7, 15, tzinfo=UTC)


def test_rdf_takes_its_date_from_dublin_core_and_its_rhythm_from_syndication():
    document = read("radio.rdf")

    assert (document.kind, document.ttl_minutes) == ("rdf", 30)
    assert document.entries[0].title == "中俄两国外长举行会谈"
    assert document.entries[0].published_at == datetime(2024, 5, 16, 8, tzinfo=UTC)


def test_json_feed():
    document = read("desk.json")

    assert document.kind == "json_feed"
    assert [entry.url for entry in document.entries] == [
        "https://desk.example/1",
        "https://desk.example/2",
        "https://desk.example/3",
    ]
    assert document.entries[0].summary == "Talks resumed."
    assert document.entries[0].published_at == datetime(2024, 5, 16, 1, tzinfo=UTC)
    assert (document.entries[2].published_at, document.entries[2].published_raw) == (None, "yesterday")


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("cp1251_says_utf8.rss", "Россия и Китай подписали соглашение о поставках зерна"),
        ("gb18030_says_utf8.rss", "中俄签署粮食供应协议"),
        ("koi8r.rss", "Россия и Китай подписали соглашение о поставках зерна"),
        ("utf16.rss", "Россия и Китай подписали соглашение о поставках зерна"),
    ],
)
def test_a_wrong_or_rare_encoding_is_read(name, title):
    entry = read(name, content_type="text/xml; charset=utf-8" if "utf8" in name else "").entries[0]

    assert entry.title == title
    assert entry.published_at is not None


def test_a_gzip_file_is_unpacked():
    body = gzip.compress((DATA / "news_sitemap.xml").read_bytes())

    assert len(parse_feed(body, feed_at("https://times.example/news.xml.gz"), now=NOW).entries) == 2


def test_a_cut_feed_keeps_what_arrived():
    body = (DATA / "wire.rss").read_bytes()

    assert len(parse_feed(body[: body.index(b"Relative link")], feed_at("https://wire.example/"), now=NOW).entries) == 1


def test_an_empty_channel_is_a_feed_without_entries():
    assert parse_feed(rss(), feed_at("https://x.example/"), now=NOW).entries == ()


def test_entries_beyond_the_limit_are_not_read():
    body = rss(*(f"<item><title>{n}</title><link>https://x.example/{n}</link></item>" for n in range(30)))
    document = parse_feed(body, feed_at("https://x.example/"), now=NOW, max_entries=10)

    assert [entry.title for entry in document.entries] == [str(n) for n in range(10)]


def test_a_pattern_selects_entries_of_every_kind():
    feed = feed_at("https://wire.example/rss", article_pattern=r"/news/(relative|perma)")

    assert len(read("wire.rss", feed).entries) == 2


def test_feedburner_s_own_link_gives_way_to_the_publisher_s():
    body = (
        b'<rss version="2.0" xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"><channel><item><title>t</title>'
        b"<link>https://feeds.example/~r/1</link><feedburner:origLink>https://a.example/1</feedburner:origLink>"
        b"</item></channel></rss>"
    )

    assert parse_feed(body, feed_at("https://feeds.example/a"), now=NOW).entries[0].url == "https://a.example/1"


# --- sitemaps --------------------------------------------------------------------------------------------------------


def test_a_news_sitemap_is_a_feed():
    document = read("news_sitemap.xml", feed_at("https://times.example/sitemap.xml", time_zone="Asia/Shanghai"))
    first, second = document.entries

    assert document.kind == "news_sitemap"
    assert first.url == "https://times.example/page/202405/1312345.shtml"
    assert first.title == "Trade & transport on the agenda"
    assert first.published_at == datetime(2024, 5, 16, 6, 20, tzinfo=UTC)
    assert second.published_at == datetime(2024, 5, 16, 4, tzinfo=UTC)


def test_a_plain_sitemap_gives_what_changed_lately_newest_first_and_calls_no_change_a_publication():
    document = read("plain_sitemap.xml")

    assert [entry.url[-3:] for entry in document.entries] == ["102", "101"]
    assert [entry.published_at for entry in document.entries] == [None, None]


def test_a_sitemap_index_names_its_children():
    error = refused((DATA / "sitemap_index.xml").read_bytes())

    assert error.outcome == "not_a_feed"
    assert "https://agency.example/sitemap_news1.xml" in error.detail


# --- list pages ------------------------------------------------------------------------------------------------------


def test_a_list_page_gives_its_article_links_with_titles_and_printed_dates():
    feed = feed_at(
        "https://ministry.example/web/zyxw/",
        kind="list_page",
        time_zone="Asia/Shanghai",
        article_pattern=r"ministry\.example/.+/t\d{8}_\d+\.shtml",
    )
    document = read("ministry_list.html", feed)

    assert document.kind == "list_page"
    assert [(entry.url, entry.title) for entry in document.entries] == [
        ("https://ministry.example/web/zyxw/202405/t20240516_11300001.shtml", "两国外长在北京举行会谈"),
        (
            "https://ministry.example/web/zyxw/202405/t20240515_11300002.shtml",
            "发言人就双边贸易问题答记者问（全文）",
        ),
    ]
    assert document.entries[0].published_at == datetime(2024, 5, 16, 4, tzinfo=UTC)


def test_a_list_page_is_read_with_its_base_and_its_time_elements():
    feed = feed_at(
        "https://president.example/events/president/news",
        kind="list_page",
        time_zone="Europe/Moscow",
        article_pattern=r"/president/\w+/\d{4,}",
    )
    document = read("kremlin_like_list.html", feed)

    assert [entry.url for entry in document.entries] == [
        "http://president.example/events/president/news/74048",
        "http://president.example/events/president/news/74049",
    ]
    assert document.entries[0].published_at == datetime(2024, 5, 16, 8, 30, tzinfo=UTC)
    assert document.entries[1].published_at == datetime(2024, 2, 8, 9, 5, tzinfo=UTC)


def test_a_list_page_without_a_pattern_takes_the_outlet_s_own_headlines():
    document = read("front_page.html", feed_at("https://www.outlet.example/", kind="list_page"))

    assert [entry.title for entry in document.entries] == [
        "Grain corridor opens in June",
        "Summit ends with a statement on trade",
    ]


def test_a_list_page_may_turn_out_to_be_a_feed():
    assert read("wire.rss", feed_at("https://wire.example/", kind="list_page")).kind == "rss"


def test_a_list_page_without_articles_is_refused():
    error = refused(
        b"<html><body><a href='/about'>About</a></body></html>", feed_at("https://x.example/", kind="list_page")
    )

    assert error.outcome == "not_a_feed"


# --- what is no feed -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rss", "list_page"])
@pytest.mark.parametrize("name", ["challenge.html", "reload_wall.html"])
def test_a_challenge_page_is_a_bot_wall(name, kind):
    assert refused((DATA / name).read_bytes(), feed_at("https://x.example/", kind=kind)).outcome == "bot_wall"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "nothing came"),
        (b"\xef\xbb\xbf \n", "nothing came"),
        (b'{"error": "rate limited"}', "JSON without items"),
        (b"[1, 2]", "JSON without items"),
        (b'{"items": [', "broken JSON"),
        (b"<!DOCTYPE html><html><body><h1>Not found</h1></body></html>", "an HTML page"),
        (b"Service unavailable", "plain text"),
        (b"<note><to>you</to></note>", "x.example"),
    ],
)
def test_what_is_no_feed_is_called_by_its_name(body, words):
    error = refused(body)

    assert error.outcome == "not_a_feed"
    assert words in error.detail


def test_a_gzip_bomb_is_too_large():
    assert refused(gzip.compress(bytes(60_000_000), 1)).outcome == "too_large"


# --- hostile feeds ---------------------------------------------------------------------------------------------------


def test_entities_are_not_expanded_and_files_not_read():
    body = (
        b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "boom"><!ENTITY x SYSTEM "file:///etc/hostname">]>'
        b"<rss version='2.0'><channel><item><title>&a;&x;</title><link>https://x.example/1</link></item></channel></rss>"
    )
    entry = parse_feed(body, feed_at("https://x.example/"), now=NOW).entries[0]

    assert "boom" not in entry.title
    assert not Path("/etc/hostname").exists() or Path("/etc/hostname").read_text().strip() not in entry.title


@pytest.mark.parametrize(
    "title",
    [
        "<script>alert(1)</script>Talks",
        "&lt;script&gt;alert(1)&lt;/script&gt;Talks",
        "&amp;lt;img src=x onerror=alert(1)&amp;gt;Talks",
        "<![CDATA[<svg/onload=alert(1)>Talks]]>",
        "Talks\x00\x08\u202e\u200b",
    ],
)
def test_nothing_of_a_title_is_markup(title):
    body = rss(f"<item><title>{title}</title><link>https://x.example/1</link></item>")
    entry = parse_feed(body, feed_at("https://x.example/"), now=NOW).entries[0]

    assert entry.title.endswith("Talks")
    assert "<" not in entry.title
    assert entry.title.isprintable()


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(f"<author>a@{'a.' * 40_000}</author>", id="author"),
        pytest.param(f"<author><![CDATA[a@{'a.' * 40_000}]]></author>", id="author in CDATA"),
        pytest.param("<description>" + "&lt;!--" * 50_000 + "</description>", id="open comments"),
        pytest.param("<description>" + "&lt;div&gt;" * 20_000 + "</description>", id="deep HTML"),
        pytest.param("<category " + " ".join(f"a{n}='1'" for n in range(30_000)) + "/>", id="attributes"),
        pytest.param(f"<pubDate>{'1 ' * 40_000}</pubDate>", id="endless date"),
        pytest.param("<b>" * 5000, id="deep XML"),
    ],
)
def test_inputs_that_are_quadratic_elsewhere_are_quick_here(item):
    body = rss(f"<item><title>t</title><link>https://x.example/1</link>{item}</item>")
    started = datetime.now(UTC)

    assert len(parse_feed(body, feed_at("https://x.example/"), now=NOW).entries) == 1
    assert (datetime.now(UTC) - started).total_seconds() < 3


# Found by fuzzing: each of these once raised something that was no NewsError.
@pytest.mark.parametrize(
    "reference", ["&#99999999;", "&#xD800;", "&#0;", "&#xFFFFFFFFFFFFFFFFFF;", "&#" + "9" * 5000 + ";"]
)
def test_a_reference_to_no_character_costs_nothing_but_itself(reference):
    body = rss(f"<item><title>Talks{reference}</title><link>https://x.example/1</link></item>")

    assert parse_feed(body, feed_at("https://x.example/"), now=NOW).entries[0].title == "Talks"


@pytest.mark.parametrize(
    "title", ["<html>", "<body>Talks</body>", "<frameset>", "<!doctype html>", "</div></div>Talks"]
)
def test_a_title_may_be_any_piece_of_html(title):
    body = rss(f"<item><title><![CDATA[{title}]]></title><link>https://x.example/1</link></item>")

    assert parse_feed(body, feed_at("https://x.example/"), now=NOW).entries[0].title in ("Talks", "")


@pytest.mark.parametrize(
    ("body", "kind", "outcome"),
    [
        (b"<sitemapindex><sitemap><http://a.example/1<loc>", "rss", "not_a_feed"),
        (b"<urlset><url><a:b:c:>", "rss", None),
        (b'<base href="http://["><!DOCTYPE html><html><a href="/1">x</a></html>', "list_page", "not_a_feed"),
        (b'<rss xml:base="http://["><channel><item><link>/1</link></item></channel></rss>', "rss", None),
        (b'{"items": [{"url": "/1"}], "home_page_url": "http://["}', "rss", None),
        (
            b"<rss><channel><item><link>http://a.example:99999/</link><link>http://a..b/</link></item></rss>",
            "rss",
            None,
        ),
        ("<rss><channel><item><link>https://例え.jp/é</link></item></rss>".encode("gb18030"), "rss", None),
    ],
)
def test_broken_addresses_and_names_break_nothing(body, kind, outcome):
    feed = feed_at("https://x.example/feed", kind=kind)
    if outcome:
        assert refused(body, feed).outcome == outcome
    else:
        parse_feed(body, feed, now=NOW)


def test_white_space_in_the_name_of_a_namespace_costs_nothing():
    body = (DATA / "radio.rdf").read_bytes().replace(b'"http://purl.org/dc', b'" http://purl.org/dc')

    entry = parse_feed(body, feed_at("https://x.example/"), now=NOW).entries[0]
    assert entry.published_at == datetime(2024, 5, 16, 8, tzinfo=UTC)


def test_long_fields_are_cut():
    body = rss(
        f"<item><title>t</title><link>https://x.example/1</link><description>{'a ' * 300_000}</description></item>"
    )

    assert len(parse_feed(body, feed_at("https://x.example/"), now=NOW).entries[0].summary) <= 200_000
