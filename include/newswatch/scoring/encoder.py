"""Marked articles in, probabilities out: the trained encoder, run by onnxruntime on one thread. Reads its folder once.

One article is one pass: the title and the sentences that matter stand in one window, so that each is judged in the
light of the others. Articles are never batched together: quantised activations would then depend on the neighbours,
and the same article would not get the same score twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from include.newswatch.model import SettingsError
from include.newswatch.scoring.marking import MarkedText

RELEVANCES = (0, 1, 2)
DIRECTIONS = (-2, -1, 0, 1, 2)
# fmt: off
EVENT_TYPES = (
    "AGREE", "CONSULT", "SUPPORT", "COOPERATE", "AID", "YIELD", "REQUEST", "ACCUSE", "REJECT", "THREATEN", "PROTEST",
    "SANCTION", "MOBILIZE", "COERCE", "ASSAULT",
)
WAYS = ("A>B", "B>A", "A=B")  # who acts toward whom; both together
THEMES = (
    "diplomacy", "trade", "energy", "finance", "military", "border", "technology", "culture", "sanctions", "security",
    "law", "agriculture", "environment", "health", "media", "migration", "ukraine", "taiwan", "central_asia", "korea",
    "arctic",
)
# What kind of text it is: the capabilities that the corpus is balanced over.
TRAITS = (
    "plain_coop", "plain_friction", "mixed", "statistics", "denial", "hypothetical", "third_party",
    "joint_toward_others", "list", "sport_culture", "name_trap", "metonym", "leaders", "companies", "history",
    "conflict_words_in_coop", "coop_words_in_conflict", "opposing_quotes", "passive", "coreference",
)
# fmt: on
ARTICLE_PARTS = (len(RELEVANCES), len(DIRECTIONS), len(THEMES), len(TRAITS), len(EVENT_TYPES))
N_ARTICLE_OUTPUTS = sum(ARTICLE_PARTS)
N_SENTENCE_OUTPUTS = 1 + len(DIRECTIONS) + len(EVENT_TYPES) * len(WAYS)

MAX_TOKENS = 144  # of one article; attention and time grow with it
MAX_SENTENCE_TOKENS = 96
BEGIN, PAD, END = 0, 1, 2  # token ids of the base encoder

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """What fits the encoder. ids: token ids; ends: where in ids each sentence ends; nos: the sentences' numbers."""

    ids: tuple[int, ...]
    ends: tuple[int, ...]
    nos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EventProbability:
    """type: a PLOVER type. way: one of WAYS, who acts toward whom."""

    type: str
    way: str
    probability: float


@dataclass(frozen=True, slots=True)
class SentenceProbabilities:
    """no: from 0, -1 for the title. evidence: 0..1 that it shows the judgement. direction: over DIRECTIONS, if it does.

    events: the most probable way of each type, in the order of EVENT_TYPES.
    """

    no: int
    evidence: float
    direction: tuple[float, ...]
    events: tuple[EventProbability, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Probabilities for one article. relevance: over 0, 1, 2. direction: over DIRECTIONS, given that it is relevant.

    events: that the article as a whole holds an act of the type.
    """

    relevance: tuple[float, ...]
    direction: tuple[float, ...]
    themes: dict[str, float]
    traits: dict[str, float]
    events: dict[str, float]
    sentences: tuple[SentenceProbabilities, ...]


def fit_window(tokenizer: Tokenizer, marked: MarkedText) -> Window:
    """Take sentences by rank, then by place, as long as they fit MAX_TOKENS; lay them out in the order of the text."""
    encoded = tokenizer.encode_batch([sentence.text for sentence in marked.sentences], add_special_tokens=False)
    pieces = [encoding.ids[:MAX_SENTENCE_TOKENS] for encoding in encoded]
    chosen = set()
    n_free = MAX_TOKENS - 1
    for i in sorted(range(len(pieces)), key=lambda i: (marked.sentences[i].rank, i)):
        if len(pieces[i]) + 1 <= n_free:
            chosen.add(i)
            n_free -= len(pieces[i]) + 1
    ids, ends = [BEGIN], []
    for i in sorted(chosen):
        ids += [*pieces[i], END]
        ends.append(len(ids) - 1)
    return Window(tuple(ids), tuple(ends), tuple(marked.sentences[i].no for i in sorted(chosen)))


class Encoder:
    """The trained weights of one dyad. Use `load`."""

    def __init__(self, session: onnxruntime.InferenceSession, tokenizer: Tokenizer, version: str) -> None:
        self._session = session
        self.tokenizer = tokenizer
        self.version = version

    @classmethod
    def load(cls, folder: Path) -> Encoder:
        """Load `encoder.onnx` and `tokenizer.json`; the version is a hash of both.

        Raises:
            SettingsError: one of the files is missing.
        """
        model, tokenizer = folder / "encoder.onnx", folder / "tokenizer.json"
        for path in (model, tokenizer):
            if not path.is_file():
                raise SettingsError(f"{path}: missing")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        digest = hashlib.sha256(model.read_bytes() + tokenizer.read_bytes()).hexdigest()[:12]
        return cls(session, Tokenizer.from_file(str(tokenizer)), digest)

    def judge(self, texts: Sequence[MarkedText]) -> list[Judgement]:
        """Judge each article by itself, in order."""
        return [self._judge(fit_window(self.tokenizer, text)) for text in texts]

    def _judge(self, window: Window) -> Judgement:
        inputs = {"ids": np.array([window.ids], np.int64), "ends": np.array(window.ends, np.int64)}
        article, sentences = self._session.run(["article", "sentences"], inputs)
        return read_outputs(article, sentences, window)


def read_outputs(article: Floats, sentences: Floats, window: Window) -> Judgement:
    """Logits to probabilities. article: [N_ARTICLE_OUTPUTS]; sentences: [number of sentences, N_SENTENCE_OUTPUTS]."""
    relevance, direction, themes, traits, events = np.split(article, np.cumsum(ARTICLE_PARTS[:-1]))
    return Judgement(
        relevance=tuple(_softmax(relevance).tolist()),
        direction=tuple(_softmax(direction).tolist()),
        themes=dict(zip(THEMES, _sigmoid(themes).tolist(), strict=True)),
        traits=dict(zip(TRAITS, _softmax(traits).tolist(), strict=True)),
        events=dict(zip(EVENT_TYPES, _sigmoid(events).tolist(), strict=True)),
        sentences=tuple(_read_sentence(no, row) for no, row in zip(window.nos, sentences, strict=True)),
    )


def _read_sentence(no: int, outputs: Floats) -> SentenceProbabilities:
    n_stances = 1 + len(DIRECTIONS)
    ways = _sigmoid(outputs[n_stances:]).reshape(len(EVENT_TYPES), len(WAYS))
    best = ways.argmax(axis=1)
    return SentenceProbabilities(
        no=no,
        evidence=1 - float(_softmax(outputs[:n_stances])[0]),
        direction=tuple(_softmax(outputs[1:n_stances]).tolist()),
        events=tuple(
            EventProbability(kind, WAYS[way], float(ways[i, way]))
            for i, (kind, way) in enumerate(zip(EVENT_TYPES, best, strict=True))
        ),
    )


def _softmax(logits: Floats) -> Floats:
    powers: Floats = np.exp(logits - logits.max())
    shares: Floats = powers / powers.sum()
    return shares


def _sigmoid(logits: Floats) -> Floats:
    odds: Floats = np.exp(logits)
    shares: Floats = odds / (1 + odds)
    return shares
