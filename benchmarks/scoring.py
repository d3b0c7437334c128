"""What scoring costs: `python -m benchmarks.scoring FOLDER` with a folder of news pages (*.html or *.html.gz).

Prints, for one core: documents a second at the gate, on a stream where one page in ten names both sides; seconds to
load the scorer and the memory that a fresh worker then takes; pages a second of extraction alone and of extraction
with scoring, on that stream; and, computed from a measured matrix product, what a zero-shot NLI model of roberta-large
size would need for it.
"""

from __future__ import annotations

import argparse
import gzip
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

from include.newswatch.articles import extract_article
from include.newswatch.model import Article, Entry, NewsError, Page
from include.newswatch.scoring import Scorer, load_scorer

LANGUAGES = ("en", "ru", "zh")
STREAM_PAGES, BOTH_EVERY = 200, 10
N_LOADS, N_WARM = 5, 20
# roberta-large: 24 layers of 1024 wide, without the word vectors; two operations a weight and token.
NLI_WEIGHTS, NLI_TOKENS, NLI_HYPOTHESES = 302e6, 60, 16
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    page: Page
    article: Article
    names_both: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--load", action="store_true", help="only load, score a little and print seconds and MB")
    arguments = parser.parse_args()
    if arguments.load:
        print_load()
        return
    scorer = load_scorer()
    samples = read_samples(arguments.folder, scorer)
    print(f"{len(samples)} articles, {sum(sample.names_both for sample in samples)} of them name both sides")
    print(f"gate, on a stream: {gate_rate(stream(samples), scorer):,.0f} documents/s")
    loads = [measure_load(arguments.folder) for _ in range(N_LOADS)]
    print(f"load: {median(s for s, _ in loads):.2f} s, memory of a worker {max(mb for _, mb in loads):.0f} MB")
    print_stream(stream(samples), scorer)


def read_samples(folder: Path, scorer: Scorer) -> list[Sample]:
    """The pages of the folder that are articles in one of our languages."""
    samples = []
    for path in sorted((*folder.glob("*.html"), *folder.glob("*.html.gz"))):
        body = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        page = Page(f"https://news.example/{path.name}", f"https://news.example/{path.name}", 200, {}, body, NOW)
        try:
            article = extract(page)
        except NewsError:
            continue
        if article.language in LANGUAGES:
            sides = scorer.gate.read(article.title, article.text, article.language).sides
            samples.append(Sample(page, article, len(sides) == 2))
    return samples


def extract(page: Page) -> Article:
    return extract_article(page, Entry("https://news.example/rss", page.url, ""), time_zone="UTC", language_hint="en")


def gate_rate(samples: Sequence[Sample], scorer: Scorer) -> float:
    start = time.process_time()
    for sample in samples:
        scorer.gate.read(sample.article.title, sample.article.text, sample.article.language)
    return len(samples) / (time.process_time() - start)


def measure_load(folder: Path) -> tuple[float, float]:
    """Seconds and MB of a fresh process that loads the scorer and scores a few articles."""
    command = [sys.executable, "-m", "benchmarks.scoring", str(folder), "--load"]
    seconds, megabytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(megabytes)


def print_load() -> None:
    start = time.perf_counter()
    scorer = load_scorer()
    seconds = time.perf_counter() - start
    for no in range(N_WARM):
        scorer.score(f"Day {no}", "China and Russia signed an agreement on gas, the two countries said. " * 20, "en")
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def stream(samples: Sequence[Sample]) -> list[Sample]:
    """STREAM_PAGES pages, one in BOTH_EVERY names both; pages are taken again when there are too few."""
    both = [sample for sample in samples if sample.names_both]
    others = [sample for sample in samples if not sample.names_both]
    return [
        both[no // BOTH_EVERY % len(both)] if no % BOTH_EVERY == 0 else others[no % len(others)]
        for no in range(STREAM_PAGES)
    ]


def print_stream(samples: Sequence[Sample], scorer: Scorer) -> None:
    """Page by page in turn, so that a busy machine slows both alike."""
    extraction = scoring = 0.0
    for sample in samples:
        start = time.process_time()
        article = extract(sample.page)
        middle = time.process_time()
        scorer.score(article.title, article.text, article.language)
        extraction += middle - start
        scoring += time.process_time() - middle
    both = extraction + scoring
    print(f"extraction alone: {len(samples) / extraction:.1f} pages/s; with scoring: {len(samples) / both:.1f} pages/s")
    print(f"ratio {extraction / both:.2f} (CPU time of one core)")
    n_focuses = sum(len(scorer.gate.read(s.article.title, s.article.text).focuses) for s in samples)
    seconds = n_focuses * NLI_HYPOTHESES * NLI_TOKENS * NLI_WEIGHTS * 2 / product_rate()
    print(
        f"roberta-large NLI over the same {n_focuses} focus sentences, computed: {seconds:.0f} s, ours {scoring:.1f} s"
    )


def product_rate() -> float:
    """Operations a second of the matrix product of one layer, in 32-bit floats."""
    tokens, weights = np.ones((NLI_TOKENS, 1024), np.float32), np.ones((1024, 4096), np.float32)
    start = time.process_time()
    for _ in range(N_WARM):
        tokens @ weights
    return N_WARM * 2 * NLI_TOKENS * 1024 * 4096 / (time.process_time() - start)


if __name__ == "__main__":
    main()
