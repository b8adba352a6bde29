"""The frequencies of magnitudes, which may depend on how dense row and column are; see SPEC.md, "Values in contexts".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable, List, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .adaptive_bits import NUMBER_CONTEXTS, BitDecoder, BitEncoder, Contexts
from .byte_reader import folded, unfolded
from .fixed_log2 import fixed_log2
from .levels import Floats, Integers, frequencies, weights_of

#: Groups a side that the encoder makes.
GROUPS = 4
_MOST_TILT = 64
_SCALE = 4096

#: Slope and curve.
Tilt = Tuple[int, int]


@dataclass(frozen=True)
class ValueContexts:
    """``groups`` a side, the classes at which groups begin, and a tilt for each pair of groups, row group first."""

    groups: int = 1
    row_starts: Tuple[int, ...] = ()
    column_starts: Tuple[int, ...] = ()
    tilts: Tuple[Tilt, ...] = ((0, 0),)


NO_CONTEXTS = ValueContexts()


def groups_of(starts: Sequence[int], classes: "npt.NDArray[Any]") -> Integers:
    """The group of each class: how many groups begin at or before it."""
    groups = np.zeros(len(classes), np.int64)
    for start in starts:
        groups += classes >= start
    return groups


def context_frequencies(levels: Integers, tilts: Sequence[Tilt]) -> List[Integers]:
    """For every context the frequencies of magnitudes 1 .. 128, which sum to 4,096."""
    weights = weights_of(levels)
    if all(tilt == (0, 0) for tilt in tilts):
        return [frequencies(weights, _SCALE)] * len(tilts)
    rank = _ranks(weights)
    return [frequencies(_tilted(weights, rank, tilt), _SCALE) for tilt in tilts]


def _tilted(weights: Floats, rank: Integers, tilt: Tilt) -> Floats:
    exponent = _exponents(rank, tilt)
    # Products of doubles in the order of the specification. 2^floor(e / 4,096) is exact.
    tilted: Floats = np.ldexp(weights * _powers_of_two()[exponent & 4095], (exponent >> 12).astype(np.int32))
    return tilted


def _exponents(rank: Integers, tilt: Tilt) -> Integers:
    """In 1 / 4,096."""
    slope, curve = tilt
    return 8 * slope * rank + (curve * rank * rank) // 16


def _ranks(weights: Floats) -> Integers:
    """-128 .. 128: 128 times (the share of the smaller magnitudes less the share of the larger ones)."""
    frequency = frequencies(weights, _SCALE)
    below = np.cumsum(frequency) - frequency
    return (2 * below + frequency - _SCALE) // 32


@lru_cache(maxsize=None)
def _powers_of_two() -> Floats:
    """floor(2^20 * 2^(i / 4,096)) by repeated multiplication in doubles: not the nearest, but the same everywhere."""
    powers, power = [], float(2**20)
    for _ in range(4096):
        powers.append(float(int(power)))
        power *= 1.0001692397053021
    return np.array(powers)


def read_contexts(coder: BitDecoder) -> ValueContexts:
    contexts = Contexts(4 * NUMBER_CONTEXTS)
    groups = 1 + coder.number(contexts, 0)
    if groups == 1:
        return NO_CONTEXTS
    if groups > 2 * GROUPS:
        corrupt("too many groups of rows", groups, f"at most {2 * GROUPS}")

    def starts() -> Tuple[int, ...]:
        return tuple(coder.number(contexts, NUMBER_CONTEXTS) for _ in range(groups - 1))

    def tilt(kind: int) -> int:
        n = coder.number(contexts, kind * NUMBER_CONTEXTS)
        if n > 2 * _MOST_TILT:
            corrupt("tilt is too large", n, f"at most {2 * _MOST_TILT}")
        return unfolded(n)

    rows, columns = starts(), starts()
    return ValueContexts(groups, rows, columns, tuple((tilt(2), tilt(3)) for _ in range(groups * groups)))


def write_contexts(coder: BitEncoder, values: ValueContexts) -> None:
    contexts = Contexts(4 * NUMBER_CONTEXTS)
    coder.number(contexts, 0, values.groups - 1)
    if values.groups == 1:
        return
    for start in (*values.row_starts, *values.column_starts):
        coder.number(contexts, NUMBER_CONTEXTS, start)
    for slope, curve in values.tilts:
        coder.number(contexts, 2 * NUMBER_CONTEXTS, folded(slope))
        coder.number(contexts, 3 * NUMBER_CONTEXTS, folded(curve))


def fit_contexts(
    levels: Integers, row_starts: Sequence[int], column_starts: Sequence[int], counts: Sequence[Integers]
) -> ValueContexts:
    """The contexts that make the values cheapest, ``NO_CONTEXTS`` where they do not pay.

    ``counts``: for each pair of groups how often each magnitude 1 .. 128 occurs.
    """
    weights = weights_of(levels)
    rank = _ranks(weights)
    gain = -40 * 4096
    tilts: List[Tilt] = []
    for count in counts:
        cost = _cost_of(weights, rank, count)
        best: Tilt = (0, 0)
        flat = best_cost = cost(best)
        step = 8
        while step >= 1:
            moved = False
            for slope, curve in ((step, 0), (-step, 0), (0, step), (0, -step)):
                tilt = (best[0] + slope, best[1] + curve)
                if max(map(abs, tilt)) > _MOST_TILT:
                    continue
                own = cost(tilt)
                if own < best_cost:
                    best, best_cost, moved = tilt, own, True
            if not moved:
                step //= 2
        gain += flat - best_cost
        tilts.append(best)
    return ValueContexts(GROUPS, tuple(row_starts), tuple(column_starts), tuple(tilts)) if gain > 0 else NO_CONTEXTS


def _cost_of(weights: Floats, rank: Integers, count: Integers) -> Callable[[Tilt], int]:
    own = int(count.sum())

    def cost(tilt: Tilt) -> int:
        if own == 0:
            return 0
        total = float(np.cumsum(_tilted(weights, rank, tilt))[-1])
        said = 4096 * (2 + 2 * (abs(tilt[0]).bit_length() + abs(tilt[1]).bit_length()))
        return own * fixed_log2(total) - int((count * _exponents(rank, tilt)).sum()) + said

    return cost


def starts_of(weight_of_class: Integers) -> List[int]:
    """The classes at which ``GROUPS`` groups of about equal weight begin."""
    total = int(weight_of_class.sum())
    starts: List[int] = []
    so_far = 0
    for c, weight in enumerate(weight_of_class.tolist()):
        if len(starts) >= GROUPS - 1:
            break
        so_far += weight
        while len(starts) < GROUPS - 1 and so_far * GROUPS >= total * (len(starts) + 1):
            starts.append(c + 1)
    return starts
