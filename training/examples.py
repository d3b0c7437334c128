"""Corpus items in, what the encoder learns from out: windows of token ids and targets, with the sides swapped too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from include.newswatch.scoring.encoder import DIRECTIONS, EVENT_TYPES, PAD, THEMES, TRAITS, WAYS, Window, fit_window
from include.newswatch.scoring.gate import TITLE_NO
from include.newswatch.scoring.marking import MarkedSentence, MarkedText, swap_sides
from training.corpus import Item
from training.events import EventSentence

UNKNOWN = -100  # a target that no loss is taken of
TOKENS_PER_BATCH = 1536


@dataclass(frozen=True, slots=True)
class Example:
    """relevance, direction, trait: UNKNOWN where they are not labelled.

    stances: for each end of the window UNKNOWN (title), 0 (no evidence) or 1 + index of the direction.

    has_details: themes, events and evidence are labelled too, not relevance and direction alone.
    """

    window: Window
    relevance: int
    direction: int
    trait: int
    themes: tuple[int, ...]
    events: tuple[int, ...]
    stances: tuple[int, ...]
    has_details: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """ids, present: [n, length]. ends, stances: [n, most sentences], padded with 0 and UNKNOWN; is_end marks real."""

    ids: Tensor
    present: Tensor
    ends: Tensor
    is_end: Tensor
    relevance: Tensor
    direction: Tensor
    trait: Tensor
    themes: Tensor
    events: Tensor
    stances: Tensor
    has_details: Tensor


def make_examples(
    items: Iterable[Item], marked: Iterable[MarkedText], tokenizer: Tokenizer, *, are_swapped: bool
) -> list[Example]:
    """One example an item. Swapped: every mark of one side becomes that of the other, and so do the acts."""
    return [
        _example(item, fit_window(tokenizer, _swapped(text) if are_swapped else text), are_swapped)
        for item, text in zip(items, marked, strict=True)
    ]


def make_event_examples(
    sentences: Iterable[EventSentence], tokenizer: Tokenizer, *, are_swapped: bool
) -> list[Example]:
    """One example a sentence; nothing but its act is labelled."""
    examples = []
    for sentence in sentences:
        text = MarkedText((MarkedSentence(0, sentence.text, 0),))
        window = fit_window(tokenizer, _swapped(text) if are_swapped else text)
        event = _event_index(sentence.type, "CN", "RU", are_swapped)
        examples.append(Example(window, UNKNOWN, UNKNOWN, UNKNOWN, (), (event,), (UNKNOWN,), has_details=True))
    return examples


def _swapped(text: MarkedText) -> MarkedText:
    return MarkedText(tuple(MarkedSentence(s.no, swap_sides(s.text), s.rank) for s in text.sentences))


def _example(item: Item, window: Window, are_swapped: bool) -> Example:
    direction = UNKNOWN if item.direction is None else DIRECTIONS.index(item.direction)
    return Example(
        window=window,
        relevance=item.relevance,
        direction=direction,
        trait=TRAITS.index(item.capability) if item.has_details else UNKNOWN,
        themes=tuple(THEMES.index(theme) for theme in item.themes),
        events=tuple(sorted({_event_index(a.type, a.source, a.target, are_swapped) for a in item.events})),
        stances=tuple(_stance(item, no) for no in window.nos),
        has_details=item.has_details,
    )


def _stance(item: Item, no: int) -> int:
    """Whether a title shows the judgement is not labelled, unless it is all there is."""
    if (no == TITLE_NO and item.text) or (item.relevance and not item.has_details):
        return UNKNOWN
    if item.direction is None or not (no in item.evidence or no == TITLE_NO):
        return 0
    return 1 + DIRECTIONS.index(item.direction)


def _event_index(kind: str, source: str, target: str, are_swapped: bool) -> int:
    way = {("CN", "RU"): "A>B", ("RU", "CN"): "B>A"}.get((source, target), "A=B")
    if are_swapped:
        way = {"A>B": "B>A", "B>A": "A>B"}.get(way, way)
    return EVENT_TYPES.index(kind) * len(WAYS) + WAYS.index(way)


def batches_by_length(examples: Sequence[Example], generator: torch.Generator | None = None) -> Iterator[list[int]]:
    """Indices of examples of like length, at most TOKENS_PER_BATCH a batch; shuffled if a generator is given."""
    jitter = torch.rand(len(examples), generator=generator) if generator else torch.zeros(len(examples))
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].window.ids) * (1 + 0.2 * float(jitter[i])))
    batches: list[list[int]] = [[]]
    longest = 0
    for i in order:
        longest = max(longest, len(examples[i].window.ids))
        if batches[-1] and longest * (len(batches[-1]) + 1) > TOKENS_PER_BATCH:
            batches.append([])
            longest = len(examples[i].window.ids)
        batches[-1].append(i)
    if generator:
        return iter([batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()])
    return iter(batches)


def collate(examples: Sequence[Example]) -> Batch:
    ids = [torch.tensor(example.window.ids) for example in examples]
    ends = [torch.tensor(example.window.ends) for example in examples]
    return Batch(
        ids=pad_sequence(ids, batch_first=True, padding_value=PAD),
        present=pad_sequence([torch.ones(len(row)) for row in ids], batch_first=True),
        ends=pad_sequence(ends, batch_first=True),
        is_end=pad_sequence([torch.ones(len(row)) for row in ends], batch_first=True),
        relevance=torch.tensor([example.relevance for example in examples]),
        direction=torch.tensor([example.direction for example in examples]),
        trait=torch.tensor([example.trait for example in examples]),
        themes=_multi_hot([example.themes for example in examples], len(THEMES)),
        events=_multi_hot([example.events for example in examples], len(EVENT_TYPES) * len(WAYS)),
        stances=pad_sequence(
            [torch.tensor(example.stances) for example in examples], batch_first=True, padding_value=UNKNOWN
        ),
        has_details=torch.tensor([float(example.has_details) for example in examples]),
    )


def _multi_hot(rows: Sequence[Sequence[int]], width: int) -> Tensor:
    hot = torch.zeros(len(rows), width)
    for i, row in enumerate(rows):
        hot[i, list(row)] = 1
    return hot
