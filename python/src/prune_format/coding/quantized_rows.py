"""Rows of a table that were quantized from their minimum to their maximum; see SPEC.md, "Table" and "Ranges"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Tuple

import numpy as np
import numpy.typing as npt

from .grid import MAX_GRID_BITS
from .symbols import MAX_ALPHABET

Float32s = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

#: Classes of rows by zero point.
CODE_CLASSES = 32

#: The largest code of the quantizers that there are: 4 bits and 8.
_DIVISORS = (15, 255)
#: Rows that are tried before a grid is believed in.
_SAMPLE = 32


@dataclass(frozen=True)
class QuantizedTable:
    """``scale`` and ``zero_point`` float32 ``[rows]``, ``int_repr`` uint8 ``[rows, width]``."""

    scale: Float32s
    zero_point: Float32s
    int_repr: Codes

    def rows(self, chosen: Any) -> "QuantizedTable":
        return QuantizedTable(self.scale[chosen], self.zero_point[chosen], self.int_repr[chosen])


def code_classes(zero_point: Float32s) -> Integers:
    """The class of each row's codes, 0 for a zero point that is not a number."""
    with np.errstate(all="ignore"):
        doubled = np.floor(2 * zero_point.astype(np.float64))
    return np.where(zero_point > 0, np.minimum(doubled, CODE_CLASSES - 1), 0).astype(np.int64)


def quantize_multiples(symbols: "npt.NDArray[Any]", origin: int, step: float) -> QuantizedTable:
    """PyTorch's row-wise quantization of the rows ``(symbols + origin) * step``, each operation rounded to float32."""
    rows = len(symbols)
    if symbols.size == 0:
        return QuantizedTable(np.zeros(rows, "<f4"), np.zeros(rows, "<f4"), np.zeros(symbols.shape, np.uint8))
    with np.errstate(all="ignore"):
        least = _rounded((symbols.min(axis=1).astype(np.float64) + origin) * step)
        most = _rounded((symbols.max(axis=1).astype(np.float64) + origin) * step)
        span = _rounded(most.astype(np.float64) - least)
        scale = np.where(span <= 2.0**-23, np.float32(1), _rounded(span.astype(np.float64) / 255))
        zero_point = _rounded(-least.astype(np.float64) / scale)
        inverse = _rounded(1 / scale.astype(np.float64))
        # float32 operations of NumPy round as the quantizer's do.
        values = _rounded((symbols.astype(np.float64) + origin) * step) * inverse[:, None] + zero_point[:, None]
        codes = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return QuantizedTable(scale.astype("<f4"), zero_point, codes)


def _rounded(values: "npt.NDArray[Any]") -> Float32s:
    return values.astype(np.float32)


def _nearest(values: "npt.NDArray[Any]") -> "npt.NDArray[np.float64]":
    """As JavaScript rounds: a half goes up."""
    whole: "npt.NDArray[np.float64]" = np.floor(values)
    return whole + (values - whole >= 0.5)


@dataclass(frozen=True)
class RowGrid:
    """For each row whether it is on the grid, and if so the integers of its codes less ``origin`` of the grid."""

    on: "npt.NDArray[np.bool_]"
    origins: Integers
    spans: Integers


def row_grid(table: QuantizedTable, bits: int) -> RowGrid:
    """Which rows are on the grid of 2^-bits: those that quantize to exactly what they are."""
    unit = 2.0**bits
    with np.errstate(all="ignore"):
        scale = table.scale.astype(np.float64)
        origins = _nearest(-table.zero_point.astype(np.float64) * scale * unit)
        spans = _nearest(scale * 255 * unit)
        on = (spans >= 1) & (spans <= 255) & (np.abs(origins) < 2**24)
    origin = np.where(on, origins, 0).astype(np.int64)
    span = np.where(on, spans, 0).astype(np.int64)
    chosen = np.flatnonzero(on)
    # Parts of the table, so that memory does not hold it several times.
    for start in range(0, len(chosen), 4096):
        part = chosen[start : start + 4096]
        own = table.rows(part)
        symbols = multiples(own.int_repr, span[part])
        again = quantize_multiples(symbols + origin[part][:, None], 0, 1 / unit)
        same = (again.scale.view(np.uint32) == own.scale.view(np.uint32)) & (
            again.zero_point.view(np.uint32) == own.zero_point.view(np.uint32)
        )
        on[part] = same & (again.int_repr == own.int_repr).all(axis=1)
    return RowGrid(on, origin, span)


