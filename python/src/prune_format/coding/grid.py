"""Floats that all are whole multiples of 2^-bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import numpy.typing as npt

#: Finest grid: a float16 below 1 has no bits past 2^-24.
MAX_GRID_BITS = 24

#: Values that are looked at first, because most tables are on no grid.
_SAMPLE = 1024


@dataclass(frozen=True)
class DyadicGrid:
    """``origin``: the smallest multiple. ``alphabet``: integers from it on, and one for -0 after them where it
    occurs.
    """

    bits: int
    origin: int
    alphabet: int
    negative_zero: bool


def dyadic_grid(values: "npt.NDArray[np.float32]", most_alphabet: float) -> Optional[DyadicGrid]:
    """The coarsest grid that all values are on exactly, with at most ``most_alphabet`` integers."""
    flat = values.ravel()
    if len(flat) == 0 or _bits_of(flat[:_SAMPLE]) is None:
        return None
    bits = _bits_of(flat)
    if bits is None:
        return None
    least, most = float(flat.min()), float(flat.max())
    scale = float(2**bits)
    if (most - least) * scale >= most_alphabet - 1 or abs(least * scale) > 2**38:
        return None
    negative_zero = bool((np.signbit(flat) & (flat == 0)).any())
    return DyadicGrid(bits, int(least * scale), int((most - least) * scale) + 1 + negative_zero, negative_zero)


def _bits_of(values: "npt.NDArray[Any]") -> Optional[int]:
    if not np.isfinite(values).all():
        return None
    left = values.astype(np.float64)
    for bits in range(MAX_GRID_BITS + 1):
        scaled = left * 2.0**bits
        left = left[np.floor(scaled) != scaled]
        if not len(left):
            return bits
    return None


def to_grid(values: "npt.NDArray[np.float32]", grid: DyadicGrid) -> "npt.NDArray[np.int64]":
    """The integer of each value, from 0 on."""
    symbols = (values.astype(np.float64) * 2.0**grid.bits).astype(np.int64) - grid.origin
    if grid.negative_zero:
        symbols[np.signbit(values) & (values == 0)] = grid.alphabet - 1
    return symbols
