"""The encoder in PyTorch: a BERT of 12 layers, 384 wide, with heads for the article and for each of its sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from include.newswatch.scoring.encoder import ARTICLE_PARTS, DIRECTIONS, N_ARTICLE_OUTPUTS, N_SENTENCE_OUTPUTS
from training.base_weights import BaseWeights

DROPOUT = 0.1
RARE_THEME, RARE_EVENT = -2.5, -5.0  # log odds
# What a mark stands for at first: the mean of what these words mean to the base encoder.
MARK_WORDS = {
    "[A]": ("▁China", "中国", "▁Китай"),
    "[B]": ("▁Russia", "俄罗斯", "▁Россия"),
    "[A:person]": ("▁China", "中国", "▁Китай", "▁president", "总统", "▁президент"),
    "[B:person]": ("▁Russia", "俄罗斯", "▁Россия", "▁president", "总统", "▁президент"),
    "[A:body]": ("▁China", "中国", "▁Китай", "▁company", "公司", "▁компания"),
    "[B:body]": ("▁Russia", "俄罗斯", "▁Россия", "▁company", "公司", "▁компания"),
}


@dataclass(frozen=True, slots=True)
class Outputs:
    """article: [batch, N_ARTICLE_OUTPUTS]; sentences: [batch, most sentences, N_SENTENCE_OUTPUTS]."""

    article: Tensor
    sentences: Tensor


class Layer(nn.Module):
    def __init__(self, width: int, hidden: int, n_heads: int, epsilon: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.attended = nn.Linear(width, width)
        self.attended_norm = nn.LayerNorm(width, epsilon)
        self.widen, self.narrow = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm = nn.LayerNorm(width, epsilon)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """states: [batch, length, width]. mask: see attention_mask; None where nothing is padded."""
        query, key, value = (self._heads(project(states)) for project in (self.query, self.key, self.value))
        context = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        context = self.attended(context.transpose(1, 2).flatten(2))
        states = self.attended_norm(states + self.dropout(context))
        return self.norm(states + self.dropout(self.narrow(functional.gelu(self.widen(states)))))

    def _heads(self, states: Tensor) -> Tensor:
        return states.unflatten(2, (self.n_heads, -1)).transpose(1, 2)


class Encoder(nn.Module):
    """Lower layers may be frozen: `lower` runs them, `upper` the rest, `forward` both."""

    def __init__(self, base: BaseWeights, old_ids: Sequence[int], marks: Sequence[str], n_frozen: int = 0) -> None:
        super().__init__()
        self.n_frozen = n_frozen
        self.words = nn.Embedding(len(old_ids) + len(marks), base.width)
        self.positions = nn.Embedding(base.n_positions, base.width)
        self.norm = nn.LayerNorm(base.width, base.epsilon)
        self.layers = nn.ModuleList(
            Layer(base.width, base.hidden, base.n_heads, base.epsilon) for _ in range(base.n_layers)
        )
        self.attention = nn.Linear(base.width, 1)
        self.article_head = nn.Sequential(
            nn.Linear(3 * base.width, base.width),
            nn.Tanh(),
            nn.Dropout(DROPOUT),
            nn.Linear(base.width, N_ARTICLE_OUTPUTS),
        )
        self.sentence_head = nn.Sequential(
            nn.Linear(2 * base.width, base.width),
            nn.Tanh(),
            nn.Dropout(DROPOUT),
            nn.Linear(base.width, N_SENTENCE_OUTPUTS),
        )
        _load_base(self, base, old_ids, marks)
        _expect_rare_kinds(self)

    def lower(self, ids: Tensor, present: Tensor) -> Tensor:
        """The states after the frozen layers. ids: [batch, length]; present: [batch, length], 1 where a token is."""
        states = self.words(ids) + self.positions.weight[: ids.shape[1]]
        states = self.norm(states)
        for layer in self.layers[: self.n_frozen]:
            states = layer(states, attention_mask(present))
        return states

    def upper(self, states: Tensor, present: Tensor, ends: Tensor) -> Outputs:
        for layer in self.layers[self.n_frozen :]:
            states = layer(states, attention_mask(present))
        return self.heads(states, present, ends)

    def heads(self, states: Tensor, present: Tensor, ends: Tensor) -> Outputs:
        """ends: [batch, most sentences], the place of each sentence's last token, 0 where there is no sentence."""
        weight = present.unsqueeze(2)
        mean = (states * weight).sum(1) / weight.sum(1)
        attention = torch.softmax(self.attention(states) + (weight - 1) * 1e4, dim=1)
        attended = (states * attention).sum(1)
        sentences = sentence_means(states, ends)
        whole = attended[:, None].expand_as(sentences)
        return Outputs(
            self.article_head(torch.cat([states[:, 0], mean, attended], dim=1)),
            self.sentence_head(torch.cat([sentences, whole], dim=2)),
        )

    def forward(self, ids: Tensor, present: Tensor, ends: Tensor) -> Outputs:
        return self.upper(self.lower(ids, present), present, ends)