def multiples(codes: Codes, span: Integers) -> Integers:
    """The steps of each row's grid that the quantizer turned into its codes."""
    return _nearest(codes * span[:, None] / 255.0).astype(np.int64)


def grid_bits(table: QuantizedTable) -> Optional[int]:
    """The coarsest grid that gives back nine of ten sampled rows."""
    rows, width = table.int_repr.shape
    if rows == 0 or width < 2:
        return None
    sample = min(rows, _SAMPLE)
    own = table.rows([i * rows // sample for i in range(sample)])
    for bits in range(MAX_GRID_BITS + 1):
        if 10 * int(row_grid(own, bits).on.sum()) >= 9 * sample:
            return bits
    return None


def accepted_rows(grid: RowGrid) -> Tuple["npt.NDArray[np.bool_]", int, int]:
    """The rows whose integers fit into one alphabet, taken in order, and its least and greatest integer."""
    on = grid.on.copy()
    least = most = 0
    some = False
    origins, ends = grid.origins.tolist(), (grid.origins + grid.spans).tolist()
    for row in np.flatnonzero(grid.on).tolist():
        low = min(least, origins[row]) if some else origins[row]
        high = max(most, ends[row]) if some else ends[row]
        if high - low >= MAX_ALPHABET:
            on[row] = False
        else:
            least, most, some = low, high, True
    return on, least, most


@dataclass(frozen=True)
class RangeGrid:
    """Minima less the least one, and ranges, as integers of which scales and zero points are computed again."""

    divisor: int
    bits: int
    origin: int
    minimum: Integers
    span: Integers


def range_grid(scale: Float32s, zero_point: Float32s) -> Optional[RangeGrid]:
    """The coarsest grid that gives back every bit of all rows; ``None`` when there is none, or no row."""
    if len(scale) == 0:
        return None
    for divisor in _DIVISORS:
        for bits in range(MAX_GRID_BITS + 1):
            # Most grids fail at once, so some rows are tried before all.
            if _range_grid(scale[:64], zero_point[:64], divisor, bits) is None:
                continue
            grid = _range_grid(scale, zero_point, divisor, bits)
            if grid is not None:
                return grid
    return None


def _range_grid(scale: Float32s, zero_point: Float32s, divisor: int, bits: int) -> Optional[RangeGrid]:
    unit = 2.0**bits
    with np.errstate(all="ignore"):
        wide = scale.astype(np.float64)
        span = _nearest(wide * divisor * unit)
        minimum = _nearest(-zero_point.astype(np.float64) * wide * unit) + 0.0
        inside = (span >= 0) & (span < MAX_ALPHABET) & (np.abs(minimum) < 2**24)
        if not inside.all() or minimum.max() - minimum.min() >= MAX_ALPHABET:
            return None
        again = scales_of(span / unit, divisor)
        zero = (-minimum / unit / wide).astype(np.float32)
    if (again.view(np.uint32) != scale.view(np.uint32)).any():
        return None
    if (zero.view(np.uint32) != zero_point.view(np.uint32)).any():
        return None
    least = int(minimum.min())
    return RangeGrid(divisor, bits, least, minimum.astype(np.int64) - least, span.astype(np.int64))


def scales_of(span: "npt.NDArray[Any]", divisor: int) -> Float32s:
    """PyTorch's scales of ranges: 1 for a range of at most 2^-23."""
    with np.errstate(all="ignore"):
        scale = _rounded(_rounded(span).astype(np.float64) / divisor)
    return np.where(span <= 2.0**-23, np.float32(1), scale).astype("<f4")


def zero_points_of(minimum: "npt.NDArray[Any]", scale: Float32s) -> Float32s:
    """Where the minimum of each row lies among its codes."""
    with np.errstate(all="ignore"):
        return (-_rounded(minimum).astype(np.float64) / scale).astype("<f4")
