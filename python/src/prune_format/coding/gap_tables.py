"""The way to a row's next nonzero, in slots, for every density class of a row; see SPEC.md, "Mask"."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, List

import numpy as np
import numpy.typing as npt

#: Density classes of rows: hazards from 1/2 to 2^-11.5.
ROW_CLASSES = 22
SCALE_BITS = 12
SCALE: int = 2**SCALE_BITS
#: Entries of a class in ``below``; the widest class reaches 1,529 slots, and one entry more.
STRIDE = 1536

#: The weights that a column can have, in slots.
COLUMN_WEIGHTS = [0, 1] + [w for octave in range(1, 12) for w in (2**octave, 3 * 2 ** (octave - 1))] + [4096]

_ONE = 2**26
#: floor(2^26 / sqrt(2))
_HALF_STEP = 47453132


@dataclass(frozen=True)
class GapTables:
    """Tables of all classes, and of one more that stands still: its state and its place never change.

    ``below[k * STRIDE + g]``: 4,096 times the chance of a way below ``g`` slots, 4,096 at ``reach[k] + 1``.
    ``gap_at[k * SCALE + position]``: the largest ``g`` whose ``below`` is at most the position.
    ``misses[k]``: the chance that one slot is missed.
    """

    below: "npt.NDArray[np.int64]"
    gap_at: "npt.NDArray[np.int64]"
    reach: "npt.NDArray[np.int64]"
    misses: List[float]

    def survival(self, density: int, weight: int) -> float:
        """The chance that a column of ``weight`` slots is missed, by squares of doubles."""
        power, square, rest = 1.0, self.misses[density], weight
        while rest > 0:
            if rest & 1:
                power *= square
            square *= square
            rest >>= 1
        return power


@lru_cache(maxsize=None)
def gap_tables() -> GapTables:
    """The tables, made on first use and kept: they depend on nothing."""
    below: Any = np.zeros((ROW_CLASSES + 1, STRIDE), np.int64)
    gap_at: Any = np.zeros((ROW_CLASSES + 1, SCALE), np.int64)
    reach: Any = np.zeros(ROW_CLASSES + 1, np.int64)
    misses = []
    for k in range(ROW_CLASSES):
        hazard = (_HALF_STEP if k % 2 else _ONE) >> 1 + (k >> 1)
        misses.append((_ONE - hazard) / _ONE)
        survivors, bounds = _ONE, [0]
        while True:
            survivors = survivors * (_ONE - hazard) // _ONE
            after = SCALE - (survivors * SCALE + _ONE // 2) // _ONE
            # A slot that gets no 4,096th of its own ends the table; so does the last 4,096th, which the escape needs.
            if after <= bounds[-1] or after >= SCALE:
                break
            bounds.append(after)
        reach[k] = len(bounds) - 1
        below[k, : len(bounds)] = bounds
        below[k, len(bounds)] = SCALE
        gap_at[k] = np.repeat(np.arange(len(bounds)), np.diff([*bounds, SCALE]))
    below[ROW_CLASSES, 1] = SCALE
    return GapTables(below.ravel(), gap_at.ravel(), reach, misses)
