"""Fits the classes of rows and columns to the counts of a mask."""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from .fixed_log2 import fixed_log2
from .gap_tables import COLUMN_WEIGHTS, ROW_CLASSES, gap_tables
from .levels import Integers

Classes = npt.NDArray[np.uint8]

#: Slots a column, on average, that the fit starts from, and slots that are wanted at most.
_MEAN_WEIGHT = 6
_SLOTS_WANTED = 16_384
_ROUNDS = 6
#: 4,096 * log2(e)
_LOG2_E = 5909


def fit_mask(row_counts: Integers, column_counts: Integers, nnz: int) -> Tuple[Classes, Classes]:
    """Returns the classes of columns and of rows.

    Rows and columns are fitted in turn, each line taking the class that makes its nonzeros and itself cheapest to say.
    Doubles, but only ``+ - * /`` and comparisons, in the order of the TypeScript encoder: the same bytes come out.
    """
    tables = gap_tables()
    columns = len(column_counts)
    row_class = np.zeros(len(row_counts), np.int64)
    column_class = np.zeros(columns, np.int64)
    if nnz == 0:
        return column_class.astype(np.uint8), row_class.astype(np.uint8)
    survival = [[tables.survival(k, w) for w in COLUMN_WEIGHTS] for k in range(ROW_CLASSES)]
    mean = min(_MEAN_WEIGHT, max(1, _SLOTS_WANTED / columns))
    expected = [w * nnz / (mean * columns) for w in COLUMN_WEIGHTS]
    columns_of = [0] * len(COLUMN_WEIGHTS)
    rows_of = [0] * ROW_CLASSES
    used_columns, used_rows = column_counts > 0, row_counts > 0
    for round_number in range(_ROUNDS):
        cost = _costs(expected, columns_of)
        column_class[used_columns] = _cheapest(cost, column_counts[used_columns], 1)
        columns_of = np.bincount(column_class, minlength=len(COLUMN_WEIGHTS)).tolist()
        _limit_slots(column_class, columns_of)
        slots = sum(w * n for w, n in zip(COLUMN_WEIGHTS, columns_of))
        in_row = []
        for of in survival:
            own = 0.0
            for s, n in zip(of, columns_of):
                own += n * (1 - s)
            in_row.append(own)
        k = _cheapest(_costs(in_row, rows_of), row_counts[used_rows], 0)
        # The decoder's bound on escapes.
        for _ in range(ROW_CLASSES):
            low = (k + 1 < ROW_CLASSES) & (slots > tables.reach[k] * 2 * row_counts[used_rows])
            if not low.any():
                break
            k += low
        row_class[used_rows] = k + 1
        rows_of = np.bincount(k, minlength=ROW_CLASSES).tolist()
        if round_number < _ROUNDS - 1:
            expected = []
            for j in range(len(COLUMN_WEIGHTS)):
                own = 0.0
                for n, of in zip(rows_of, survival):
                    own += n * (1 - of[j])
                expected.append(own)
    return column_class.astype(np.uint8), row_class.astype(np.uint8)


def _costs(expected: Sequence[float], taken: Sequence[int]) -> Tuple[Any, Any]:
    """What it costs to give a line each class: so much, less so much for each of its nonzeros. Bits in 1 / 4,096."""
    everything = sum(taken)
    line: List[float] = []
    for e, n in zip(expected, taken):
        line.append(e * _LOG2_E + (0 if everything == 0 else fixed_log2(everything) - fixed_log2(n + 0.25)))
    return np.array(line, np.float64), np.array([fixed_log2(e) if e > 0 else 0 for e in expected], np.float64)


def _cheapest(cost: Tuple[Any, Any], counts: Integers, first: int) -> Integers:
    line, nonzero = cost
    distinct, place = np.unique(counts, return_inverse=True)
    best = np.argmin(line[None, first:] - distinct[:, None] * nonzero[None, first:], axis=1)
    cheapest: Integers = (best[place] + first).astype(np.int64)
    return cheapest


def slot_limit(columns: int) -> int:
    """The format's bound on slots."""
    return 16 * columns + 4096


def _limit_slots(column_class: Integers, columns_of: List[int]) -> None:
    limit = slot_limit(len(column_class))
    for top in range(len(COLUMN_WEIGHTS) - 1, 1, -1):
        if sum(w * n for w, n in zip(COLUMN_WEIGHTS, columns_of)) <= limit:
            break
        column_class[column_class == top] -= 1
        columns_of[top - 1] += columns_of[top]
        columns_of[top] = 0
