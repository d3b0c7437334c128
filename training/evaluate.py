"""The figures of the scorer: `python -m training.evaluate [LABELLED.jsonl ...] [--part test]`.

Without files: a part of the corpus that the encoder has not learned from, hard cases and natural texts apart, by
language and capability. With files (id, lang, title, text, relevance, direction): these too. Beside each figure stand
its 95 % bootstrap interval and what a constant answer gets. Files that the scorer was trained on with --real flatter it
here: `training.train` prints the figures of those, each text judged by an encoder that had not seen it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from include.newswatch.model import Score
from include.newswatch.scoring import Scorer, load_scorer
from include.newswatch.scoring.encoded import weigh
from include.newswatch.scoring.judge import Weights
from training.combine import N_FOLDS, Judged, fit_combination, fold_of, read_items, set_f1
from training.corpus import Item, load_corpus

N_RESAMPLES = 500
N_BINS = 5
SEED = 20260101
NONE = frozenset({"none"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """A labelled text and its score."""

    item: Item
    score: Score


Figure = Callable[[Sequence[Outcome]], float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--part", choices=("dev", "test"), default="test")
    arguments = parser.parse_args()
    scorer = load_scorer()
    corpus = load_corpus()
    own = score_items([item for item in corpus if item.part == arguments.part], scorer)
    for name, is_natural in (("hard cases", False), ("as a stream brings them", True)):
        chosen = [outcome for outcome in own if outcome.item.is_natural == is_natural]
        print_report(f"own corpus, {arguments.part} part, {name}", chosen, has_details=True)
    for path in arguments.files:
        print_report(path.name, score_items(read_items(path), scorer), has_details=False)


def score_items(items: Iterable[Item], scorer: Scorer) -> list[Outcome]:
    return [Outcome(item, scorer.score(item.title, item.text, item.lang)) for item in items]


def cross_fitted(items: Sequence[Item], dev: Sequence[Judged], real: Sequence[Judged], scorer: Scorer) -> list[Outcome]:
    """Scores of real texts by combinations that were fitted without them (and with the dev part of the corpus).

    real: what encoders that had not seen them say of those items whose gate is open.
    """
    said = {found.item.id: found for found in real}
    outcomes = []
    for fold in range(N_FOLDS):
        combination = fit_combination(
            dev, [found for found in real if fold_of(found.item.story) != fold], scorer.codebook
        )
        for item in items:
            if fold_of(item.story) == fold:
                outcomes.append(Outcome(item, _weighed(item, said.get(item.id), combination, scorer)))
    return outcomes


def _weighed(item: Item, found: Judged | None, combination: Weights, scorer: Scorer) -> Score:
    if found is None:
        return scorer.score(item.title, item.text, item.lang)
    verdict = weigh(found.reading, found.words, found.judgement, scorer.codebook, combination)
    return scorer.score_of(found.reading, verdict)


def print_report(name: str, outcomes: Sequence[Outcome], *, has_details: bool) -> None:
    figures = FIGURES | (DETAILS if has_details else {})
    print(f"\n{name}: {len(outcomes)} texts; [95 % interval]; constant: relevant 2 and positive where the gate opens")
    constant = [Outcome(outcome.item, _constant(outcome.score)) for outcome in outcomes]
    for label, figure in figures.items():
        low, high = interval(outcomes, figure)
        by_language = " ".join(
            f"{lang} {figure([o for o in outcomes if o.item.lang == lang]):.3f}" for lang in ("en", "ru", "zh")
        )
        value, other = figure(outcomes), figure(constant)
        print(f"{label:<30} {value:.3f} [{low:.3f} {high:.3f}]  {by_language}  constant {other:.3f}")
    for low, high, n, said, true in reliability(outcomes):
        print(f"relevance {low:.1f}-{high:.1f}: {n:4} texts, said {said:.2f}, true {true:.2f}")
    capabilities = sorted({outcome.item.capability for outcome in outcomes} - {""})
    for capability in capabilities:
        found = [outcome for outcome in outcomes if outcome.item.capability == capability]
        relevance = np.mean([(o.item.relevance > 0) == (o.score.relevance_class > 0) for o in found])
        n_related = sum(o.item.relevance > 0 for o in found)
        sign = sign_share(found)
        print(f"{capability:<24} relevance right {relevance:.2f} of {len(found):3}   sign {sign:.2f} of {n_related}")


def interval(outcomes: Sequence[Outcome], figure: Figure) -> tuple[float, float]:
    """95 % bootstrap interval over texts."""
    rng = np.random.default_rng(SEED)
    values = [figure([outcomes[i] for i in rng.integers(0, len(outcomes), len(outcomes))]) for _ in range(N_RESAMPLES)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def reliability(outcomes: Sequence[Outcome]) -> list[tuple[float, float, int, float, float]]:
    """By bin of the probability: its bounds, how many texts, their mean probability, the share that is relevant."""
    bins = []
    edges = np.append(np.linspace(0, 1, N_BINS + 1)[:-1], 1 + 1e-9)
    for low, high in pairwise(edges.tolist()):
        inside = [o for o in outcomes if low <= o.score.relevance < high]
        if inside:
            said = float(np.mean([o.score.relevance for o in inside]))
            true = float(np.mean([o.item.relevance > 0 for o in inside]))
            bins.append((low, high, len(inside), said, true))
    return bins


def _constant(score: Score) -> Score:
    is_open = score.relevance > 0.011  # the gate's own answer is .01
    related = (2, 1) if is_open else (0, None)
    return Score(score.relevance, related[0], None, related[1], (), (), (), (), "constant")


def f1(pairs: Iterable[tuple[bool, bool]]) -> float:
    pairs = list(pairs)
    hits = sum(gold and said for gold, said in pairs)
    total = sum(gold + said for gold, said in pairs)
    return 2 * hits / total if total else float("nan")


def touches_f1(outcomes: Sequence[Outcome]) -> float:
    return f1((o.item.relevance > 0, o.score.relevance_class > 0) for o in outcomes)


def mains_f1(outcomes: Sequence[Outcome]) -> float:
    return f1((o.item.relevance == 2, o.score.relevance_class == 2) for o in outcomes)


def recall(outcomes: Sequence[Outcome]) -> float:
    return _mean(o.score.relevance_class > 0 for o in outcomes if o.item.relevance)


def specificity(outcomes: Sequence[Outcome]) -> float:
    return _mean(o.score.relevance_class == 0 for o in outcomes if not o.item.relevance)


def sign_share(outcomes: Sequence[Outcome]) -> float:
    """End to end: a relevant text that was called irrelevant has no sign, and so is wrong."""
    return _mean(_sign(o.score.direction_class) == _sign(o.item.direction) for o in outcomes if o.item.relevance)


def sign_macro_f1(outcomes: Sequence[Outcome]) -> float:
    related = [(_sign(o.item.direction), _sign(o.score.direction_class)) for o in outcomes if o.item.relevance]
    signs = {gold for gold, _ in related}
    return _mean(f1((gold == sign, said == sign) for gold, said in related) for sign in signs)


def worst_capability(outcomes: Sequence[Outcome]) -> float:
    groups = {o.item.capability for o in outcomes if o.item.relevance}
    return min(
        (sign_share([o for o in outcomes if o.item.capability == group]) for group in groups), default=float("nan")
    )


def direction_credit(outcomes: Sequence[Outcome]) -> float:
    """End to end; one step off within the right sign counts half."""
    return _mean(_credit(o.item.direction or 0, o.score.direction_class) for o in outcomes if o.item.relevance)


def _credit(gold: int, said: int | None) -> float:
    if _sign(gold) != _sign(said):
        return 0.0
    return 1.0 if gold == said else 0.5


def events_f1(outcomes: Sequence[Outcome]) -> float:
    return _mean(
        set_f1(frozenset(a.type for a in o.item.events) or NONE, frozenset(e.type for e in o.score.events) or NONE)
        for o in outcomes
        if o.item.relevance
    )


def themes_f1(outcomes: Sequence[Outcome]) -> float:
    return _mean(set_f1(frozenset(o.item.themes), frozenset(o.score.themes)) for o in outcomes if o.item.relevance)


def actors_f1(outcomes: Sequence[Outcome]) -> float:
    return _mean(
        set_f1(
            frozenset(name.casefold() for name in o.item.actors),
            frozenset(actor.name.casefold() for actor in o.score.actors),
        )
        for o in outcomes
    )


def evidence_f1(outcomes: Sequence[Outcome]) -> float:
    return _mean(
        set_f1(frozenset(o.item.evidence), frozenset(e.sentence_no for e in o.score.evidence))
        for o in outcomes
        if o.item.relevance
    )


def _sign(direction: int | None) -> int | None:
    return None if direction is None else (direction > 0) - (direction < 0)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.mean(found)) if found else float("nan")


FIGURES: dict[str, Figure] = {
    "relevance >= 1, F1": touches_f1,
    "relevance >= 1, recall": recall,
    "relevance >= 1, specificity": specificity,
    "relevance 2, F1": mains_f1,
    "sign of direction, end to end": sign_share,
    "sign of direction, macro-F1": sign_macro_f1,
    "direction with half steps": direction_credit,
}
DETAILS: dict[str, Figure] = {
    "sign, worst capability": worst_capability,
    "events, set F1": events_f1,
    "themes, set F1": themes_f1,
    "actors, set F1": actors_f1,
    "evidence, set F1": evidence_f1,
}

if __name__ == "__main__":
    main()
