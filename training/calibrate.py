"""The labelled corpus in, `weights.csv` of a codebook out: `python -m training.calibrate [MORE.jsonl ...]`.

The models are small logistic regressions over named inputs, so that an analyst can read them. Further labelled files
(title, text, relevance, direction) mix in real base rates; give each as many votes as the corpus with `--balance`.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from include.newswatch.scoring import CODEBOOKS, Scorer
from include.newswatch.scoring.codebook import read_codebook
from include.newswatch.scoring.gate import Reading
from include.newswatch.scoring.judge import THEME_MODEL, SentenceJudge, direction_inputs, relevance_inputs, theme_inputs
from include.newswatch.scoring.lexicon import LexiconJudge, tie_inputs
from training.corpus import load_corpus

PENALTY = 1.0  # ridge, on standardised inputs
ITERATIONS = 30
DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Text:
    """A labelled text. themes: None where they are not labelled. weight: its votes."""

    title: str
    text: str
    relevance: int
    direction: int | None
    themes: frozenset[str] | None
    weight: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("more", nargs="*", type=Path)
    parser.add_argument("--dyad", default="china_russia")
    parser.add_argument("--balance", action="store_true")
    arguments = parser.parse_args()
    texts = list(read_texts(arguments.more, balance=arguments.balance))
    weights = fit(texts, Scorer(read_codebook(CODEBOOKS, arguments.dyad)))
    write(CODEBOOKS / arguments.dyad / "weights.csv", weights, len(texts))


def read_texts(more: Sequence[Path], *, balance: bool) -> Iterable[Text]:
    corpus = [
        Text(item.title, item.text, item.relevance, item.direction, frozenset(item.themes), 1.0)
        for item in load_corpus()
        if item.part == "train"
    ]
    yield from corpus
    for path in more:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        votes = len(corpus) / len(rows) if balance and corpus else 1.0
        yield from (_text(row, votes) for row in rows)


def _text(row: dict[str, Any], votes: float) -> Text:
    themes = frozenset(row["themes"]) if "themes" in row else None
    return Text(row["title"], row["text"], row["relevance"], row["direction"], themes, votes)


def fit(texts: Sequence[Text], scorer: Scorer) -> dict[str, dict[str, float]]:
    """The weights of all models. The tie of sentences comes first: the models of articles are fitted on top of it."""
    read = [(text, scorer.gate.read(text.title, text.text)) for text in texts]
    seen = [(text, reading) for text, reading in read if reading.is_open]
    tie = fit_tie(seen, scorer.judge)
    if isinstance(scorer.judge, LexiconJudge):
        scorer.judge.use_tie_weights(tie)
    judged = [(text, reading, scorer.judge.judge(reading)) for text, reading in seen]
    relevance = [(relevance_inputs(reading, judgements), text) for text, reading, judgements in judged]
    related = [
        (relevance_inputs(reading, judgements) | direction_inputs(reading, judgements), text)
        for text, reading, judgements in judged
        if text.direction is not None
    ]
    moved = [(inputs, text) for inputs, text in related if text.direction]
    themed = [
        (theme_inputs(judgements), text.themes, text.weight)
        for text, _, judgements in judged
        if text.relevance and text.themes is not None
    ]
    themes = sorted({theme for _, found, _ in themed for theme in found})
    return {
        "tie": tie,
        "touches": fit_model([(inputs, t.relevance > 0, t.weight) for inputs, t in relevance]),
        "mains": fit_model([(inputs, t.relevance == 2, t.weight) for inputs, t in related]),
        "positive": fit_model([(inputs, (t.direction or 0) > 0, t.weight) for inputs, t in related]),
        "negative": fit_model([(inputs, (t.direction or 0) < 0, t.weight) for inputs, t in related]),
        "strong": fit_model([(inputs, abs(t.direction or 0) == 2, t.weight) for inputs, t in moved]),
    } | {
        THEME_MODEL + theme: fit_model([(inputs, theme in found, votes) for inputs, found, votes in themed])
        for theme in themes
    }


def fit_tie(seen: Sequence[tuple[Text, Reading]], judge: SentenceJudge) -> dict[str, float]:
    """The tie of one sentence, from texts with one focus: there the label of the text is that of the sentence."""
    rows = []
    for text, reading in seen:
        if len(reading.focuses) == 1:
            judgement = judge.judge(reading)[0]
            inputs = tie_inputs(reading.focuses[0], judgement.markers, bool(judgement.events))
            rows.append((inputs, text.relevance > 0, text.weight))
    return fit_model(rows)


def fit_model(rows: Sequence[tuple[dict[str, float], bool, float]]) -> dict[str, float]:
    """Ridge logistic regression by Newton's method; the weights are for raw inputs."""
    names = sorted({name for inputs, _, _ in rows for name in inputs})
    x = np.array([[inputs.get(name, 0.0) for name in names] for inputs, _, _ in rows])
    y = np.array([float(label) for _, label, _ in rows])
    votes = np.array([weight for _, _, weight in rows])
    scale = np.where(x.std(0) > 0, x.std(0), 1.0)
    design = np.hstack([np.ones((len(x), 1)), x / scale])
    beta = _newton(design, y, votes)
    raw = beta[1:] / scale
    found = {"intercept": round(float(beta[0]), DECIMALS)}
    return found | {name: round(float(value), DECIMALS) for name, value in zip(names, raw, strict=True)}


def _newton(design: NDArray[np.float64], y: NDArray[np.float64], votes: NDArray[np.float64]) -> NDArray[np.float64]:
    penalty = PENALTY * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    beta = np.zeros(design.shape[1])
    for _ in range(ITERATIONS):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -30, 30)))
        gradient = design.T @ (votes * (y - p)) - penalty @ beta
        curvature = (design * (votes * p * (1 - p))[:, None]).T @ design + penalty
        beta += np.linalg.solve(curvature, gradient)
    return beta


def write(path: Path, weights: dict[str, dict[str, float]], n_texts: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model", "input", "weight", "note"))
        for model, found in weights.items():
            writer.writerows((model, name, value, f"fitted on {n_texts} texts") for name, value in found.items())


if __name__ == "__main__":
    main()
