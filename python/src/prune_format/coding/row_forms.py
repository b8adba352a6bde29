"""The three forms that the rows of a table can have in codec ``rows``; see SPEC.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from ..tensors import DTYPES
from .adaptive_bits import BitEncoder
from .byte_reader import ByteReader, folded_origin, unfolded_origin
from .grid import MAX_GRID_BITS, dyadic_grid, to_grid
from .halves import narrowed, rotated_back, rotated_left, widened
from .integer_rows import CLASSES, LEAST_SYMBOLS, read_means, spread_classes, write_means
from .levels import Integers, read_levels
from .quantized_rows import (
    CODE_CLASSES,
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
from .row_groups import FormReader, Lanes, RowTables, SlotCoder, entropy_bits
from .symbols import MAX_ALPHABET

GRID, PLANES, QUANTIZED = 0, 1, 2
_ELEMENTS, _HALVES = 0, 1
_RANGE_BYTES = 8
#: The part of its bytes that a plane must lose to be coded.
_LEAST_GAIN = 0.01

#: What decodes one row of each lane: the arrays of the table's tensors, a row of each lane.
DecodeRow = Callable[[Lanes, int], Sequence["npt.NDArray[Any]"]]


@dataclass(frozen=True)
class RowDecoder:
    """``raw_bytes`` of a row; ``decode_row(lanes, r)`` decodes row ``r`` of each group."""

    raw_bytes: int
    tables: RowTables
    decode_row: DecodeRow


@dataclass(frozen=True)
class RowEncoder:
    """How the rows of a table are coded, known after all of them were seen once.

    ``symbols(start, end)``: the places, in the coder's tables, of the symbols of these rows, and how many each row has.
    ``raw(start, end)``: their raw bytes, ``[rows, raw_bytes]``.
    """

    form: int
    coder: SlotCoder
    raw_bytes: int
    numbers: Tuple[int, ...]
    write_model: Optional[Callable[[BitEncoder], None]]
    symbols: Callable[[int, int], Tuple[Integers, Integers]]
    raw: Callable[[int, int], "npt.NDArray[np.uint8]"]


def _no_raw(start: int, end: int) -> "npt.NDArray[np.uint8]":
    return np.zeros((end - start, 0), np.uint8)


@dataclass(frozen=True)
class _IntegerRows:
    """Columns less their means, and rows in classes by their spread."""

    mean: Integers
    lowest: int
    alphabet: int
    class_of: Integers
    class_counts: Integers
    counts: List[Integers]
    differences: Integers


def _fit_integer_rows(integers: Integers) -> _IntegerRows:
    rows, width = integers.shape
    large = rows * width >= LEAST_SYMBOLS
    mean = np.zeros(width, np.int64)
    if large:
        mean = (2 * integers.sum(axis=0) + rows) // (2 * rows)
    differences = integers - mean
    lowest, highest = min(0, int(differences.min())), max(0, int(differences.max()))
    classes = CLASSES if large else 1
    class_of = spread_classes(np.abs(differences).sum(axis=1) + 1, classes)
    if highest - lowest >= MAX_ALPHABET:
        mean[:] = 0
        lowest, highest = 0, int(integers.max())
        differences = integers
    alphabet = highest - lowest + 1
    differences = differences - lowest
    place = class_of[:, None] * alphabet + differences
    counts = np.bincount(place.ravel(), minlength=classes * alphabet).reshape(classes, alphabet)
    class_counts = np.bincount(class_of, minlength=classes)
    return _IntegerRows(mean, lowest, alphabet, class_of, class_counts, list(counts), differences)


def encode_grid_form(values: "npt.NDArray[np.float32]") -> Optional[RowEncoder]:
    """float32 rows that are on a grid of 2^-n; ``None`` for others."""
    grid = dyadic_grid(values, min(MAX_ALPHABET, values.size / 4))
    if grid is None:
        return None
    zero = grid.alphabet - 1 if grid.negative_zero else -1
    fitted = _fit_integer_rows(to_grid(values, grid))
    coder = SlotCoder([fitted.class_counts, *fitted.counts])
    base = coder.base

    def symbols(start: int, end: int) -> Tuple[Integers, Integers]:
        k = fitted.class_of[start:end]
        own = np.concatenate([k[:, None], base[1 + k][:, None] + fitted.differences[start:end]], axis=1)
        return own.ravel(), np.full(end - start, own.shape[1])

    # The differences are counted from 0 on, so the least of them belongs to the origin.
    of_zero = 0 if zero < 0 else zero - fitted.lowest + 1
    numbers = (grid.bits, folded_origin(grid.origin + fitted.lowest), fitted.alphabet, of_zero, len(fitted.counts))
    return RowEncoder(GRID, coder, 0, numbers, lambda model: write_means(model, fitted.mean), symbols, _no_raw)


def open_grid_form(source: FormReader, width: int) -> RowDecoder:
    reader = source.reader
    step = 2.0 ** -reader.number("bits of the grid", MAX_GRID_BITS)
    origin = unfolded_origin(reader.number("origin of the grid", 2**40))
    alphabet = reader.number("alphabet", MAX_ALPHABET)
    zero = reader.number("integer of -0", 2 * MAX_ALPHABET) - 1
    classes = reader.number("classes of rows", CLASSES)
    if classes == 0:
        corrupt("classes of rows", 0, "at least 1")
    coder = source.model()
    mean = read_means(coder, width, MAX_ALPHABET)
    levels = [read_levels(coder, classes), *(read_levels(coder, alphabet) for _ in range(classes))]
    coder.finish()
    tables = RowTables(levels, source.room)
    values = ((np.arange(int(mean.max(initial=0)) + alphabet) + origin) * step).astype("<f4")
    if 0 <= zero < len(values):
        values[zero] = -0.0

    def decode_row(lanes: Lanes, _row: int) -> Sequence["npt.NDArray[Any]"]:
        k = lanes.take(np.zeros(lanes.count, np.int64))
        return (values[lanes.field(1 + k, width) + mean],)

    return RowDecoder(0, tables, decode_row)


def encode_planes_form(values: "npt.NDArray[Any]", dtype: str) -> RowEncoder:
    """Rows of floats by planes of bytes, each coded by its own frequencies or raw."""
    rows, width = values.shape
    halves = narrowed(values) if dtype == "float32" else None
    words: "npt.NDArray[Any]"
    if halves is not None:
        words, planes, kind = halves, 2, _HALVES
    elif dtype == "float32":
        words, planes, kind = rotated_left(values), 4, _ELEMENTS
    else:
        words, planes, kind = values.view("<u2"), 2, _ELEMENTS

    def plane(p: int, start: int, end: int) -> Integers:
        return (words[start:end] >> words.dtype.type(8 * (planes - 1 - p)) & words.dtype.type(255)).astype(np.int64)

    counts = []
    for p in range(planes):
        own = np.zeros(256, np.int64)
        for start in range(0, rows, 4096):
            own += np.bincount(plane(p, start, min(rows, start + 4096)).ravel(), minlength=256)
        counts.append(own)
    is_coded = [entropy_bits(own) < 8 * (1 - _LEAST_GAIN) * rows * width for own in counts]
    coded = [p for p in range(planes) if is_coded[p]]
    plain = [p for p in range(planes) if not is_coded[p]]
    coder = _coder_of([counts[p] for p in coded])

    def symbols(start: int, end: int) -> Tuple[Integers, Integers]:
        own = [plane(p, start, end) + coder.base[t] for t, p in enumerate(coded)]
        joined_planes = np.concatenate(own, axis=1) if own else np.zeros((end - start, 0), np.int64)
        return joined_planes.ravel(), np.full(end - start, len(coded) * width)

    def raw(start: int, end: int) -> "npt.NDArray[np.uint8]":
        if not plain:
            return _no_raw(start, end)
        return np.concatenate([plane(p, start, end) for p in plain], axis=1).astype(np.uint8)

    numbers = (kind, sum(2**p for p in coded))
    return RowEncoder(PLANES, coder, len(plain) * width, numbers, None, symbols, raw)


def _coder_of(counts: Sequence[Integers]) -> SlotCoder:
    # A coder of no tables has no arrays to join.
    return SlotCoder(counts if counts else [np.zeros(0, np.int64)])


def open_planes_form(source: FormReader, width: int, dtype: str) -> RowDecoder:
    reader = source.reader
    kind = reader.number("kind of planes", _HALVES)
    if kind == _HALVES and dtype != "float32":
        corrupt("kind of planes", f"halves for {dtype}", "elements")
    planes = 2 if kind == _HALVES else DTYPES[dtype].itemsize
    mask = reader.number("coded planes", 2**planes - 1)
    is_coded = [bool(mask >> p & 1) for p in range(planes)]
    coder = source.model()
    levels = [read_levels(coder, 256) for _ in range(sum(is_coded))]
    coder.finish()
    tables = RowTables(levels, source.room)
    raw_bytes = (planes - sum(is_coded)) * width

    def decode_row(lanes: Lanes, row: int) -> Sequence["npt.NDArray[Any]"]:
        word: "npt.NDArray[Any]" = np.zeros((lanes.count, width), np.uint32)
        coded, table = {}, 0
        for p in range(planes):
            if is_coded[p]:
                coded[p] = lanes.field(np.full(lanes.count, table), width)
                table += 1
        offset = row * raw_bytes
        for p in range(planes):
            own: "npt.NDArray[Any]"
            if is_coded[p]:
                own = coded[p]
            else:
                own = lanes.raw(offset, width)
                offset += width
            word = word << np.uint32(8) | own.astype(np.uint32)
        if kind == _HALVES:
            return (widened(word),)
        if dtype == "float32":
            return (rotated_back(word),)
        return (word.astype("<u2").view(DTYPES[dtype]),)

    return RowDecoder(raw_bytes, tables, decode_row)


def encode_quantized_form(table: QuantizedTable) -> RowEncoder:
    """Rows of codes, each with a scale and a zero point: those on a grid by its integers, others by range and codes."""
    rows, width = table.int_repr.shape
    bits = grid_bits(table)
    on: "npt.NDArray[np.bool_]" = np.zeros(rows, bool)
    least = 0
    fitted: Optional[_IntegerRows] = None
    if bits is not None:
        grid = row_grid(table, bits)
        on, least, _ = accepted_rows(grid)
        if on.any():
            own = multiples(table.int_repr[on], grid.spans[on]) + (grid.origins[on] - least)[:, None]
            fitted = _fit_integer_rows(own)
    others = np.flatnonzero(~on)
    classes = 0 if fitted is None else len(fitted.counts)
    numbers: List[int] = [classes]
    row_counts = np.zeros(classes + (len(others) > 0), np.int64)
    counts: List[Integers] = [row_counts]
    if fitted is not None:
        row_counts[:classes] = fitted.class_counts
        counts += fitted.counts
        numbers += [bits or 0, folded_origin(least + fitted.lowest), fitted.alphabet]
    numbers.append(int(len(others) > 0))
    fields: List[Integers] = []
    code_class: Integers = np.zeros(0, np.int64)
    if len(others) > 0:
        row_counts[classes] = len(others)
        rest = table.rows(others)
        ranges = range_grid(rest.scale, rest.zero_point)
        if ranges is None:
            fields = [*_byte_fields(rest.scale), *_byte_fields(rest.zero_point)]
            alphabets = [256] * _RANGE_BYTES
            numbers.append(0)
        else:
            fields = [ranges.minimum, ranges.span]
            alphabets = [int(field.max()) + 1 for field in fields]
            numbers += [1, ranges.divisor, ranges.bits, folded_origin(ranges.origin), *alphabets]
        counts += [np.bincount(field, minlength=size) for field, size in zip(fields, alphabets)]
        code_class = code_classes(rest.zero_point)
        place = code_class[:, None] * 256 + rest.int_repr
        counts += list(np.bincount(place.ravel(), minlength=CODE_CLASSES * 256).reshape(CODE_CLASSES, 256))
    coder = SlotCoder(counts)
    base = coder.base
    rank = np.cumsum(~on) - 1
    rank_on = np.cumsum(on) - 1

    def symbols(start: int, end: int) -> Tuple[Integers, Integers]:
        is_on = on[start:end]
        sizes = np.where(is_on, 1 + width, 1 + len(fields) + width)
        first = np.cumsum(sizes) - sizes
        out = np.zeros(int(sizes.sum()), np.int64)
        if fitted is not None and is_on.any():
            i = rank_on[start:end][is_on]
            k = fitted.class_of[i]
            out[first[is_on]] = k
            places = (first[is_on] + 1)[:, None] + np.arange(width)
            out[places] = base[1 + k][:, None] + fitted.differences[i]
        if not is_on.all():
            i = rank[start:end][~is_on]
            at = first[~is_on]
            out[at] = classes
            for f, field in enumerate(fields):
                out[at + 1 + f] = base[1 + classes + f] + field[i]
            places = (at + 1 + len(fields))[:, None] + np.arange(width)
            tables = base[1 + classes + len(fields) + code_class[i]]
            out[places] = tables[:, None] + table.int_repr[others[i]]
        return out, sizes

    write_model = None
    if fitted is not None:
        mean = fitted.mean

        def write_model(model: BitEncoder) -> None:
            write_means(model, mean)

    return RowEncoder(QUANTIZED, coder, 0, tuple(numbers), write_model, symbols, _no_raw)


def _byte_fields(values: "npt.NDArray[np.float32]") -> List[Integers]:
    """The bytes of floats from the most significant one, their bits rotated left by one."""
    words = rotated_left(values).astype(np.int64)
    return [words >> shift & 255 for shift in (24, 16, 8, 0)]


def open_quantized_form(source: FormReader, width: int) -> RowDecoder:
    reader = source.reader
    classes = reader.number("classes of rows", CLASSES)
    bits = origin = alphabet = 0
    if classes > 0:
        bits = reader.number("bits of the grid", MAX_GRID_BITS)
        origin = unfolded_origin(reader.number("origin of the grid", 2**32))
        alphabet = reader.number("alphabet", MAX_ALPHABET)
    has_others = reader.number("rows on no grid", 1)
    if classes + has_others == 0:
        corrupt("kinds of rows", 0, "at least 1")
    ranges: Optional[Tuple[int, int, int]] = None
    range_alphabets = [256] * _RANGE_BYTES
    if has_others and reader.number("form of ranges", 1) == 1:
        ranges = _read_ranges(reader)
        range_alphabets = [reader.number("alphabet", MAX_ALPHABET), reader.number("alphabet", MAX_ALPHABET)]
    coder = source.model()
    mean = read_means(coder, width, MAX_ALPHABET) if classes else np.zeros(width, np.int64)
    levels = [read_levels(coder, classes + has_others)]
    levels += [read_levels(coder, alphabet) for _ in range(classes)]
    range_tables = len(levels)
    if has_others:
        levels += [read_levels(coder, own) for own in range_alphabets]
    code_tables = len(levels)
    if has_others:
        levels += [read_levels(coder, 256) for _ in range(CODE_CLASSES)]
    coder.finish()
    tables = RowTables(levels, source.room)
    step = 2.0**-bits

    def decode_row(lanes: Lanes, _row: int) -> Sequence["npt.NDArray[Any]"]:
        kind = lanes.take(np.zeros(lanes.count, np.int64))
        others = np.flatnonzero(kind >= classes)
        scale, zero_point = np.zeros(lanes.count, "<f4"), np.zeros(lanes.count, "<f4")
        table = 1 + kind.astype(np.int64)
        if len(others):
            own = [
                lanes.take(np.full(len(others), range_tables + i), others).astype(np.int64)
                for i in range(len(range_alphabets))
            ]
            if ranges is None:
                scale[others], zero_point[others] = _float_of(own[:4]), _float_of(own[4:])
            else:
                divisor, range_bits, least = ranges
                unit = 2.0**range_bits
                scale[others] = scales_of(own[1] / unit, divisor)
                zero_point[others] = zero_points_of((own[0] + least) / unit, scale[others])
            table[others] = code_tables + code_classes(zero_point[others])
        symbols = lanes.field(table, width)
        codes = symbols.astype(np.uint8)
        on = np.flatnonzero(kind < classes)
        if len(on):
            again = quantize_multiples(symbols[on] + mean, origin, step)
            scale[on], zero_point[on], codes[on] = again.scale, again.zero_point, again.int_repr
        return scale, zero_point, codes

    return RowDecoder(0, tables, decode_row)


def _read_ranges(reader: ByteReader) -> Tuple[int, int, int]:
    divisor = reader.number("largest code", 255)
    if divisor == 0:
        corrupt("largest code", divisor, "at least 1")
    bits = reader.number("bits of the grid", MAX_GRID_BITS)
    return divisor, bits, unfolded_origin(reader.number("origin of the grid", 2**25))


def _float_of(octets: Sequence[Integers]) -> "npt.NDArray[np.float32]":
    word: Integers = np.zeros(len(octets[0]), np.int64)
    for own in octets:
        word = word << 8 | own
    return rotated_back(word)
