"""``csr-gzip``: the arrays of a CSR matrix as counts, gaps and values in one gzip member; see FORMAT.md."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ..coding.byte_reader import number_bytes
from ..errors import PruneError
from ..gunzip import gunzip
from ..limits import Limits
from ..tensors import DTYPES, Array, TensorInfo
from ..writing.gzip_member import gzip_segments
from .codec import Codec, EncodedBlock, NamedArray
from .names import CSR_ARRAYS, CSR_DTYPES, csr_array_of

_ESCAPE = 255
#: Bytes that the escapes of a matrix may add for each nonzero: past these, plain gzip takes the arrays.
_MOST_ESCAPES = 4

Integers = npt.NDArray[np.int64]


def _group(info: TensorInfo) -> Optional[Tuple[str, int]]:
    found = csr_array_of(info.name)
    if found is None or len(info.shape) != 1 or info.dtype not in CSR_DTYPES[found[1]]:
        return None
    return found[0], len(CSR_ARRAYS)


def _places_of(infos: Sequence[TensorInfo]) -> Optional[Dict[str, int]]:
    places: Dict[str, int] = {}
    for i, info in enumerate(infos):
        found = csr_array_of(info.name)
        if found is not None:
            places.setdefault(found[1], i)
    return places if len(infos) == len(places) == len(CSR_ARRAYS) else None


def _decode(data: bytes, infos: Sequence[TensorInfo], limits: Limits) -> List[Array]:
    places = _places_of(infos)
    if places is None:
        raise PruneError("corrupt", "not the three arrays of a CSR matrix")
    of = {array: infos[place] for array, place in places.items()}
    fits = all(len(info.shape) == 1 and info.dtype in CSR_DTYPES[array] for array, info in of.items())
    if not fits or of["data"].shape != of["indices"].shape or of["indptr"].shape[0] < 1:
        what = "dtypes or shapes are not those of a CSR matrix"
        raise PruneError("corrupt", what, tensor=of["data"].name)
    rows, nnz = of["indptr"].shape[0] - 1, of["data"].shape[0]
    unpacked = gunzip(data, limit=limits.tensor_bytes)
    # A count is a byte at least, so is a gap, and a value is one: the arrays cannot outgrow what was there to decode.
    if len(unpacked) < rows + 2 * nnz:
        raise PruneError("corrupt", "decoded bytes", len(unpacked), f"at least {rows + 2 * nnz}")
    octets = np.frombuffer(unpacked, np.uint8)
    counts, at = _read_counts(octets, rows, nnz)
    indptr = np.zeros(rows + 1, np.int32)
    np.cumsum(counts, out=indptr[1:])
    order = np.argsort(-counts, kind="stable")
    order = order[: np.count_nonzero(counts)]
    # Where the nonzeros of the rows, in the order of the stream, belong.
    place = _places_in_rows(indptr, counts, order)
    columns = _read_columns(octets[at : len(octets) - nnz], counts[order])
    if nnz:
        most = 2**16 if of["indices"].dtype == "uint16" else 2**31
        last = columns[np.cumsum(counts[order]) - 1]
        if (last >= most).any():
            raise PruneError("corrupt", "a column that no dtype holds", int(last[last >= most][0]))
    indices = np.zeros(nnz, DTYPES[of["indices"].dtype])
    values = np.zeros(nnz, np.int8)
    indices[place] = columns
    values[place] = octets[len(octets) - nnz :].view(np.int8)
    arrays: Dict[str, Any] = {"data": values, "indices": indices, "indptr": indptr}
    by_place = {places[array]: arrays[array] for array in CSR_ARRAYS}
    return [by_place[i] for i in range(len(infos))]


def _read_counts(octets: "npt.NDArray[np.uint8]", rows: int, nnz: int) -> Tuple[Integers, int]:
    """The nonzeros of each row, and where they end in the bytes."""
    # A number ends with its first byte below 128, and has five bytes at most.
    head = octets[: 5 * rows]
    ends = np.flatnonzero(head < 128)[:rows]
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else np.zeros(0, np.int64)
    lengths = ends - starts + 1
    long = np.flatnonzero(lengths > 5)
    good = int(long[0]) if len(long) else len(ends)
    starts, lengths = starts[:good].astype(np.int64), lengths[:good]
    counts = np.zeros(good, np.int64)
    for i in range(int(lengths.max(initial=0))):
        own = lengths > i
        counts[own] += (octets[starts[own] + i].astype(np.int64) & 127) << 7 * i
    sums = np.cumsum(counts)
    over = np.flatnonzero(sums > nnz)
    if len(over):
        raise PruneError("corrupt", "rows have more nonzeros than the matrix", int(sums[over[0]]), nnz)
    if good < rows:
        raise PruneError("corrupt", f"count of row {good}")
    total = int(sums[-1]) if rows else 0
    if total != nnz:
        raise PruneError("corrupt", "nonzeros of all rows", total, nnz)
    return counts, int(starts[-1] + lengths[-1]) if rows else 0


def _places_in_rows(indptr: "npt.NDArray[Any]", counts: Integers, order: Integers) -> Integers:
    own = counts[order]
    within = np.arange(int(own.sum())) - np.repeat(np.cumsum(own) - own, own)
    places: Integers = np.repeat(indptr[order].astype(np.int64), own) + within
    return places


def _read_columns(gaps: "npt.NDArray[np.uint8]", counts: Integers) -> Integers:
    """The column of each nonzero, row after row of the stream."""
    nnz = int(counts.sum())
    ends = np.flatnonzero(gaps != _ESCAPE)
    if len(ends) < nnz:
        raise PruneError("corrupt", "the gaps end early")
    used = int(ends[nnz - 1]) + 1 if nnz else 0
    if used != len(gaps):
        raise PruneError("corrupt", "bytes after the last gap", len(gaps) - used, 0)
    # A column is the sum of the bytes of its row up to its own gap, and one for each nonzero before it.
    sums = np.cumsum(gaps, dtype=np.int64)
    upto = sums[ends] + np.arange(nnz)
    first = np.cumsum(counts) - counts
    before = np.where(first > 0, upto[first - 1] + 1, 0) if nnz else np.zeros(0, np.int64)
    columns: Integers = upto - np.repeat(before, counts)
    return columns


def _encode(tensors: Sequence[NamedArray]) -> Optional[EncodedBlock]:
    places = _places_of([tensor.info for tensor in tensors])
    if places is None:
        return None
    data, indices, indptr = (tensors[places[array]].array for array in CSR_ARRAYS)
    pointers = indptr.astype(np.int64)
    if len(data) != len(indices) or len(pointers) == 0 or pointers[0] != 0 or pointers[-1] != len(data):
        return None
    counts = np.diff(pointers)
    if (counts < 0).any():
        return None
    order = np.argsort(-counts, kind="stable")
    order = order[: np.count_nonzero(counts)]
    place = _places_in_rows(pointers, counts, order)
    columns = indices.astype(np.int64)[place]
    gaps = np.diff(columns, prepend=-1) - 1
    first = np.cumsum(counts[order]) - counts[order]
    gaps[first] = columns[first]
    escapes = gaps // _ESCAPE
    if (gaps < 0).any() or len(gaps) + int(escapes.sum()) > (1 + _MOST_ESCAPES) * len(gaps) + 1:
        return None
    stream = np.full(len(gaps) + int(escapes.sum()), _ESCAPE, np.uint8)
    stream[np.cumsum(escapes + 1) - 1] = gaps % _ESCAPE
    segments = [b"".join(map(number_bytes, counts.tolist())), stream.tobytes(), data[place].tobytes()]
    packed, (of_indptr, of_indices, of_data) = gzip_segments(segments)
    share = {"data": of_data, "indices": of_indices, "indptr": of_indptr}
    by_place = {places[array]: share[array] for array in CSR_ARRAYS}
    return EncodedBlock(packed, tuple(by_place[i] for i in range(len(tensors))))


CSR_GZIP = Codec("csr-gzip", _decode, _encode, _group)
