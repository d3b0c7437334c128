"""How well copies and stories are found, and what a run of new reports costs beside many old ones.

    python -m benchmarks.stories labelled [--write]     the labelled reports through the real scorer
    python -m benchmarks.stories copies PAGES           edits of real pages (NAME.html or NAME.html.gz)
    python -m benchmarks.stories cost [--old 10000 1000000]

`labelled --write` also keeps what the scorer found in tests/data/stories.jsonl, for the fast tests.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from include.newswatch import archive, warehouse
from include.newswatch.articles import extract_article
from include.newswatch.model import Entry, NewsError, Page
from include.newswatch.scoring import load_scorer
from include.newswatch.stories import Membership, Story, StoryArticle, StoryChange, find_copies, tell_stories
from tests.labelled import FILE, START, TUNED_UNTIL, pairs, pairwise_f1, read_rows, to_article, what_stories_need

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


# ── labelled ────────────────────────────────────────────────────────────────────────────────────────────────────────


def judge_labelled(write: bool) -> None:
    """Pairwise F1 of the half that the thresholds were tuned on, of the held-out half, and of both at once."""
    rows, scorer = read_rows(), load_scorer()
    scores = [scorer.score(row["title"], row["text"], row["language"]) for row in rows]
    rows = [row | what_stories_need(score) for row, score in zip(rows, scores, strict=True)]
    if write:
        FILE.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    about = [row for row, score in zip(rows, scores, strict=True) if score.relevance_class > 0]
    print(f"scorer {scorer.version}: {len(about)} of {len(rows)} reports are about the relation")
    labels = {row["article_id"]: row["story"] for row in rows}
    articles = [to_article(row) for row in about]
    for name, part in (
        ("tuned on", [a for a in articles if a.reported_at < TUNED_UNTIL]),
        ("held out", [a for a in articles if a.reported_at >= TUNED_UNTIL]),
        ("both", articles),
    ):
        found = {row.article_id: row.story_id for row in tell_stories(part, START.date()).memberships}
        hours = [(a.reported_at - START).total_seconds() / 3600 for a in part]
        wanted = {row["article_id"]: row["story"] for row in rows if min(hours) <= row["hours"] <= max(hours)}
        print(
            f"{name}: {len(wanted)} reports, {len(set(wanted.values()))} stories, F1 {pairwise_f1(found, wanted):.3f}"
        )
        for one, other in sorted(pairs(found) ^ pairs(wanted)):
            kind = "wrongly together" if (one, other) in pairs(found) else "wrongly apart"
            print(f"  {kind}: {labels[one]} {one}, {labels[other]} {other}")


# ── copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _reprint(text: str, chance: random.Random) -> str:
    """With an agency line, another first sentence, two paragraphs swapped, and the end cut."""
    lines = text.split("\n")
    if len(lines) > 3:
        at = chance.randrange(1, len(lines) - 1)
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
    body = "\n".join(lines)
    return "MOSCOW/BEIJING, 1 June (Agency) - As was reported earlier today.\n" + body[: len(body) * 92 // 100]


def _cut(text: str, chance: random.Random) -> str:
    return text[: len(text) * 6 // 10]


def _cut_middle(text: str, chance: random.Random) -> str:
    start = chance.randrange(len(text) * 4 // 10)
    return text[start : start + len(text) * 6 // 10]


def _words_changed(text: str, chance: random.Random) -> str:
    words = text.split(" ") if " " in text[:200] else list(text)
    return (" " if " " in text[:200] else "").join(word if chance.random() > 0.03 else "其他" for word in words)


def _fuller(text: str, chance: random.Random) -> str:
    """The flash is the earlier text: here the first half of it, and the page itself the fuller version."""
    return text[: len(text) // 2]


LANGUAGES = ("en", "ru", "zh")
EDITS: dict[str, Callable[[str, random.Random], str]] = {
    "reprint": _reprint,
    "cut to the first 60 %": _cut,
    "60 % from anywhere": _cut_middle,
    "3 % of words changed": _words_changed,
    "earlier flash of half the length": _fuller,
}


def judge_copies(folder: Path) -> None:
    """Recall of each edit by language, and pairs of unlike pages taken for copies."""
    originals = read_pages(sorted(folder.rglob("*.html*")))
    print(
        f"{len(originals)} texts:", {language: sum(a.language == language for a in originals) for language in LANGUAGES}
    )
    started = time.perf_counter()
    alike = find_copies(originals)
    print(f"pairs among the pages themselves taken for copies: {len(alike)} in {time.perf_counter() - started:.2f} s")
    by_id = {article.article_id: article for article in originals}
    for key, (original, share) in list(alike.items())[:20]:
        print(f"  {share:.2f} {by_id[key].title[:60]!r} and {by_id[original].title[:60]!r}")
    originals = [
        a for a in originals if a.article_id not in alike and a.article_id not in {o for o, _ in alike.values()}
    ]
    for name, edit in EDITS.items():
        chance = random.Random(0)
        is_earlier = edit is _fuller
        shift = timedelta(hours=-2 if is_earlier else 2)
        edited = [
            replace(
                a,
                article_id=a.article_id + 10_000,
                title="?",
                text=edit(a.text, chance),
                reported_at=a.reported_at + shift,
            )
            for a in originals
        ]
        copies = find_copies(sorted([*originals, *edited], key=lambda a: (a.reported_at, a.article_id)))
        found = {key: original for key, (original, _) in copies.items()}
        right, n_wrong = [], 0
        for article in originals:
            one, other = article.article_id, article.article_id + 10_000
            hit = found.get(one) == other if is_earlier else found.get(other) == one
            right.append((article.language, hit))
        n_wrong = sum(abs(key - original) != 10_000 for key, original in found.items())
        shares = {
            language: statistics.mean(hit for spoken, hit in right if spoken == language) for language in LANGUAGES
        }
        print(f"{name:34} recall {statistics.mean(hit for _, hit in right):.3f}", end="  ")
        print("  ".join(f"{language} {share:.3f}" for language, share in shares.items()), f" wrong pairs {n_wrong}")


def read_pages(files: Sequence[Path]) -> list[StoryArticle]:
    found = []
    for number, file in enumerate(files):
        body = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        url = f"https://pages.example/{number}-page-1.html"
        page = Page(url, url, 200, {"content-type": "text/html"}, body, NOW)
        try:
            article = extract_article(page, Entry("https://pages.example/feed", url, ""), time_zone="UTC")
        except NewsError:
            continue
        found.append(
            StoryArticle(
                number, number, f"outlet {number}", "third", article.language, article.title, article.text,
                NOW + timedelta(seconds=number), 0.9, None, (), (), (), (),
            )
        )  # fmt: skip
    return found


# ── cost ────────────────────────────────────────────────────────────────────────────────────────────────────────────

FILL = """
insert into articles by name
select
    i as article_id, concat('https://a.example/', i) as url, '' as feed_url, concat('outlet ', i % 200) as outlet,
    'RU' as country, 'third' as side, 'en' as "language", $title || i::text as title,
    (
        -- Words of five letters, a few of them frequent and most of them rare.
        select string_agg(
            translate((30000 + 20000 * pow(hash(i * 1000 + w) % 1000 / 1e3, 3))::int::text, '0123456789', 'bcdfghjkmp'),
            ' '
        )
        from range(400) as t(w)
    ) as "text",
    '' as author, $at::timestamptz - to_seconds((i - $first) * $spread_s // $n) as first_seen_at,
    first_seen_at as fetched_at,
    sha256(i::text) as text_sha256, case when $is_old and i % 3 = 0 then i end as story_id
from range($first, $first + $n) as r(i)
"""


def measure_cost(n_old: int, n_new: int = 500, n_recent: int = 3000) -> None:
    """Old reports are spread over years at the rate of n_recent in seven days; one in three is about the relation."""
    with tempfile.TemporaryDirectory() as folder, warehouse.open_warehouse(Path(folder) / "w.duckdb") as connection:
        day_s = 86_400
        spread_s = 7 * day_s * n_old // (3 * n_recent)
        run_at = NOW - timedelta(hours=1)
        _fill(connection, 0, n_old, run_at, spread_s, is_old=True)
        _fill(connection, n_old, n_new, NOW, 1800, is_old=False)
        connection.execute("checkpoint")
        moments = [time.process_time()]
        articles = warehouse.find_story_articles(connection, run_at)
        moments.append(time.process_time())
        told = tell_stories(articles, NOW.date())
        moments.append(time.process_time())
        warehouse.save_stories(
            connection,
            archive.to_table(told.memberships, Membership),
            archive.to_table(told.stories, Story),
            archive.to_table(told.changes, StoryChange),
        )
        moments.append(time.process_time())
        find_s, tell_s, save_s = (later - earlier for earlier, later in pairwise(moments))
        print(
            f"{n_new} new beside {n_old:9,} old: {moments[-1] - moments[0]:.2f} CPU s (find {find_s:.2f},"
            f" tell {tell_s:.2f}, save {save_s:.2f}), {len(articles)} reports looked at, {len(told.stories)} stories"
        )


def _fill(
    connection: warehouse.Connection, first: int, n: int, newest: datetime, spread_s: int, *, is_old: bool
) -> None:
    title = "China and Russia speak of subject "
    values = {"first": first, "n": n, "at": newest, "spread_s": spread_s, "title": title, "is_old": is_old}
    connection.execute(FILL, values)
    connection.execute(
        """
        insert into scores
        select article_id, article_id, 'v', text_sha256, first_seen_at, 0.9,
            case when $is_old and article_id % 3 > 0 then 0 else 2 end as class,
            case when class = 2 then 3.0 end, case when class = 2 then 1 end, true
        from articles where article_id >= $first
        """,
        {"first": first, "is_old": is_old},
    )
    for table, name in (("article_actors", "actor"), ("article_themes", "theme"), ("article_places", "place")):
        more = ", '', ''" if name == "actor" else ""
        connection.execute(
            f"""
            insert into {table}
            select distinct article_id, concat('{name} ', hash(article_id * 7 + k) % 60) {more}
            from articles cross join range(3) as r(k) where article_id >= $first
            """,  # noqa: S608 names are ours
            {"first": first},
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    labelled = commands.add_parser("labelled")
    labelled.add_argument("--write", action="store_true")
    commands.add_parser("copies").add_argument("pages", type=Path)
    commands.add_parser("cost").add_argument("--old", type=int, nargs="+", default=[10_000, 1_000_000])
    args = parser.parse_args()
    if args.command == "labelled":
        judge_labelled(args.write)
    elif args.command == "copies":
        judge_copies(args.pages)
    else:
        for n_old in args.old:
            measure_cost(n_old)


if __name__ == "__main__":
    main()
