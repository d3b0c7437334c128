"""The road and its steps without Airflow: python -m include.newswatch COMMAND --help"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from include.newswatch import outputs, pipeline, upkeep
from include.newswatch.archive import BatchError
from include.newswatch.discover import confirm_source, discover_sources, guess_sources, render_lines
from include.newswatch.feeds import parse_feed
from include.newswatch.model import NewsError, SettingsError
from include.newswatch.report import Period
from include.newswatch.scoring import load_scorer
from include.newswatch.scoring.explain import explain, render
from include.newswatch.settings import Settings, list_dyads, load_settings
from include.newswatch.warehouse import (
    PublicationRejectedError,
    PublishedFileError,
    WarehouseBusyError,
    describe,
    find_rows,
    open_published,
)

EXIT_OK, EXIT_CHECK_FAILED, EXIT_BAD_INPUT, EXIT_BUSY, EXIT_DISK = 0, 1, 2, 3, 4
EXIT_CODES = (
    "exit codes: 0 done; 1 done, but a named check failed; 2 wrong input or settings, or nothing is there yet; "
    "3 the warehouse is in use; "
    "4 the disk is full or a file cannot be had"
)
EXIT_OF_ERROR: dict[type[Exception], int] = {
    PublicationRejectedError: EXIT_CHECK_FAILED,
    WarehouseBusyError: EXIT_BUSY,
    SettingsError: EXIT_BAD_INPUT,
    BatchError: EXIT_BAD_INPUT,
    NewsError: EXIT_BAD_INPUT,
    PublishedFileError: EXIT_BAD_INPUT,
    FileNotFoundError: EXIT_BAD_INPUT,
    OSError: EXIT_DISK,
}
CONSOLE = Console(stderr=True)
# The steps that work on a batch of pages, and the suffix of the file in which each leaves its result.
STEPS = {
    "fetch": (pipeline.fetch, "fetches"),
    "extract": (pipeline.extract, "extractions"),
    "reextract": (upkeep.reextract, "extractions"),
    "score": (pipeline.score, "{dyad}.scores"),
}


@contextmanager
def shown(title: str) -> Iterator[pipeline.Progress]:
    """Progress of a long step, shown only where a person watches."""
    with Progress(console=CONSOLE, transient=True, disable=not sys.stderr.isatty()) as bar:
        line = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(line, completed=done, total=total)


def say(step: str, counts: dict[str, Any]) -> None:
    CONSOLE.print(f"{step:8} {json.dumps(counts, ensure_ascii=False, default=str)}", highlight=False, soft_wrap=True)


def start_run(settings: Settings) -> tuple[pipeline.Run, list[str]]:
    now = datetime.now(UTC)
    run, batches, counts = pipeline.plan(settings, f"cli__{now:%Y-%m-%dT%H-%M-%S.%f}", now)
    say("plan", counts)
    return run, batches


def each_batch(
    step: Callable[[Settings, str, pipeline.Progress], pipeline.Counts], settings: Settings, batches: list[str]
) -> None:
    for number, batch in enumerate(batches, start=1):
        with shown(f"{step.__name__} {number}/{len(batches)}") as progress:
            say(step.__name__, step(settings, batch, progress))


def run_command(settings: Settings, _: argparse.Namespace) -> int:
    run, batches = start_run(settings)
    each_batch(pipeline.poll, settings, batches)
    pages, counts = pipeline.select(settings, run.folder)
    say("select", counts)
    for step in (pipeline.fetch, pipeline.extract, pipeline.score):
        each_batch(step, settings, pages)
    return load_and_publish(settings, run.folder)


def load_and_publish(settings: Settings, folder: str) -> int:
    code = load_run(settings, folder)
    for dyad in settings.by_dyad():
        say("publish", outputs.publish(dyad))
        say("report", outputs.report(dyad, datetime.now(UTC).date()))
    return code


def load_run(settings: Settings, folder: str) -> int:
    """Load a run into the warehouse of every dyad; the exit code says whether all named checks held."""
    code = EXIT_OK
    for counts in pipeline.load_all(settings, [folder]):
        say("load", counts)
        code = EXIT_CHECK_FAILED if counts.get("failed_checks") else code
    return code


def poll_command(settings: Settings, _: argparse.Namespace) -> int:
    run, batches = start_run(settings)
    each_batch(pipeline.poll, settings, batches)
    pages, counts = pipeline.select(settings, run.folder)
    say("select", counts | {"n_batches": len(pages)})
    print(run.folder)
    return EXIT_OK


def batch_command(settings: Settings, args: argparse.Namespace) -> int:
    step, _ = STEPS[args.command]
    each_batch(step, settings, pipeline.open_run(args.run).batches("pages", "tasks"))
    return EXIT_OK


def score_command(settings: Settings, args: argparse.Namespace) -> int:
    if Path(args.source).is_dir():
        each_batch(pipeline.score, settings, pipeline.open_run(args.source).batches("pages", "tasks"))
        return EXIT_OK
    scorer = load_scorer(settings.dyad)
    text = sys.stdin.read() if args.source == "-" else Path(args.source).read_text(encoding="utf-8")
    rows = [line for line in text.split("\n") if line.strip()]
    with shown("score") as progress:
        for number, line in enumerate(rows, start=1):
            print(json.dumps(score_line(scorer, line, number), ensure_ascii=False), flush=True)
            progress(number, len(rows))
    return EXIT_OK


def score_line(scorer: Any, line: str, number: int) -> dict[str, Any]:
    """One line {id, lang?, date?, title, text} in, its score out.

    Raises:
        SettingsError: the line is not of this shape; the message has its number.
    """
    try:
        row = json.loads(line)
        title, text = row.get("title") or "", row.get("text") or ""
        found = scorer.score(title, text, row.get("lang"), row.get("date"))
        return {"id": row["id"]} | asdict(found)
    except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
        raise SettingsError(f"line {number} is not {{id, lang?, date?, title, text}}: {error!r}") from error


def explain_command(settings: Settings, args: argparse.Namespace) -> int:
    """Show why an article got its score: a text file (first line the title), or a published article."""
    scorer = load_scorer(settings.dyad)
    if Path(args.source).is_file():
        title, _, text = Path(args.source).read_text(encoding="utf-8").partition("\n")
        print(render(explain(scorer, title, text)))
        return EXIT_OK
    with open_published(settings.published) as published:
        rows = find_rows(published, "find_article", key=args.source)
    if not rows:
        raise SettingsError(f"{args.source} is neither a file nor the URL or id of an article in {settings.published}")
    print(render(explain(scorer, rows[0]["title"], rows[0]["text"], rows[0]["language"])))
    return EXIT_OK


def discover_command(settings: Settings, args: argparse.Namespace) -> int:
    """Print lines for feeds.csv: what the page announces, and the common addresses that turn out to be feeds."""
    with pipeline.open_web(settings) as web, pipeline.open_sandbox(settings) as sandbox:
        page = web.get(args.url)
        proposals = sandbox.call(discover_sources, page, upkeep.read_robots(web, page.final_url))
        confirmed = []
        for proposal in [*proposals, *sandbox.call(guess_sources, page)]:
            try:
                answer = web.get(proposal.url)
                document = sandbox.call(
                    parse_feed,
                    answer.body,
                    proposal,
                    content_type=answer.headers.get("content-type", ""),
                    now=answer.fetched_at,
                )
            except NewsError as error:
                CONSOLE.print(f"no feed: {proposal.url} ({error.outcome})", markup=False, soft_wrap=True)
                continue
            confirmed.append(confirm_source(proposal, document))
    print(render_lines(confirmed), end="")
    return EXIT_OK if confirmed else EXIT_CHECK_FAILED


def walk(settings: Settings, run: pipeline.Run, *steps: str) -> int:
    """The steps of a run that is planned, each for the batches that lack it; then load, publish, report."""
    print(run.folder)
    for name in steps:
        step, result = STEPS[name]
        batches = upkeep.remaining(run.batches("pages", "tasks"), result.format(dyad=settings.dyad))
        each_batch(step, settings, batches)
    return load_and_publish(settings, run.folder)


def import_command(settings: Settings, args: argparse.Namespace) -> int:
    code = EXIT_OK
    for location in args.files:
        run, counts = upkeep.plan_import(settings, location, datetime.now(UTC))
        say("import", {"file": location} | counts)
        if not counts.get("already_loaded"):
            code = max(code, walk(settings, run, "extract", "score"))
    return code


def run_id_of(args: argparse.Namespace) -> str:
    return str(args.run or f"{args.command}__{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}")


def backfill_command(settings: Settings, args: argparse.Namespace) -> int:
    period = upkeep.Selection(args.first, args.last)
    run, counts = upkeep.plan_backfill(
        settings, run_id_of(args), args.feed, args.sitemap, period, args.max_pages, datetime.now(UTC)
    )
    say("backfill", counts)
    return walk(settings, run, "fetch", "extract", "score")


def rescore_command(settings: Settings, args: argparse.Namespace) -> int:
    period = upkeep.Selection(args.first, args.last, args.language)
    run, counts = upkeep.plan_rescore(settings, run_id_of(args), period, datetime.now(UTC))
    say("rescore", counts)
    return walk(settings, run, "score")


def reextract_command(settings: Settings, args: argparse.Namespace) -> int:
    period = upkeep.Selection(args.first, args.last, args.language)
    run, counts = upkeep.plan_reextract(settings, run_id_of(args), period, datetime.now(UTC))
    say("reextract", counts)
    return walk(settings, run, "reextract", "score")


def add_feed_command(settings: Settings, args: argparse.Namespace) -> int:
    values = {name: getattr(args, name) for name in upkeep.TRIAL_COLUMNS}
    print(upkeep.render_trial(upkeep.try_feed(settings, values, datetime.now(UTC))))
    return EXIT_OK


def maintain_command(settings: Settings, _: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    say("tidy", upkeep.tidy(settings, now))
    faults = []
    for dyad in settings.by_dyad():
        if not dyad.warehouse.exists():
            say("compact", {"dyad": dyad.dyad, "skipped": "nothing was loaded yet"})
            continue
        say("compact", upkeep.compact(dyad))
        say("publish", outputs.publish(dyad))
        say("export", outputs.export(dyad, now))
        faults += upkeep.check_integrity(dyad, now)
    say("check", {"faults": faults})
    return EXIT_CHECK_FAILED if faults else EXIT_OK


def load_command(settings: Settings, args: argparse.Namespace) -> int:
    return load_run(settings, args.run)


def publish_command(settings: Settings, args: argparse.Namespace) -> int:
    for dyad in settings.by_dyad():
        say("publish", outputs.publish(dyad, force=args.force))
    return EXIT_OK


def export_command(settings: Settings, _: argparse.Namespace) -> int:
    for dyad in settings.by_dyad():
        say("export", outputs.export(dyad, datetime.now(UTC)))
    return EXIT_OK


def dictionary_command(settings: Settings, _: argparse.Namespace) -> int:
    with open_published(settings.published) as published:
        print(describe(published), end="")
    return EXIT_OK


def report_command(settings: Settings, args: argparse.Namespace) -> int:
    today = datetime.now(UTC).date()
    for dyad in settings.by_dyad():
        if args.day is None:
            say("report", outputs.report(dyad, today))
        else:
            for period in (Period.of_week(args.day), Period.of_day(args.day)):
                say("report", outputs.report_period(dyad, period, today))
    return EXIT_OK


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m include.newswatch", description=__doc__, epilog=EXIT_CODES)
    parser.add_argument("--dyad", choices=list_dyads(), help="this one instead of those of NEWSWATCH_DYADS")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, action: Callable[[Settings, argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, epilog=EXIT_CODES)
        command.set_defaults(action=action)
        return command

    add("run", run_command, "walk the whole road once: poll, fetch, extract, score, load, publish, report")
    add("poll", poll_command, "poll the feeds that are due, choose the pages to fetch, print the run's folder")
    for name, text in (
        ("fetch", "fetch the pages of a run into a WARC archive"),
        ("extract", "extract the articles of a run's archived pages"),
    ):
        add(name, batch_command, text).add_argument("run", help="the folder that `poll` printed")
    score = add("score", score_command, "score a run's articles, or lines {id, lang?, date?, title, text} of a file")
    score.add_argument("source", help="the folder that `poll` printed, a .jsonl file, or - for standard input")
    add("load", load_command, "load a run into the warehouse; a second time changes nothing").add_argument(
        "run", help="the folder that `poll` printed"
    )
    add("publish", publish_command, "replace the published database by the warehouse, if the checks hold").add_argument(
        "--force", action="store_true", help="publish whatever the checks say"
    )
    add("export", export_command, "write the published tables and views as Parquet, with a manifest")
    add("dictionary", dictionary_command, "print the data dictionary of the published database, as Markdown")
    add("explain", explain_command, "show the reasons of a score: marked names, gate, sentences, weights").add_argument(
        "source", help="a text file whose first line is the title, or the URL or id of a published article"
    )
    add("discover", discover_command, "find the feeds of an outlet and propose lines for feeds.csv").add_argument(
        "url", help="a page of the outlet, best its front page"
    )
    add_upkeep(add)
    report = add("report", report_command, "write the newest briefs and the feed of stories, or the brief of a day")
    report.add_argument(
        "day", nargs="?", type=date.fromisoformat, help="YYYY-MM-DD: the brief of this day and its week"
    )
    return parser


def add_upkeep(add: Callable[..., argparse.ArgumentParser]) -> None:
    """The commands of the operator's work."""
    add("import", import_command, "bring in the pages of known outlets from WARC files; a second time adds nothing"
        ).add_argument("files", nargs="+", help="WARC or ARC files (.warc.gz, CC-NEWS), paths or URLs")  # fmt: skip
    backfill = add("backfill", backfill_command, "fetch what an outlet's sitemaps list for a period")
    backfill.add_argument("feed", help="the outlet's line of feeds.csv, by its url")
    backfill.add_argument("--sitemap", default="", help="where to begin; default: what its robots.txt names")
    backfill.add_argument("--max-pages", type=int, default=3000)
    rescore = add("rescore", rescore_command, "score articles that the present scorer and codebook have not scored")
    reextract = add("reextract", reextract_command, "read archived pages again and score what comes out")
    for command in (rescore, reextract):
        command.add_argument("--language", choices=("en", "ru", "zh"), default="")
    for command in (backfill, rescore, reextract):
        command.add_argument("--first", type=date.fromisoformat, required=True, help="first day, YYYY-MM-DD")
        command.add_argument("--last", type=date.fromisoformat, required=True, help="last day, included")
        command.add_argument("--run", help="the run to go on with: the last part of the folder that it printed")
    trial = add("add-feed", add_feed_command, "try a feed: fetch it, show ten entries, print its line for feeds.csv")
    trial.add_argument("url")
    for name, text in upkeep.TRIAL_COLUMNS.items():
        if name != "url":
            trial.add_argument(f"--{name.replace('_', '-')}", default="", help=text)
    add(
        "maintain",
        maintain_command,
        "remove what is older than it is kept, compact, publish, export, check the integrity",
    )


def main(arguments: list[str] | None = None) -> int:
    args = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        settings = load_settings(os.environ)
        return int(args.action(replace(settings, dyads=(args.dyad,)) if args.dyad else settings, args))
    except tuple(EXIT_OF_ERROR) as error:
        CONSOLE.print(f"error: {error}", style="red", markup=False, soft_wrap=True)
        return next(code for kind, code in EXIT_OF_ERROR.items() if isinstance(error, kind))


if __name__ == "__main__":
    sys.exit(main())
