"""``rows``: a table of which any rows can be read without the others; see SPEC.md of @prune/sparse-codec."""

from __future__ import annotations

import hashlib
import math
import zlib
from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Tuple

import numpy as np

from ..coding.expansion import check_expansion
from ..coding.quantized_rows import QuantizedTable
from ..coding.rans import encode_streams
from ..coding.row_forms import (
    GRID,
    PLANES,
    QUANTIZED,
    RowDecoder,
    RowEncoder,
    encode_grid_form,
    encode_planes_form,
    encode_quantized_form,
    open_grid_form,
    open_planes_form,
    open_quantized_form,
)
from ..coding.row_groups import (
    CRC_BYTES,
    HASH_BYTES,
    LEAST_GROUP,
    TABLE_BYTES,
    Directory,
    FormReader,
    Lanes,
    directory_bytes,
    read_directory,
)
from ..errors import CODING, PruneError, corrupt
from ..limits import MAX_EXPANSION, Limits
from ..tensors import DTYPES, Array, TensorInfo
from .codec import Codec, EncodedBlock, NamedArray
from .names import FLOATS, TABLE_PARTS, has_parts, part_group, part_of, table_width

#: Rows that a table has at least: for fewer, what the groups say costs more than a reader of some rows saves.
_LEAST_ROWS = 64
#: Bytes that the rows of a group take at least, and decoded bytes of a group of several rows at most.
_GROUP_BYTES = 800
_MOST_GROUP_DECODED = 2**14
#: The most that a table may grow.
_MOST_SIZE = 1.03
_BITS = 12
#: Symbols that are coded at a time.
_BATCH = 2**22


@dataclass(frozen=True)
class _Table:
    """What the declared tensors of a block are: the elements a row of each, in the order of the decoder's arrays."""

    rows: int
    row_bytes: int
    infos: Tuple[TensorInfo, ...]
    fit: Callable[[Sequence[NamedArray]], RowEncoder]
    open: Callable[[int, FormReader], RowDecoder]


def _group(info: TensorInfo) -> Optional[Tuple[str, int]]:
    if _is_floats(info):
        return info.name, 1
    return part_group(info, TABLE_PARTS)


def _is_floats(info: TensorInfo) -> bool:
    shape = info.shape
    return info.dtype in FLOATS and len(shape) == 2 and shape[0] >= _LEAST_ROWS and shape[1] > 0


def _table_of(infos: Sequence[TensorInfo]) -> Optional[_Table]:
    table = _floats_table(infos[0]) if len(infos) == 1 and _is_floats(infos[0]) else _quantized_table(infos)
    return table if table is not None and table.rows >= _LEAST_ROWS and table.row_bytes > 0 else None


def _floats_table(info: TensorInfo) -> _Table:
    rows, width = info.shape

    def fit(tensors: Sequence[NamedArray]) -> RowEncoder:
        array = tensors[0].array
        grid = encode_grid_form(array) if info.dtype == "float32" else None
        return grid or encode_planes_form(array, info.dtype)

    def open_form(form: int, source: FormReader) -> RowDecoder:
        if form == GRID and info.dtype == "float32":
            return open_grid_form(source, width)
        if form == PLANES:
            return open_planes_form(source, width, info.dtype)
        corrupt("form of rows", f"{form} for {info.dtype}", "planes, or a grid for float32")

    return _Table(rows, width * info.item_bytes, (info,), fit, open_form)


def _quantized_table(infos: Sequence[TensorInfo]) -> Optional[_Table]:
    if not has_parts(infos, TABLE_PARTS):
        return None
    scale, zero_point, int_repr = (part_of(infos, part) for part in TABLE_PARTS)
    width = table_width(scale, zero_point, int_repr)
    if width is None:
        return None
    columns = width

    def fit(tensors: Sequence[NamedArray]) -> RowEncoder:
        return encode_quantized_form(QuantizedTable(*(part_of(tensors, part).array for part in TABLE_PARTS)))

    def open_form(form: int, source: FormReader) -> RowDecoder:
        if form != QUANTIZED:
            corrupt("form of rows", form, f"{QUANTIZED} for a quantized table")
        return open_quantized_form(source, columns)

    return _Table(scale.shape[0], 8 + columns, (scale, zero_point, int_repr), fit, open_form)


def _decode(data: bytes, infos: Sequence[TensorInfo], limits: Limits) -> List[Array]:
    try:
        return _decode_table(data, infos)
    except PruneError as error:
        raise error.without_place(CODING) from error


