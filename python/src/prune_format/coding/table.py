"""A quantized embedding table; see SPEC.md, "Table"."""

from __future__ import annotations

from typing import Any, Tuple

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .byte_reader import ByteReader, folded_origin, joined, unfolded_origin
from .floats import decode_floats, encode_floats
from .grid import MAX_GRID_BITS
from .integer_rows import decode_integer_rows, encode_integer_rows
from .planes import decode_planes, encode_planes
from .quantized_rows import (
    CODE_CLASSES,
    Float32s,
    QuantizedTable,
    accepted_rows,
    code_classes,
    grid_bits,
    multiples,
    quantize_multiples,
    range_grid,
    row_grid,
    scales_of,
    zero_points_of,
)
from .symbols import MAX_ALPHABET, Lines, decode_symbols, encode_symbols

_GRID = 1
_RANGED = 2


def decode_table(data: bytes, rows: int, width: int) -> QuantizedTable:
    """Returns a table of ``rows`` rows of ``width`` codes. Raises ``corrupt``."""
    reader = ByteReader(data)
    scale, zero_point = np.zeros(rows, "<f4"), np.zeros(rows, "<f4")
    int_repr = np.zeros((rows, width), np.uint8)
    on: "npt.NDArray[np.bool_]" = np.zeros(rows, bool)
    form = reader.number("form of a table", _GRID + _RANGED)
    if form & _GRID:
        step = 2.0 ** -reader.number("bits of the grid", MAX_GRID_BITS)
        origin = unfolded_origin(reader.number("origin of the grid", 2**32))
        alphabet = reader.number("alphabet", MAX_ALPHABET)
        flags = np.frombuffer(reader.take("rows on the grid", (rows + 7) // 8), np.uint8)
        on = np.unpackbits(flags, bitorder="little")[:rows].astype(bool)
        good = int(on.sum())
        symbols = decode_integer_rows(reader, good * width, width, alphabet).reshape(good, width)
        own = quantize_multiples(symbols, origin, step)
        scale[on], zero_point[on], int_repr[on] = own.scale, own.zero_point, own.int_repr
    others = ~on
    count = int(others.sum())
    ranges = (_decode_ranges if form & _RANGED else _decode_range_floats)(reader, count)
    scale[others], zero_point[others] = ranges
    codes: Any
    if form & _RANGED and reader.number("form of the codes", 1) == 1:
        codes = decode_symbols(reader, count * width, 256, Lines(width, code_classes(ranges[1]), CODE_CLASSES))
    else:
        codes = decode_planes(reader, count * width, 1)
    int_repr[others] = codes.reshape(count, width)
    reader.check_end("table")
    return QuantizedTable(scale, zero_point, int_repr)


def _decode_range_floats(reader: ByteReader, rows: int) -> Tuple[Float32s, Float32s]:
    def floats(what: str) -> Float32s:
        part = reader.take(what, reader.number(what, len(reader.data)))
        return decode_floats(part, "float32", [rows])

    return floats("scales"), floats("zero points")


def _decode_ranges(reader: ByteReader, rows: int) -> Tuple[Float32s, Float32s]:
    if reader.number("form of scales", 1) == 0:
        return _decode_range_floats(reader, rows)
    divisor = reader.number("largest code", 255)
    if divisor == 0:
        corrupt("largest code", divisor, "at least 1")
    unit = 2.0 ** reader.number("bits of the grid", MAX_GRID_BITS)
    origin = unfolded_origin(reader.number("origin of the grid", 2**25))
    alphabets = [reader.number("alphabet", MAX_ALPHABET), reader.number("alphabet", MAX_ALPHABET)]
    minimum = decode_symbols(reader, rows, alphabets[0])
    span = decode_symbols(reader, rows, alphabets[1])
    scale = scales_of(span / unit, divisor)
    return scale, zero_points_of((minimum.astype(np.int64) + origin) / unit, scale)


def encode_table(table: QuantizedTable) -> bytes:
    """Codes a table: rows that were on a grid before they were quantized by the grid's integers, others as they are."""
    width = table.int_repr.shape[1]
    bits = grid_bits(table)
    on: "npt.NDArray[np.bool_]" = np.zeros(len(table.scale), bool)
    least = most = 0
    symbols = np.zeros(0, np.int64)
    if bits is not None:
        grid = row_grid(table, bits)
        on, least, most = accepted_rows(grid)
        integers = multiples(table.int_repr[on], grid.spans[on]) + (grid.origins[on] - least)[:, None]
        symbols = integers.reshape(-1)
    ranged, rest = _encode_rest(table.rows(~on))
    if bits is None or not on.any():
        return joined([ranged], rest)
    alphabet = most - least + 1
    flags = np.packbits(on, bitorder="little").tobytes()
    head = [ranged + _GRID, bits, folded_origin(least), alphabet]
    return joined(head, flags, encode_integer_rows(symbols, width, alphabet), rest)


def _encode_rest(table: QuantizedTable) -> Tuple[int, bytes]:
    """Scales, zero points and codes of the rows that are on no grid, and whether they are ranged: where that is
    smaller.
    """
    flat = table.int_repr.reshape(-1)
    planes = encode_planes(flat.reshape(-1, 1))
    plain = _encode_range_floats(table) + planes
    if len(flat) == 0:
        return 0, plain
    lines = encode_symbols(flat, 256, Lines(table.int_repr.shape[1], code_classes(table.zero_point), CODE_CLASSES))
    codes = joined([1], lines) if len(lines) < len(planes) else joined([0], planes)
    ranged = _encode_ranges(table) + codes
    return (_RANGED, ranged) if len(ranged) < len(plain) else (0, plain)


def _encode_range_floats(table: QuantizedTable) -> bytes:
    parts = [encode_floats(values, "float32") for values in (table.scale, table.zero_point)]
    return b"".join(joined([len(part)], part) for part in parts)


def _encode_ranges(table: QuantizedTable) -> bytes:
    grid = range_grid(table.scale, table.zero_point)
    if grid is None:
        return joined([0], _encode_range_floats(table))
    alphabets = [int(symbols.max()) + 1 for symbols in (grid.minimum, grid.span)]
    head = [1, grid.divisor, grid.bits, folded_origin(grid.origin), *alphabets]
    return joined(
        head, encode_symbols(grid.minimum, alphabets[0]), encode_symbols(grid.span, alphabets[1])
    )
