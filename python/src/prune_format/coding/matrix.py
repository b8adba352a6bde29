"""A sparse int8 matrix; see SPEC.md, "Matrix"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ..errors import CODING, corrupt
from ..limits import MAX_EXPANSION, Limits, check_limit
from .adaptive_bits import BitDecoder, BitEncoder
from .byte_reader import ByteReader, joined, number_bytes
from .classes import decode_classes, encode_classes
from .expansion import check_expansion
from .fit_mask import fit_mask, slot_limit
from .gap_tables import COLUMN_WEIGHTS, ROW_CLASSES, SCALE, SCALE_BITS
from .levels import Integers, levels_of, lows_of, read_levels, write_levels
from .mask import MaskBlock, MaskShape, decode_masks, encode_masks, slot_starts
from .rans import Stream, SymbolTables, decode_streams, encode_streams
from .value_contexts import (
    GROUPS,
    NO_CONTEXTS,
    ValueContexts,
    context_frequencies,
    fit_contexts,
    groups_of,
    read_contexts,
    starts_of,
    write_contexts,
)

FORMS = {"plain": 0, "fast": 1, "max": 2}
PRESETS = ("fast", "max")
MAX_ROWS = 2**24
#: Columns past this are coded plainly: their indices need 32 bits.
MAX_COLUMNS = 65_535
_LEAST_BLOCK_NONZEROS = 8192
_BLOCK_NONZEROS = {"fast": 16_384, "max": 65_536}
_MAGNITUDES = 128
#: Values of the symbols of a table of values: 1 .. 128, then -1 .. -128. +128, which no encoder makes, reads as -128.
_SIGNED = np.concatenate([np.arange(1, 129), -np.arange(1, 129)]).astype(np.int8)


@dataclass(frozen=True)
class Csr:
    """A matrix ``[rows, columns]``: ``indptr`` int32 ``[rows + 1]``, ``indices`` uint16 or int32, ``data`` int8."""

    shape: Tuple[int, int]
    indptr: "npt.NDArray[np.int32]"
    indices: "npt.NDArray[Any]"
    data: "npt.NDArray[np.int8]"


@dataclass(frozen=True)
class OpenMatrix:
    """An encoded matrix, its model read and checked. :func:`decode_matrices` decodes its nonzeros."""

    shape: Tuple[int, int]
    nnz: int
    plain: Optional[ByteReader]
    masks: Tuple[MaskBlock, ...] = ()
    values: Tuple[bytes, ...] = ()
    frequency: Tuple[Integers, ...] = ()
    groups: int = 1
    row_group: Optional[Integers] = None
    column_group: Optional[Integers] = None


def open_matrix(data: bytes, limits: Limits) -> OpenMatrix:
    """Reads head and model of an encoded matrix. Raises ``corrupt`` or ``limit`` before it takes much memory."""
    reader = ByteReader(data)
    form = reader.byte()
    if form not in FORMS.values():
        corrupt("unknown form of a matrix", form, "plain, fast or max")
    is_plain = form == FORMS["plain"]
    rows = reader.number("number of rows", 2**31 - 2 if is_plain else MAX_ROWS)
    columns = reader.number("number of columns", 2**31 - 1 if is_plain else MAX_COLUMNS)
    nnz = reader.number("number of nonzeros", min(rows * columns, 2**31 - 1))
    what = "matrix has too many rows (bytes of indptr)"
    check_limit(what, 4 * (rows + 1), limits.tensor_bytes, where=CODING)
    what = "matrix has too many nonzeros (bytes of indices)"
    check_limit(what, (4 if columns > MAX_COLUMNS else 2) * nnz, limits.tensor_bytes, where=CODING)
    if is_plain:
        # A nonzero takes two bytes and a row one: the arrays are never larger than the input promises.
        rest = len(data) - reader.offset
        if 2 * nnz + rows > rest:
            corrupt("plain matrix is cut short", rest, f"at least {2 * nnz + rows} bytes")
        return OpenMatrix((rows, columns), nnz, reader)
    return _open_modelled(reader, form == FORMS["max"], rows, columns, nnz)


def _decoded_bytes(rows: int, columns: int, nnz: int, groups: int = 1) -> int:
    """What decoding takes, for the bound on expansion."""
    return 4 * (rows + 1) + 3 * nnz + 12 * columns + 4 * SCALE * (groups * groups - 1)


def _open_modelled(reader: ByteReader, has_contexts: bool, rows: int, columns: int, nnz: int) -> OpenMatrix:
    size = len(reader.data)
    check_expansion("matrix", _decoded_bytes(rows, columns, nnz), size)
    table_bytes = reader.number("tables", size)
    class_bytes = 2 * reader.number("classes", size)
    count = reader.number("number of blocks", 2 + nnz // _LEAST_BLOCK_NONZEROS)
    heads: List[Tuple[int, int, int, int, int]] = []
    row = before = 0
    for _ in range(count):
        end = row + reader.number("rows of a block", rows - row)
        own = reader.number("nonzeros of a block", nnz - before)
        mask_bytes = 2 * reader.number("mask of a block", size)
        value_bytes = 2 * reader.number("values of a block", size)
        # A frequency is at most half of its scale, because of the sign.
        if own > 8 * value_bytes:
            corrupt("values take less than a bit each", own, f"at most {8 * value_bytes}")
        heads.append((row, end, own, mask_bytes, value_bytes))
        row, before = end, before + own
    if row != rows or before != nnz:
        corrupt("blocks do not add up", f"{row} rows, {before} nonzeros", f"{rows} rows, {nnz} nonzeros")
    coder = BitDecoder(reader.take("tables", table_bytes))
    sizes = [(columns, len(COLUMN_WEIGHTS)), (rows, ROW_CLASSES + 1)]
    column_class, row_class = decode_classes(coder, reader.take("classes", class_bytes), sizes)
    shape = MaskShape(slot_starts(column_class), row_class.astype(np.uint8))
    if shape.slots > slot_limit(columns):
        corrupt("columns are too heavy", shape.slots, f"at most {slot_limit(columns)} slots")
    levels = read_levels(coder, _MAGNITUDES)
    contexts = read_contexts(coder) if has_contexts else NO_CONTEXTS
    coder.finish()
    check_expansion("matrix", _decoded_bytes(rows, columns, nnz, contexts.groups), size)
    frequency = context_frequencies(levels, contexts.tilts)
    if not all(own.any() for own in frequency):
        corrupt("table of magnitudes is empty", 0, SCALE)
    masks, values = [], []
    for start, end, own, mask_bytes, value_bytes in heads:
        masks.append(MaskBlock(reader.take("mask of a block", mask_bytes), shape, start, end, own))
        values.append(reader.take("values of a block", value_bytes))
    reader.check_end("matrix")
    return OpenMatrix(
        (rows, columns),
        nnz,
        None,
        tuple(masks),
        tuple(values),
        tuple(frequency),
        contexts.groups,
        groups_of(contexts.row_starts, row_class),
        groups_of(contexts.column_starts, column_class),
    )


def decode_matrices(matrices: Sequence[OpenMatrix]) -> List[Csr]:
    """Decodes matrices together: the more there are, the more blocks are decoded side by side. Raises ``corrupt``."""
    masks = decode_masks([block for matrix in matrices for block in matrix.masks])
    arrays: List[Tuple[Any, Any]] = []
    streams: List[Stream] = []
    frequency: List[Integers] = []
    at = 0
    for matrix in matrices:
        own = masks[at : at + len(matrix.masks)]
        at += len(matrix.masks)
        first_table = len(frequency)
        frequency += matrix.frequency
        for block, values, (counts, indices) in zip(matrix.masks, matrix.values, own):
            table: Any = first_table
            if matrix.groups > 1:
                assert matrix.row_group is not None and matrix.column_group is not None
                row_group = np.repeat(matrix.row_group[block.start : block.end], counts)
                table = first_table + row_group * matrix.groups + matrix.column_group[indices]
            streams.append(Stream(values, block.count, table, matrix.groups == 1))
        if matrix.plain is None:
            counts = np.concatenate([one for one, _ in own]) if own else np.zeros(0, np.int64)
            indices = np.concatenate([one for _, one in own]) if own else np.zeros(0, np.uint16)
            arrays.append((np.concatenate([[0], np.cumsum(counts)]).astype(np.int32), indices))
        else:
            arrays.append((None, None))
    # A positive value has the first half of its magnitude's range, a negative one the second.
    interleaved = [np.stack([own, own], axis=1).ravel() for own in frequency]
    signed = np.stack([_SIGNED[:_MAGNITUDES], _SIGNED[_MAGNITUDES:]], axis=1).ravel()
    decoded_values = decode_streams(streams, SymbolTables.of(interleaved, SCALE_BITS + 1, signed), 2)
    decoded: List[Csr] = []
    start = 0
    for matrix, (indptr, indices) in zip(matrices, arrays):
        if matrix.plain is not None:
            decoded.append(_read_plain(matrix, matrix.plain))
            continue
        data = decoded_values[start : start + matrix.nnz].astype(np.int8)
        start += matrix.nnz
        decoded.append(Csr(matrix.shape, indptr, indices, data))
    return decoded


def _read_plain(matrix: OpenMatrix, reader: ByteReader) -> Csr:
    rows, columns = matrix.shape
    indptr = np.zeros(rows + 1, np.int32)
    indices = np.zeros(matrix.nnz, np.int32 if columns > MAX_COLUMNS else np.uint16)
    data = np.zeros(matrix.nnz, np.int8)
    n = 0
    for row in range(rows):
        end = n + reader.number("nonzeros of a row", matrix.nnz - n)
        before = -1
        while n < end:
            before += 1 + reader.number("column gap", columns)
            value = reader.byte()
            if before >= columns:
                corrupt("column out of range", before, f"below {columns}")
            if value == 0:
                corrupt("stored zero", 0, "a nonzero")
            indices[n] = before
            data[n] = value - 256 if value > 127 else value
            n += 1
        indptr[row + 1] = n
    if n != matrix.nnz:
        corrupt("rows have too few nonzeros", n, matrix.nnz)
    reader.check_end("matrix")
    return Csr(matrix.shape, indptr, indices, data)


@dataclass(frozen=True)
class EncodedMatrix:
    """An encoded matrix, and the bytes of its blocks: mask and values. A plain one has none."""

    data: bytes
    blocks: Tuple[Tuple[int, int], ...] = ()


def encode_matrix(csr: Csr, preset: str) -> Optional[EncodedMatrix]:
    """Codes a valid matrix, or returns ``None`` where the form that takes least would expand too far."""
    rows, columns = csr.shape
    nnz = len(csr.data)
    if rows > MAX_ROWS or columns > MAX_COLUMNS or nnz == 0:
        return EncodedMatrix(_encode_plain(csr))
    modelled = _encode_modelled(csr, preset, preset == "max")
    if len(modelled.data) >= 2 * nnz:
        plain = _encode_plain(csr)
        if len(plain) < len(modelled.data):
            return EncodedMatrix(plain)
    if _decoded_bytes(rows, columns, nnz) > MAX_EXPANSION * len(modelled.data):
        return None
    return modelled


def _encode_plain(csr: Csr) -> bytes:
    out = bytearray(joined([FORMS["plain"], *csr.shape, len(csr.data)]))
    indptr, indices, data = csr.indptr.tolist(), csr.indices.tolist(), csr.data.tolist()
    for row in range(csr.shape[0]):
        out += number_bytes(indptr[row + 1] - indptr[row])
        before = -1
        for p in range(indptr[row], indptr[row + 1]):
            out += number_bytes(indices[p] - before - 1)
            out.append(data[p] & 255)
            before = indices[p]
    return bytes(out)


def _encode_modelled(csr: Csr, preset: str, with_contexts: bool) -> EncodedMatrix:
    rows, columns = csr.shape
    nnz = len(csr.data)
    indptr = csr.indptr.astype(np.int64)
    row_counts = np.diff(indptr)
    magnitude = np.abs(csr.data.astype(np.int64)) - 1
    column_class, row_class = fit_mask(row_counts, np.bincount(csr.indices, minlength=columns), nnz)
    levels = levels_of(np.bincount(magnitude, minlength=_MAGNITUDES))
    row_of = np.repeat(np.arange(rows), row_counts)
    contexts = NO_CONTEXTS
    if with_contexts:
        contexts = _contexts_of(csr.indices, magnitude, row_of, levels, row_class, column_class)
    model = BitEncoder()
    class_words = encode_classes(model, [column_class, row_class])
    write_levels(model, levels)
    if preset == "max":
        write_contexts(model, contexts)
    model_bytes = model.finish()

    frequency = np.stack(context_frequencies(levels, contexts.tilts))
    lows = np.stack([lows_of(own) for own in frequency])
    ends = _split_rows(indptr, nnz, _BLOCK_NONZEROS[preset])
    masks = encode_masks(MaskShape(slot_starts(column_class), row_class), indptr, csr.indices, ends)
    row_group = groups_of(contexts.row_starts, row_class)
    column_group = groups_of(contexts.column_starts, column_class)
    context = row_group[row_of] * contexts.groups + column_group[csr.indices]
    f = frequency[context, magnitude]
    low = 2 * lows[context, magnitude] + np.where(csr.data < 0, f, 0)
    edges = indptr[[0, *ends]]
    values = encode_streams(low, f, np.diff(edges).tolist(), SCALE_BITS + 1, 2)

    head = [FORMS[preset], rows, columns, nnz, len(model_bytes), len(class_words) // 2, len(ends)]
    payload = [model_bytes, class_words]
    sizes = []
    start = 0
    for i, end in enumerate(ends):
        head += [end - start, int(edges[i + 1] - edges[i]), len(masks[i]) // 2, len(values[i]) // 2]
        payload += [masks[i], values[i]]
        sizes.append((len(masks[i]), len(values[i])))
        start = end
    data = joined(head, *payload)
    # The tables of contexts may be too much for a small matrix, which they hardly help.
    if contexts.groups > 1 and _decoded_bytes(rows, columns, nnz, contexts.groups) > MAX_EXPANSION * len(data):
        return _encode_modelled(csr, preset, False)
    return EncodedMatrix(data, tuple(sizes))


def _contexts_of(
    indices: Any, magnitude: Integers, row_of: Integers, levels: Integers, row_class: Any, column_class: Any
) -> ValueContexts:
    row_starts = starts_of(np.bincount(row_class[row_of], minlength=ROW_CLASSES + 1))
    column_starts = starts_of(np.bincount(column_class[indices], minlength=len(COLUMN_WEIGHTS)))
    context = groups_of(row_starts, row_class)[row_of] * GROUPS + groups_of(column_starts, column_class)[indices]
    counts = np.bincount(context * _MAGNITUDES + magnitude, minlength=GROUPS * GROUPS * _MAGNITUDES)
    return fit_contexts(levels, row_starts, column_starts, list(counts.reshape(-1, _MAGNITUDES)))


def _split_rows(indptr: Integers, nnz: int, size: int) -> List[int]:
    """The row at which each block ends: an even number of blocks of about equal nonzeros."""
    rows = len(indptr) - 1
    # As JavaScript rounds: a half goes up.
    pairs = int(nnz / (2 * size) + 0.5)
    wanted = 2 * pairs if pairs > 0 else 2 if nnz > size / 4 else 1
    ends: List[int] = []
    for r, before in enumerate(indptr[1:rows].tolist(), 1):
        if len(ends) < wanted - 1 and before * wanted >= nnz * (len(ends) + 1):
            ends.append(r)
    return [*ends, rows]