def _decode_table(data: bytes, infos: Sequence[TensorInfo]) -> List[Array]:
    table = _table_of(infos)
    if table is None:
        corrupt("block holds what this codec does not code", f"{len(infos)} tensors, {infos[0].name}")
    decoded = table.rows * table.row_bytes
    check_expansion("table", decoded, len(data))
    directory = read_directory(data, table.rows, MAX_EXPANSION * len(data) - decoded, table.open)
    out: List[Any] = [np.zeros(info.shape, DTYPES[info.dtype]) for info in table.infos]
    groups, per_group = len(directory.starts) - 1, directory.rows_per_group
    last = table.rows - (groups - 1) * per_group
    # The last group may have fewer rows than the others.
    whole = groups if last == per_group else groups - 1
    if whole:
        _decode_groups(data, directory, np.arange(whole), per_group, out)
    if whole < groups:
        _decode_groups(data, directory, np.array([groups - 1]), last, out)
    by_name = {info.name: array for info, array in zip(table.infos, out)}
    return [by_name[info.name] for info in infos]


def _decode_groups(data: bytes, directory: Directory, chosen: Any, rows: int, out: List[Any]) -> None:
    """Decodes groups of ``rows`` rows side by side, row by row."""
    decoder: RowDecoder = directory.form
    starts = directory.starts
    payload = data[: int(starts[-1])]
    ends = starts[chosen + 1] - CRC_BYTES
    lanes = Lanes(payload, starts[chosen], ends, rows * decoder.raw_bytes, decoder.tables)
    first = chosen * directory.rows_per_group
    for row in range(rows):
        for array, own in zip(out, decoder.decode_row(lanes, row)):
            array[first + row] = own
    lanes.finish()


def _encode(tensors: Sequence[NamedArray]) -> Optional[EncodedBlock]:
    table = _table_of([tensor.info for tensor in tensors])
    if table is None:
        return None
    encoder = table.fit(tensors)
    per_group = _rows_per_group(encoder, table)
    groups = -(-table.rows // per_group)
    added = groups * (LEAST_GROUP + HASH_BYTES)
    payload = encoder.coder.bytes + table.rows * encoder.raw_bytes
    raw = table.rows * table.row_bytes
    # The coder rounds, so a block may have less than this sum says; the frequencies in a directory are more.
    if raw + TABLE_BYTES * encoder.coder.filled > MAX_EXPANSION * (added + 0.9 * payload):
        return None
    if added + payload + len(_directory(encoder, per_group, np.zeros(groups, np.int64))) + groups > _MOST_SIZE * raw:
        return None
    coded = _encode_groups(encoder, table.rows, per_group)
    hashes = b"".join(hashlib.sha256(group).digest()[:HASH_BYTES] for group in coded)
    directory = _directory(encoder, per_group, np.array([len(group) for group in coded], np.int64))
    return EncodedBlock(b"".join([*coded, hashes, directory]), None, (hashes, directory))


def _directory(encoder: RowEncoder, per_group: int, lengths: Any) -> bytes:
    return directory_bytes(encoder.form, per_group, encoder.numbers, encoder.write_model, encoder.coder, lengths)


def _rows_per_group(encoder: RowEncoder, table: _Table) -> int:
    per_row = encoder.coder.bytes / table.rows + encoder.raw_bytes
    most = _MOST_GROUP_DECODED // table.row_bytes
    return max(1, min(math.ceil(_GROUP_BYTES / max(1, per_row)), most, table.rows))


def _encode_groups(encoder: RowEncoder, rows: int, per_group: int) -> List[bytes]:
    out: List[bytes] = []
    width = max(1, len(encoder.symbols(0, 1)[0]))
    batch = max(1, _BATCH // (width * per_group)) * per_group
    coder = encoder.coder
    for start in range(0, rows, batch):
        end = min(rows, start + batch)
        places, sizes = encoder.symbols(start, end)
        counts = np.add.reduceat(sizes, np.arange(0, end - start, per_group))
        streams = encode_streams(coder.lows[places], coder.frequency[places], counts.tolist(), _BITS, 1)
        raw = encoder.raw(start, end)
        for i, words in enumerate(streams):
            own = raw[i * per_group : (i + 1) * per_group].tobytes()
            body = own + b"\0" * (len(own) % 2) + words
            out.append(body + zlib.crc32(body).to_bytes(CRC_BYTES, "little"))
    return out


ROWS = Codec("rows", _decode, _encode, _group)
