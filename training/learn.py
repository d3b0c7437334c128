"""Examples in, a trained encoder out. Lower layers stay as they are, so their states are computed once and kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from include.newswatch.scoring.encoder import ARTICLE_PARTS, DIRECTIONS, EVENT_TYPES, WAYS, Judgement, read_outputs
from training.examples import UNKNOWN, Batch, Example, batches_by_length, collate
from training.model import Encoder, Outputs

SMOOTHING = 0.05  # of labels: keeps probabilities of what was learned by heart from running to 0 and 1
Log = list[dict[str, float]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """seed fixes order, dropout and the heads' first weights. Rates are those of the peak; they fall to zero."""

    seed: int = 20260101
    n_epochs: int = 3
    n_frozen_layers: int = 6
    layer_rate: float = 1.2e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    weights: tuple[tuple[str, float], ...] = (
        ("relevance", 1.0),
        ("direction", 1.0),
        ("stance", 0.7),
        ("event", 0.15),
        ("type", 0.2),
        ("theme", 0.2),
        ("trait", 0.2),
    )


# After the corpus: a short course on real texts, mixed with some of the corpus so that nothing is forgotten.
ADAPTATION = Recipe(n_epochs=2, layer_rate=4e-5, head_rate=3e-4)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The same items in the same order in each variant: as they are, and with swapped sides.

    states: what the frozen layers say of each example, [length, width].
    """

    variants: tuple[tuple[Example, ...], ...]
    states: tuple[tuple[Tensor, ...], ...]

    def part(self, rows: Sequence[int]) -> Lesson:
        """Some of the items; one that is named twice counts twice."""
        return Lesson(
            tuple(tuple(examples[i] for i in rows) for examples in self.variants),
            tuple(tuple(states[i] for i in rows) for states in self.states),
        )


def prepare(encoder: Encoder, variants: Sequence[Sequence[Example]]) -> Lesson:
    return Lesson(
        tuple(tuple(examples) for examples in variants),
        tuple(tuple(lower_states(encoder, examples)) for examples in variants),
    )


def learn(encoder: Encoder, lesson: Lesson, recipe: Recipe) -> Log:
    """Train in place. Each epoch takes every item once, in a variant drawn by chance.

    Returns the mean losses of each epoch.
    """
    torch.manual_seed(recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    variants, states = lesson.variants, lesson.states
    n_steps = recipe.n_epochs * sum(1 for _ in batches_by_length(variants[0]))
    optimizer, schedule = _optimizer(encoder, recipe, n_steps)
    weights = dict(recipe.weights)
    log: Log = []
    encoder.train()
    for _ in range(recipe.n_epochs):
        losses: list[dict[str, Tensor]] = []
        for rows in batches_by_length(variants[0], generator):
            drawn = torch.randint(len(variants), (len(rows),), generator=generator).tolist()
            picks = list(zip(drawn, rows, strict=True))
            batch = collate([variants[variant][i] for variant, i in picks])
            inputs = pad_sequence([states[variant][i] for variant, i in picks], batch_first=True)
            parts = _losses(encoder.upper(inputs.float(), batch.present, batch.ends), batch)
            optimizer.zero_grad()
            torch.stack([weights[name] * loss for name, loss in parts.items()]).sum().backward()
            torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append({name: loss.detach() for name, loss in parts.items()})
        log.append({name: float(torch.stack([loss[name] for loss in losses]).mean()) for name in losses[0]})
        print(" ".join(f"{name} {value:.3f}" for name, value in log[-1].items()), flush=True)
    encoder.eval()
    return log


@torch.no_grad()
def lower_states(encoder: Encoder, examples: Sequence[Example]) -> list[Tensor]:
    """What the frozen layers say of each example: [length, width], half precision to save memory."""
    encoder.eval()
    states: list[Tensor] = [torch.empty(0)] * len(examples)
    for rows in batches_by_length(examples):
        batch = collate([examples[i] for i in rows])
        for i, row in zip(rows, encoder.lower(batch.ids, batch.present), strict=True):
            states[i] = row[: len(examples[i].window.ids)].half()
    return states


@torch.no_grad()
def judge(encoder: Encoder, examples: Sequence[Example]) -> list[Judgement]:
    """The judgements of the encoder as PyTorch computes them, in the order of the examples."""
    encoder.eval()
    judged: list[Judgement | None] = [None] * len(examples)
    for rows in batches_by_length(examples):
        batch = collate([examples[i] for i in rows])
        outputs = encoder(batch.ids, batch.present, batch.ends)
        for k, i in enumerate(rows):
            window = examples[i].window
            sentences = outputs.sentences[k, : len(window.ends)].numpy()
            judged[i] = read_outputs(outputs.article[k].numpy().astype(np.float32), sentences, window)
    return [judgement for judgement in judged if judgement is not None]


def _optimizer(
    encoder: Encoder, recipe: Recipe, n_steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    heads = [*encoder.attention.parameters(), *encoder.article_head.parameters(), *encoder.sentence_head.parameters()]
    layers = [weight for layer in encoder.layers[encoder.n_frozen :] for weight in layer.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": layers, "lr": recipe.layer_rate}, {"params": heads, "lr": recipe.head_rate}],
        weight_decay=recipe.weight_decay,
    )
    n_warmup = max(1, math.ceil(recipe.warmup_share * n_steps))

    def share(step: int) -> float:
        return min((step + 1) / n_warmup, max(0.0, (n_steps - step) / (n_steps - n_warmup)))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, share)


def _losses(outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
    relevance, direction, themes, trait, types = outputs.article.split(ARTICLE_PARTS, dim=1)
    sentences = outputs.sentences
    n_stances = 1 + len(DIRECTIONS)
    is_themed = (batch.relevance > 0) * batch.has_details
    theme_losses = functional.binary_cross_entropy_with_logits(themes, batch.themes, reduction="none").sum(1)
    has_type = batch.events.unflatten(1, (len(EVENT_TYPES), len(WAYS))).amax(2)
    type_losses = functional.binary_cross_entropy_with_logits(types, has_type, reduction="none").sum(1)
    return {
        "relevance": _mean_known(relevance, batch.relevance),
        "direction": _mean_known(direction, batch.direction),
        "stance": _mean_known(sentences[:, :, :n_stances].flatten(0, 1), batch.stances.flatten()),
        "event": _event_loss(sentences[:, :, n_stances:], batch),
        "type": _mean_of(type_losses, batch.has_details),
        "theme": _mean_of(theme_losses, is_themed),
        "trait": functional.cross_entropy(trait, batch.trait, ignore_index=UNKNOWN, reduction="sum")
        / (batch.trait != UNKNOWN).sum().clamp(min=1),
    }


def _event_loss(sentences: Tensor, batch: Batch) -> Tensor:
    """The sum over kinds of events, mean over articles. sentences: [n, most sentences, kinds], logits.

    The corpus says which events an article holds, not where. A held one is that of its strongest evidence sentence (or
    the title), one that is not held may be in no sentence: so each sentence learns its own.
    """
    is_absent = (1 - batch.is_end)[:, :, None] * -1e4
    may_hold = (batch.stances != 0).float() * batch.is_end
    may_not_hold = (1 - may_hold * may_hold.amax(1, keepdim=True))[:, :, None] * -1e4 * may_hold.amax(1)[:, None, None]
    anywhere, in_evidence = (sentences + is_absent).amax(1), (sentences + is_absent + may_not_hold).amax(1)
    logits = torch.where(batch.events > 0, in_evidence, anywhere)
    losses = functional.binary_cross_entropy_with_logits(logits, batch.events, reduction="none").sum(1)
    return _mean_of(losses, batch.has_details)


def _mean_of(losses: Tensor, is_counted: Tensor) -> Tensor:
    """The mean of those that count, 0 where none does. Both [n]."""
    return (losses * is_counted).sum() / is_counted.sum().clamp(min=1)


def _mean_known(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy over the targets that are known, 0 where none is."""
    n_known = (targets != UNKNOWN).sum().clamp(min=1)
    loss = functional.cross_entropy(logits, targets, ignore_index=UNKNOWN, reduction="sum", label_smoothing=SMOOTHING)
    return loss / n_known
