"""Which of the base encoder's 250,000 word pieces English, Russian and Chinese news need, and their tokenizer.

A piece that is left out is no loss of text: the unigram tokenizer spells the word with shorter pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import wordfreq
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from include.newswatch.scoring.marking import MARKS
from training.base_weights import Pieces

# Frequent words whose pieces are kept. With these 45,000 pieces 4-5 % of the tokens of real news are spelled in
# shorter pieces than before, nearly all of them names and Chinese phrases of three characters and more.
N_WORDS = {"en": 12_000, "ru": 16_000, "zh": 14_000}
N_ACRONYM_WORDS = 3_000
SPACE = "▁"
_NUMBER_OR_SIGNS = re.compile(rf"{SPACE}?(?:\d{{1,4}}|[^\w\s{SPACE}]{{1,3}})")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """old_ids: for each kept piece its id in the base vocabulary, in the order of the new ids."""

    tokenizer: Tokenizer
    old_ids: tuple[int, ...]


def cut_vocabulary(pieces: Pieces, texts: Iterable[str]) -> Vocabulary:
    """Keep the pieces of frequent words, of `texts`, of single characters, numbers and punctuation, in their old order.

    The marks of the parties follow as special tokens, with ids after the last piece.
    """
    whole = _tokenizer(pieces.texts, pieces.scores.tolist(), pieces.unk)
    kept = {pieces.bos, pieces.pad, pieces.eos, pieces.unk}
    for encoded in whole.encode_batch([*_frequent_words(), *texts]):
        kept.update(encoded.ids)
    kept.update(i for i, piece in enumerate(pieces.texts) if _is_basic(piece))
    old_ids = tuple(sorted(kept))
    tokenizer = _tokenizer(
        [pieces.texts[i] for i in old_ids], [float(pieces.scores[i]) for i in old_ids], old_ids.index(pieces.unk)
    )
    tokenizer.add_special_tokens([AddedToken(mark, lstrip=True, normalized=False) for mark in MARKS])
    return Vocabulary(tokenizer, old_ids)


def _tokenizer(texts: Iterable[str], scores: Iterable[float], unk: int) -> Tokenizer:
    tokenizer = Tokenizer(Unigram(list(zip(texts, scores, strict=True)), unk_id=unk))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    return tokenizer


def _frequent_words() -> Iterator[str]:
    for language, n_words in N_WORDS.items():
        for rank, word in enumerate(wordfreq.top_n_list(language, n_words)):
            if language == "zh":
                yield "的" + word
                continue
            yield from (word, word.capitalize(), f"-{word}")
            if rank < N_ACRONYM_WORDS:
                yield word.upper()


def _is_basic(piece: str) -> bool:
    char = piece.removeprefix(SPACE)
    if _NUMBER_OR_SIGNS.fullmatch(piece):
        return all(_is_of_our_scripts(ord(sign)) for sign in char)
    return len(char) <= 1 and (not char or _is_of_our_scripts(ord(char)))


def _is_of_our_scripts(code: int) -> bool:
    return (
        code < 0x180  # Latin with its accents
        or 0x400 <= code < 0x460  # Russian
        or 0x2000 <= code < 0x2200  # punctuation, currencies
        or 0x3000 <= code < 0x3020  # Chinese punctuation
        or 0x4E00 <= code < 0xA000  # Han
        or 0xFF00 <= code < 0xFF66  # full width
    )