def sentence_means(states: Tensor, ends: Tensor) -> Tensor:
    """The mean state of each sentence's tokens: [batch, most sentences, width].

    The end token alone would not do: in the base encoder it stands for the whole text, so all sentences looked alike.
    """
    sums = states.cumsum(1)
    starts = torch.cat([torch.zeros_like(ends[:, :1]), ends[:, :-1]], dim=1)
    wide = (-1, -1, states.shape[2])
    total = sums.gather(1, ends[:, :, None].expand(wide)) - sums.gather(1, starts[:, :, None].expand(wide))
    return total / (ends - starts).clamp(min=1)[:, :, None]


def attention_mask(present: Tensor) -> Tensor:
    """[batch, 1, 1, length]: 0 where a token is, very negative where none is."""
    return ((present - 1) * 1e4)[:, None, None, :]


def _load_base(encoder: Encoder, base: BaseWeights, old_ids: Sequence[int], marks: Sequence[str]) -> None:
    tensors = {name: torch.from_numpy(np.array(values)) for name, values in base.tensors.items()}
    words = tensors["emb.word"].view(-1, base.width)
    ids = {piece: i for i, piece in enumerate(base.pieces.texts)}
    mark_rows = [words[[ids[word] for word in MARK_WORDS[mark]]].mean(0) for mark in marks]
    with torch.no_grad():
        encoder.words.weight.copy_(torch.cat([words[list(old_ids)], torch.stack(mark_rows)]))
        encoder.positions.weight.copy_(tensors["emb.pos"].view(-1, base.width) + tensors["emb.type"][: base.width])
        _load_pair(encoder.norm, tensors, "emb.ln")
        for i, layer in enumerate(encoder.layers):
            parts = {
                "q": layer.query,
                "k": layer.key,
                "v": layer.value,
                "ao": layer.attended,
                "aln": layer.attended_norm,
                "fi": layer.widen,
                "fo": layer.narrow,
                "oln": layer.norm,
            }
            for name, module in parts.items():
                _load_pair(module, tensors, f"l{i}.{name}")


@torch.no_grad()
def _expect_rare_kinds(encoder: Encoder) -> None:
    """Most themes and events are absent from most texts: without this their losses drown all others at first."""
    _, _, themes, _, types = encoder.article_head[-1].bias.split(ARTICLE_PARTS)
    themes.fill_(RARE_THEME)
    types.fill_(RARE_THEME)
    encoder.sentence_head[-1].bias[1 + len(DIRECTIONS) :] = RARE_EVENT


def _load_pair(module: nn.Module, tensors: dict[str, Tensor], name: str) -> None:
    module.weight.copy_(tensors[f"{name}.w"].view_as(module.weight))
    module.bias.copy_(tensors[f"{name}.b"])
