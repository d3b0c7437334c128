"""The operator's work: import, backfill, rescore, re-extract, a feed on trial, tidying up; each twice adds nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from include.newswatch import outputs, pipeline, upkeep, warehouse
from include.newswatch.__main__ import main
from include.newswatch.archive import read_pages
from include.newswatch.model import NewsError, SettingsError
from include.newswatch.settings import Settings
from tests.loopback import loopback, says
from tests.newsroom.serve import feed_rows, free_port, load_articles, newsroom_settings, open_newsroom
from tests.test_archive import record
from tests.test_pipeline import contents, walk

PORT = free_port()
pytestmark = pytest.mark.usefixtures("one_parser")
NOW = datetime.now(UTC).replace(microsecond=0)
N_ARTICLES = len(load_articles())
PRESENT = "select count(*) from current_scores where scorer_version not like '% earlier'"
ALWAYS = upkeep.Selection(NOW.date() - timedelta(days=60), NOW.date() + timedelta(days=1))


@pytest.fixture(scope="module")
def newsroom() -> Iterator[None]:
    with open_newsroom(PORT, NOW):
        yield


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory, newsroom: None) -> Path:
    """A data folder after one run of the road."""
    folder = tmp_path_factory.mktemp("monitored")
    walk(newsroom_settings(folder, PORT), "one", NOW)
    return folder


@pytest.fixture
def settings(monitored: Path, tmp_path: Path) -> Settings:
    """A copy of it: files of its own, so that the archive has moved as well."""
    shutil.copytree(monitored, tmp_path, dirs_exist_ok=True)
    return newsroom_settings(tmp_path, PORT)


def finish(settings: Settings, run: pipeline.Run, *steps: object) -> dict[str, object]:
    """The rest of a planned run; what its load says, of the last dyad."""
    for step in steps:
        for batch in run.batches("pages", "tasks"):
            step(settings, batch)  # type: ignore[operator]
    for dyad in settings.by_dyad():
        counts = pipeline.load(dyad, run.folder)
        outputs.publish(dyad)
    return counts


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(settings.published), read_only=True) as published:
        return published.sql(query).fetchall()


def age_scores(database: Path) -> None:
    """As if an earlier version had scored the articles that are irrelevant."""
    with duckdb.connect(str(database)) as connection:
        for table in ("article_actors", "article_places"):  # nothing may point at a key that changes
            connection.execute(
                f"delete from {table} where score_id in (select score_id from scores where relevance_class = 0)"  # noqa: S608
            )
        connection.execute(
            "update scores set scorer_version = scorer_version || ' earlier', score_id = score_id + 1"
            " where relevance_class = 0"
        )


def archived(settings: Settings) -> list[Path]:
    return sorted((settings.data_dir / "archive").rglob("*.warc.gz"))


# ── import ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pages_of_a_foreign_archive_become_articles_as_if_they_had_been_fetched(
    settings: Settings, tmp_path: Path
) -> None:
    empty = replace(settings, data_dir=tmp_path / "other")
    for file in archived(settings):
        run, counts = upkeep.plan_import(empty, str(file), NOW)
        finish(empty, run, pipeline.extract, pipeline.score)
        assert counts["fetched"] == len(list(read_pages(str(file))))
    columns = "url, outlet, side, language, title, text, published_at, text_sha256"
    assert rows(empty, f"select {columns} from articles order by url") == rows(  # noqa: S608 - ours
        settings,
        f"select {columns} from articles order by url",  # noqa: S608 - ours
    )
    scores = "select article_id, relevance, direction from current_scores order by 1"
    assert rows(empty, scores) == rows(settings, scores)
    before = contents(empty.warehouse)
    for file in archived(settings):
        renamed = file.rename(file.with_name(f"again-{file.name}"))
        assert upkeep.plan_import(empty, str(renamed), NOW)[1] == {"already_loaded": True}
    assert contents(empty.warehouse) == before
    both = replace(empty, dyads=("china_russia", "india_china"))
    assert upkeep.plan_import(both, str(archived(settings)[0]), NOW)[1] != {"already_loaded": True}


def test_every_record_of_an_archive_is_counted_once(settings: Settings, tmp_path: Path) -> None:
    host = f"http://127.0.0.21:{PORT}"
    page = next(iter(read_pages(str(archived(settings)[0]))))
    good = record(f"{host}/new.html?utm_source=x", page.body)
    file = tmp_path / "CC-NEWS-1.warc.gz"
    file.write_bytes(
        b"".join([
            good, record(f"{host}/new.html", page.body), record("https://nobody.example/", page.body),
            record(f"{host}/later.html", page.body, **{"WARC-Date": "2099-01-01T00:00:00Z"}),
            record(f"{host}/picture", b"\x89PNG", [("Content-Type", "image/png")]),
            record(f"{host}/huge.html", b"x" * 11_000_000), good[:200],
        ])
    )  # fmt: skip
    run, counts = upkeep.plan_import(settings, str(file), NOW)
    assert counts == {
        "fetched": 2, "parse_error": 2, "repeated": 1, "too_large": 1, "unknown_outlet": 1
    }  # fmt: skip
    finish(settings, run, pipeline.extract, pipeline.score)
    assert rows(settings, f"select url, outcome::text from fetches where run_id = '{run.run_id}' order by url") == [  # noqa: S608
        (f"{host}/huge.html", "too_large"), (f"{host}/later.html", "parse_error"), (f"{host}/new.html", "scored"),
        (f"{host}/picture", "not_html"),
    ]  # fmt: skip
    assert rows(settings, "select next_attempt_at from fetches where outcome = 'too_large'") == [(None,)]


def test_an_older_copy_of_a_page_does_not_replace_the_newer_text(settings: Settings, tmp_path: Path) -> None:
    page = next(iter(read_pages(str(archived(settings)[0]))))
    file = tmp_path / "old.warc.gz"
    file.write_bytes(record(page.final_url, page.body.replace(b"</p>", b" Earlier wording.</p>", 1)))
    before = rows(settings, "select * from articles order by url")
    finish(settings, upkeep.plan_import(settings, str(file), NOW)[0], pipeline.extract, pipeline.score)
    assert rows(settings, "select * from articles order by url") == before


def test_an_import_that_died_goes_on_where_it_stopped(settings: Settings, tmp_path: Path) -> None:
    empty, file = replace(settings, data_dir=tmp_path / "other"), str(archived(settings)[0])
    run, _ = upkeep.plan_import(empty, file, NOW)
    for batch in run.batches("pages", "tasks"):
        pipeline.extract(empty, batch)
    again, counts = upkeep.plan_import(empty, file, NOW + timedelta(hours=1))
    assert (again, counts) == (run, {"continued": True})
    assert upkeep.remaining(again.batches("pages", "tasks"), "extractions") == []
    assert finish(empty, again, pipeline.score)["failed_checks"] == []


# ── rescore, re-extract ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rescore_brings_back_no_text_that_was_replaced_meanwhile(settings: Settings) -> None:
    age_scores(settings.warehouse)
    outputs.publish(settings)
    run, counts = upkeep.plan_rescore(settings, "rescore", ALWAYS, NOW)
    with warehouse.open_warehouse(settings.warehouse) as connection:  # as a re-extraction does
        connection.execute("update articles set text = 'Better. ' || text, text_sha256 = 'better ' || text_sha256")
    finish(settings, run, pipeline.score)
    assert counts["n_articles"] > 0
    assert rows(settings, "select count(*) from articles where not starts_with(text, 'Better. ')") == [(0,)]


def test_rescoring_finds_nothing_while_the_scorer_is_the_same(settings: Settings) -> None:
    run, counts = upkeep.plan_rescore(settings, "rescore", ALWAYS, NOW)
    assert (counts["n_articles"], run.batches("pages", "tasks")) == (0, [])


def test_a_new_scorer_adds_scores_and_keeps_the_old_ones(settings: Settings) -> None:
    age_scores(settings.warehouse)
    outputs.publish(settings)
    (n_earlier,) = rows(settings, "select count(*) from scores where scorer_version like '% earlier'")[0]
    assert n_earlier
    articles = rows(settings, "select * exclude (story_id, copy_of, copy_share) from articles order by url")
    english = replace(ALWAYS, language="en")
    n_english = upkeep.plan_rescore(settings, "english", english, NOW)[1]["n_articles"]
    run, counts = upkeep.plan_rescore(settings, "rescore", ALWAYS, NOW)
    assert counts["n_articles"] == n_earlier > n_english
    finish(settings, run, pipeline.score)
    assert rows(settings, "select count(*) from scores where scorer_version like '% earlier'") == [(n_earlier,)]
    assert rows(settings, PRESENT) == [(N_ARTICLES,)]
    assert rows(settings, "select * exclude (story_id, copy_of, copy_share) from articles order by url") == articles
    assert upkeep.plan_rescore(settings, "again", ALWAYS, NOW)[1]["n_articles"] == 0


def test_a_pair_that_is_added_later_gets_earlier_articles_from_the_archive_and_new_scores_like_the_first(
    settings: Settings,
) -> None:
    both = replace(settings, dyads=("china_russia", "india_china"))
    first, later = both.by_dyad()
    before = contents(first.warehouse, but=("runs",))
    finish(both, upkeep.plan_reextract(both, "reextract", ALWAYS, NOW)[0], upkeep.reextract, pipeline.score)
    assert contents(first.warehouse, but=("runs",)) == before
    assert rows(later, "select count(*) from current_scores") == [(N_ARTICLES,)]

    age_scores(later.warehouse)
    outputs.publish(later)
    assert upkeep.plan_rescore(first, "first", ALWAYS, NOW)[1]["n_articles"] == 0
    run, counts = upkeep.plan_rescore(both, "rescore", ALWAYS, NOW)
    assert counts["n_articles"] > 0
    finish(both, run, pipeline.score)
    assert rows(later, PRESENT) == [(N_ARTICLES,)]
    assert contents(first.warehouse, but=("runs",)) == before
    assert upkeep.plan_rescore(both, "again", ALWAYS, NOW)[1]["n_articles"] == 0


def test_extracting_again_the_same_way_changes_nothing(settings: Settings) -> None:
    before = contents(settings.warehouse, but=("runs",))
    run, counts = upkeep.plan_reextract(settings, "reextract", ALWAYS, NOW)
    assert counts["n_pages"] == N_ARTICLES
    finish(settings, run, upkeep.reextract, pipeline.score)
    assert contents(settings.warehouse, but=("runs",)) == before


def test_what_an_earlier_extraction_got_wrong_is_mended_and_is_no_revision(settings: Settings) -> None:
    right = rows(settings, "select * exclude (story_id, copy_of, copy_share) from articles order by url")
    with warehouse.open_warehouse(settings.warehouse) as connection:
        connection.execute(
            "update articles set text = 'half', text_sha256 = 'x', published_at = null, published_at_source = null"
        )
    outputs.publish(settings)
    run, _ = upkeep.plan_reextract(settings, "reextract", ALWAYS, NOW)
    finish(settings, run, upkeep.reextract, pipeline.score)
    assert rows(settings, "select * exclude (story_id, copy_of, copy_share) from articles order by url") == right


def test_archive_files_that_are_gone_are_counted_and_the_rest_is_extracted(settings: Settings) -> None:
    n_lost = len(list(read_pages(str(archived(settings)[0]))))
    archived(settings)[0].unlink()
    _, counts = upkeep.plan_reextract(settings, "reextract", ALWAYS, NOW)
    assert (counts["n_files_gone"], counts["n_pages"]) == (1, N_ARTICLES - n_lost)


# ── backfill, a feed on trial ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def archive_site(tmp_path: Path) -> Iterator[Settings]:
    """An outlet whose robots.txt names an index of sitemaps, one of them without an end."""
    page = next(row for row in load_articles() if row["outlet"] == feed_rows(PORT)[0]["outlet"])
    html = f"<html><body><article><h1>{page['title']}</h1><p>{page['text']}</p></article></body></html>".encode()

    def urls(*pages: tuple[str, str]) -> bytes:
        return b"<urlset>%s</urlset>" % b"".join(
            f"<url><loc>{base}/{name}</loc><lastmod>{day}</lastmod></url>".encode() for name, day in pages
        )

    routes: dict[str, object] = {}
    with loopback(routes) as server:  # type: ignore[arg-type]
        base = server.url("")
        routes |= {
            "/robots.txt": says(f"User-agent: *\nAllow: /\nSitemap : {base}/index.xml # all\n".encode()),
            "/index.xml": says(
                b"<sitemapindex>%s</sitemapindex>"
                % b"".join(
                    f"<sitemap><loc>{base}/{name}</loc><lastmod>{day}</lastmod></sitemap>".encode()
                    for name, day in (("jan.xml", "2026-01-31"), ("old.xml", "2019-12-31"),
                                      ("broken.xml", "2026-02-01"), ("index.xml", "2026-02-01"))
                )
            ),
            "/jan.xml": says(urls(("a.html", "2026-01-10"), ("b.html", "2026-01-20"), ("c.html", "2026-02-20"))),
            "/old.xml": says(urls(("never.html", "2026-01-10"))),
            "/broken.xml": says(b"<html>no sitemap</html>"),
            "/a.html": says(html, headers={"Content-Type": "text/html; charset=utf-8"}),
            "/b.html": says(html, headers={"Content-Type": "text/html; charset=utf-8"}),
            "/feed.xml": says(b"<rss version='2.0'><channel><title>x</title>%s</channel></rss>" % b"".join(
                f"<item><title>Item {n}</title><link>{base}/{n}</link>"
                f"<pubDate>Tue, 10 Feb 2026 10:{n:02}:00 GMT</pubDate></item>".encode() for n in range(12))),
        }  # fmt: skip
        settings = replace(newsroom_settings(tmp_path, PORT), allow_ports=(server.port,))
        line = ",".join([f"{base}/feed.xml", "Archive Daily", "en", "GB", "third", "rss", "", "UTC", "", "yes", ""])
        header = settings.feeds_csv.read_text(encoding="utf-8").splitlines()[0]
        settings.feeds_csv.write_text(f"{header}\n{line}\n", encoding="utf-8")
        yield settings


def test_a_backfill_fetches_what_the_sitemaps_list_for_the_period(archive_site: Settings) -> None:
    feed_url = archive_site.feeds_csv.read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    period = upkeep.Selection(date(2026, 1, 1), date(2026, 1, 31))
    run, counts = upkeep.plan_backfill(archive_site, "backfill", feed_url, "", period, 10, NOW)
    assert counts == {
        "sitemaps_read": 2, "sitemaps_not_a_feed": 1, "sitemaps_left": 0, "n_found": 2, "n_known": 0, "n_wanted": 2
    }  # fmt: skip
    assert finish(archive_site, run, pipeline.fetch, pipeline.extract, pipeline.score)["failed_checks"] == []
    found = rows(archive_site, "select parse_path(url)[-1], outlet from articles order by url")
    assert found == [("a.html", "Archive Daily"), ("b.html", "Archive Daily")]
    _, again = upkeep.plan_backfill(archive_site, "again", feed_url, "", period, 10, NOW)
    assert (again["n_known"], again["n_wanted"]) == (2, 0)


def test_a_backfill_of_a_feed_that_is_not_listed_is_refused(archive_site: Settings) -> None:
    with pytest.raises(SettingsError, match=r"unlisted\.example"):
        upkeep.plan_backfill(archive_site, "x", "https://unlisted.example/feed", "", ALWAYS, 10, NOW)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(SettingsError, match="2026-01-01, before it begins"):
        upkeep.Selection(date(2026, 2, 1), date(2026, 1, 1))


def test_a_feed_on_trial_shows_ten_entries_and_its_line(archive_site: Settings) -> None:
    feed_url = archive_site.feeds_csv.read_text(encoding="utf-8").splitlines()[1].split(",")[0]
    values = {"url": feed_url, "outlet": "Archive Daily", "language": "en", "country": "GB", "side": "third"}
    with pytest.raises(SettingsError, match="already"):
        upkeep.try_feed(archive_site, values, NOW)
    archive_site.feeds_csv.write_text(archive_site.feeds_csv.read_text(encoding="utf-8").splitlines()[0] + "\n")
    found = upkeep.try_feed(archive_site, values, NOW)
    assert (found["kind"], found["n_entries"], found["n_dated"], len(found["entries"])) == ("rss", 12, 12, 10)
    text = upkeep.render_trial(found)
    assert "2026-02-10 10:00  Item 0" in text
    assert text.endswith(f"{feed_url},Archive Daily,en,GB,third,rss,,UTC,,yes,")
    with pytest.raises(SettingsError, match="side is 'nobody'"):
        upkeep.try_feed(archive_site, values | {"side": "nobody"}, NOW)
    with pytest.raises(NewsError, match="not_a_feed"):
        upkeep.try_feed(archive_site, values | {"url": feed_url.replace("feed.xml", "a.html")}, NOW)


# ── tidying up ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_old_runs_and_months_of_the_archive_are_removed_and_young_ones_stay(settings: Settings) -> None:
    young = upkeep.tidy(settings, NOW)
    assert young == {"n_runs": 0, "n_months": 0, "n_files": 0}
    walk(settings, "two", NOW + timedelta(days=20))
    assert upkeep.tidy(settings, NOW + timedelta(days=20))["n_runs"] == 1
    assert [folder.name for folder in (settings.data_dir / "runs").iterdir()] == ["two"]
    later = NOW + timedelta(days=settings.archive_days + 62)
    assert upkeep.tidy(settings, later)["n_months"] >= 1
    assert archived(settings) == []
    assert upkeep.check_integrity(settings, later) == [], "what retention removed is no fault"


def test_compaction_gives_back_space_and_keeps_every_row(settings: Settings) -> None:
    with warehouse.open_warehouse(settings.warehouse) as connection:
        connection.execute("create table ballast as select random() as x from range(2000000)")
        connection.execute("checkpoint")
        connection.execute("create table behind_it as select random() as x from range(100000)")
        connection.execute("checkpoint")
        connection.execute("drop table ballast")
    before = contents(settings.warehouse)
    sizes = upkeep.compact(settings)
    assert sizes["n_bytes_after"] < sizes["n_bytes_before"] / 2
    assert contents(settings.warehouse) == before
    assert upkeep.compact(settings)["n_bytes_after"] == settings.warehouse.stat().st_size, "twice is not needed"
    walk(settings, "after", NOW + timedelta(hours=2))
    assert upkeep.check_integrity(settings, NOW) == []


def test_the_integrity_check_names_what_is_wrong(settings: Settings) -> None:
    assert upkeep.check_integrity(settings, NOW) == []
    with warehouse.open_warehouse(settings.warehouse) as connection:
        connection.execute("update articles set title = concat(title, '!') where url = (select min(url) from articles)")
        connection.execute("update fetches set run_id = 'nobody' where url = (select min(url) from fetches)")
    outputs.publish(settings)
    gone = archived(settings)[0]
    gone.unlink()
    faults = upkeep.check_integrity(settings, NOW)
    assert len(faults) == 3
    assert faults[0].startswith("ledger rows of a run that is not there: 1 (such as nobody")
    assert faults[1].startswith("texts that differ from their digest: 1")
    assert faults[2] == f"archive files that are gone: 1 (such as {gone})"


def test_the_commands_say_what_they_do_and_leave_by_their_exit_codes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEWSWATCH_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("NEWSWATCH_FEEDS_CSV", str(settings.feeds_csv))
    days = ["--first", f"{ALWAYS.first_day}", "--last", f"{ALWAYS.last_day}"]
    assert main(["rescore", *days, "--language", "ru"]) == 0
    assert main(["rescore", "--first", "2026-02-01", "--last", "2026-01-01"]) == 2
    assert main(["import", "nowhere.warc.gz"]) == 2
    assert main(["maintain"]) == 0
    shown = capsys.readouterr().err
    assert '"n_articles": 0' in shown
    assert "before it begins on 2026-02-01" in shown
    assert "nowhere.warc.gz cannot be read" in shown
    assert '"faults": []' in shown


def test_before_the_first_load_there_is_nothing_to_publish_or_report_and_nothing_to_maintain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEWSWATCH_DATA_DIR", str(tmp_path))
    assert main(["publish"]) == 2
    assert main(["report"]) == 2
    assert main(["maintain"]) == 0
    shown = capsys.readouterr().err
    assert "nothing to publish: " in shown
    assert "relations.duckdb does not exist yet" in shown
    assert '"skipped": "nothing was loaded yet"' in shown
    assert list(tmp_path.rglob("*.duckdb*")) == []


def test_a_pair_that_was_added_is_left_out_of_the_maintenance_until_its_first_load(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSWATCH_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("NEWSWATCH_DYADS", "india_china,china_russia")
    assert main(["maintain"]) == 0
    assert (settings.export_dir / "latest" / "manifest.json").exists()
