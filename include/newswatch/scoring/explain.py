"""A scored article in, the reasons of its score out: as data, and as text for a terminal. Pure.

An analyst who disagrees sees where: a name not known, a sentence not tied to both, an act misread, an input that
weighed too much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from include.newswatch.model import Score
from include.newswatch.scoring import Scorer
from include.newswatch.scoring.codebook import Name, Phrase
from include.newswatch.scoring.gate import TITLE_NO, Passage
from include.newswatch.scoring.judge import EventGuess, SentenceJudgement, Weights

MAX_REASONS = 8
MODELS = ("touches", "mains", "positive", "negative", "strong")


@dataclass(frozen=True, slots=True)
class ExplainedSentence:
    """no: TITLE_NO for the title. marked: its text with the mentions in brackets. bond: "" where it does not count."""

    no: int
    marked: str
    bond: str
    judgement: SentenceJudgement | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One input of a model: what it adds to the logit."""

    input: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a score rests on. reasons: by model, the weightiest first."""

    score: Score
    home: str | None
    is_open: bool
    sentences: tuple[ExplainedSentence, ...]
    reasons: dict[str, tuple[Reason, ...]]


def explain(scorer: Scorer, title: str, text: str, language: str | None = None) -> Explanation:
    """Score an article and keep the reasons."""
    reading, judgements, verdict = scorer.judge_reading(title, text, language)
    by_no = {judgement.no: judgement for judgement in judgements}
    bonds = {focus.no: str(focus.bond) for focus in reading.focuses}
    return Explanation(
        score=scorer.score_of(reading, verdict),
        home=reading.home,
        is_open=reading.is_open,
        sentences=tuple(
            ExplainedSentence(p.no, mark_mentions(p), bonds.get(p.no, ""), by_no.get(p.no))
            for p in (reading.title, *reading.sentences)
            if p.text
        ),
        reasons={model: _reasons(verdict.inputs, model, scorer.weights) for model in MODELS if verdict.inputs},
    )


def mark_mentions(passage: Passage) -> str:
    """The text of a passage with each mention as `[surface|side]`, `[surface|both]` or `[surface|ref]`."""
    pieces = []
    start = 0
    for mention in passage.mentions:
        pieces += [
            passage.text[start : mention.start],
            f"[{passage.text[mention.start : mention.end]}|{_label(mention.owner)}]",
        ]
        start = mention.end
    return "".join([*pieces, passage.text[start:]])


def _label(owner: Name | Phrase) -> str:
    if isinstance(owner, Name):
        return owner.side
    return "both" if owner.role == "pair" else "ref"


def _reasons(inputs: dict[str, float], model: str, weights: Weights) -> tuple[Reason, ...]:
    found = [
        Reason(name, value, weights[model][name] * value) for name, value in inputs.items() if name in weights[model]
    ]
    ranked = sorted(found, key=lambda reason: (-abs(reason.contribution), reason.input))
    return tuple(reason for reason in ranked[:MAX_REASONS] if reason.contribution)


def render(explanation: Explanation) -> str:
    """The explanation as plain text, a line for each thing."""
    score = explanation.score
    lines = [
        f"relevance {score.relevance:.3f} (class {score.relevance_class})"
        f"   direction {score.direction} (class {score.direction_class})",
        f"themes    {', '.join(score.themes) or '-'}",
        f"actors    {', '.join(f'{actor.name} ({actor.side})' for actor in score.actors) or '-'}",
        *(_event_line(event.type, event.source, event.target, event.sentence_no) for event in score.events),
        f"gate      {'open' if explanation.is_open else 'shut: nothing brings the two sides together'}",
        *(line for sentence in explanation.sentences for line in _sentence_lines(sentence, score)),
        *(line for model, reasons in explanation.reasons.items() for line in _reason_lines(model, reasons)),
        f"version   {score.scorer_version}",
    ]
    return "\n".join(lines)


def _event_line(event_type: str, source: str, target: str, no: int | None) -> str:
    return f"event     {event_type} {source} > {target} ({'title' if no is None else f'sentence {no}'})"


def _sentence_lines(sentence: ExplainedSentence, score: Score) -> list[str]:
    is_evidence = any(evidence.sentence_no == sentence.no for evidence in score.evidence)
    number = "title" if sentence.no == TITLE_NO else str(sentence.no)
    lines = [f"{'*' if is_evidence else ' '}{number:>6}  {sentence.marked}"]
    judgement = sentence.judgement
    if judgement:
        lines.append(
            f"         {sentence.bond}: tie {judgement.tie:.2f}, {judgement.modality}, "
            f"direction {judgement.direction:+.2f} {_guesses(judgement.events)}"
        )
        if judgement.notes:
            lines.append(f"         {'; '.join(judgement.notes)}")
    return lines


def _guesses(events: Sequence[EventGuess]) -> str:
    return " ".join(f"{event.type}({event.source}>{event.target} {event.probability:.2f})" for event in events)


def _reason_lines(model: str, reasons: Sequence[Reason]) -> list[str]:
    if not reasons:
        return []
    parts = (f"{reason.input} {reason.value:.2f} ({reason.contribution:+.2f})" for reason in reasons)
    return [f"{model:<9} {', '.join(parts)}"]
