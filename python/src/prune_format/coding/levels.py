"""Levels, which say roughly how often each symbol occurs, and the frequencies that they stand for; see SPEC.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .adaptive_bits import NUMBER_CONTEXTS, BitDecoder, BitEncoder, Contexts
from .byte_reader import folded, unfolded

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_MOST_LEVEL = 65535


def levels_of(counts: "npt.NDArray[Any]") -> Integers:
    """The levels of symbols that occur ``counts`` times: 0 for 0, else the least that has 3 l (l + 1) >= count."""
    n = counts.astype(np.int64)
    level = np.maximum(1, np.floor(np.sqrt(n / 3.0)).astype(np.int64) - 1)
    # The square root may be one off in either direction.
    for _ in range(4):
        level = np.where(3 * level * (level + 1) < n, level + 1, level)
    for _ in range(2):
        level = np.where((level > 1) & (3 * (level - 1) * level >= n), level - 1, level)
    return np.where(n == 0, 0, np.minimum(level, _MOST_LEVEL))


def weights_of(levels: Integers) -> Floats:
    """What each level stands for: its square."""
    return (levels * levels).astype(np.float64)


def frequencies(weights: Floats, scale: int) -> Integers:
    """Frequencies that sum to ``scale``, in proportion to the weights; at least 1 for a weight above 0, all 0 without
    one.
    """
    out = np.zeros(len(weights), np.int64)
    # In order, because the sum of doubles depends on it: not np.sum, which adds in pairs.
    total = float(np.cumsum(weights)[-1]) if len(weights) else 0.0
    if total == 0:
        return out
    used = weights > 0
    out[used] = np.maximum(1, np.floor(weights[used] / total * scale + 0.5).astype(np.int64))
    top = int(np.argmax(weights))
    over = int(out.sum()) - scale
    if over < 0:
        out[top] -= over
    i = top
    while over > 0:
        if weights[i] > 0:
            taken = min(over, int(out[i]) >> 1)
            out[i] -= taken
            over -= taken
        i = (i + 1) % len(weights)
    return out


def lows_of(frequency: Integers) -> Integers:
    """Where the positions of each symbol begin."""
    return np.cumsum(frequency) - frequency


def read_levels(coder: BitDecoder, count: int) -> Integers:
    contexts = Contexts(3 * NUMBER_CONTEXTS)
    levels = [0] * count
    before = change = 0
    for i in range(count):
        change = unfolded(coder.number(contexts, min(abs(change), 2) * NUMBER_CONTEXTS))
        before += change
        if not 0 <= before <= _MOST_LEVEL:
            corrupt("magnitude level out of range", before, "0 to 65535")
        levels[i] = before
    return np.array(levels, np.int64)


def write_levels(coder: BitEncoder, levels: Integers) -> None:
    contexts = Contexts(3 * NUMBER_CONTEXTS)
    before = change = 0
    for level in levels.tolist():
        delta = level - before
        coder.number(contexts, min(abs(change), 2) * NUMBER_CONTEXTS, folded(delta))
        change = delta
        before = level
