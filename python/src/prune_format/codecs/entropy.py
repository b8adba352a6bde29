"""``entropy``: matrices, quantized tables and floats, close to their entropy; see SPEC.md of @prune/sparse-codec."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ..coding.expansion import check_expansion
from ..coding.floats import decode_floats, encode_floats
from ..coding.matrix import MAX_COLUMNS, Csr, OpenMatrix, decode_matrices, encode_matrix, open_matrix
from ..coding.quantized_rows import QuantizedTable
from ..coding.table import decode_table, encode_table
from ..csr_fault import csr_fault
from ..errors import corrupt
from ..limits import MAX_EXPANSION, Limits
from ..tensors import DTYPES, Array, TensorInfo
from .codec import Codec, Deferred, EncodedBlock, NamedArray
from .names import CSR_PARTS, FLOATS, TABLE_PARTS, has_parts, part_group, part_of, table_width

#: Smaller tensors cost less in a manifest than a block of their own does.
_SMALLEST = 256


def entropy(preset: str) -> Codec:
    """The codec with the matrices of a preset, ``fast`` or ``max``. Reading needs none."""
    return Codec("entropy", _decode, _encoder(preset), _group, _open)


def _group(info: TensorInfo) -> Optional[Tuple[str, int]]:
    for parts in (CSR_PARTS, TABLE_PARTS):
        group = part_group(info, parts)
        if group is not None:
            return group
    return (info.name, 1) if info.dtype in FLOATS and info.nbytes >= _SMALLEST else None


def _kind_of(infos: Sequence[TensorInfo]) -> Optional[str]:
    if has_parts(infos, CSR_PARTS):
        return "csr"
    if has_parts(infos, TABLE_PARTS):
        return "table"
    return "floats" if len(infos) == 1 and infos[0].dtype in FLOATS else None


def _open(data: bytes, infos: Sequence[TensorInfo], limits: Limits) -> Optional[Deferred]:
    """The matrix of a block, its model read; ``None`` for other blocks."""
    if _kind_of(infos) != "csr":
        return None
    opened = _open_declared(data, infos, limits)
    return Deferred(opened, lambda csr: _arrays_of(csr, infos))


def _decode(data: bytes, infos: Sequence[TensorInfo], limits: Limits) -> List[Array]:
    kind = _kind_of(infos)
    if kind == "csr":
        return _arrays_of(decode_matrices([_open_declared(data, infos, limits)])[0], infos)
    if kind == "table":
        scale, zero_point, int_repr = (part_of(infos, part) for part in TABLE_PARTS)
        width = table_width(scale, zero_point, int_repr)
        if width is None:
            corrupt("table of shapes that do not fit", f"[{', '.join(map(str, int_repr.shape))}]")
        check_expansion("table", scale.shape[0] * (8 + width), len(data))
        table = decode_table(data, scale.shape[0], width)
        by_name: Dict[TensorInfo, Array] = {scale: table.scale, zero_point: table.zero_point, int_repr: table.int_repr}
        return [by_name[info] for info in infos]
    if kind == "floats":
        (info,) = infos
        if info.nbytes < _SMALLEST:
            corrupt("tensor is too small for a block of its own", info.nbytes, f"at least {_SMALLEST}")
        check_expansion("tensor", info.nbytes, len(data))
        return [decode_floats(data, info.dtype, info.shape).reshape(info.shape)]
    corrupt("block holds what this codec does not code", f"{len(infos)} tensors, {infos[0].name}")


def _open_declared(data: bytes, infos: Sequence[TensorInfo], limits: Limits) -> OpenMatrix:
    """The matrix of a block, which must be the one that the infos of its arrays declare."""
    values, indices, indptr = (part_of(infos, part) for part in CSR_PARTS)
    opened = open_matrix(data, limits)
    rows, columns = opened.shape
    fits = rows + 1 == indptr.count and opened.nnz == values.count == indices.count
    if not fits or (indices.dtype == "uint16" and columns > MAX_COLUMNS + 1):
        declared = f"{indptr.count - 1} rows, {values.count} nonzeros, indices {indices.dtype} {indices.count}"
        corrupt("matrix is not the declared one", f"{rows} rows, {columns} columns, {opened.nnz} nonzeros", declared)
    return opened


def _arrays_of(csr: Csr, infos: Sequence[TensorInfo]) -> List[Array]:
    values, indices, _ = (part_of(infos, part) for part in CSR_PARTS)
    arrays: List[Array] = []
    for info in infos:
        own: Any = csr.indptr
        if info is values:
            own = csr.data
        elif info is indices:
            own = csr.indices
        arrays.append(np.asarray(own, DTYPES[info.dtype]).reshape(info.shape))
    return arrays


def _encoder(preset: str) -> Callable[[Sequence[NamedArray]], Optional[EncodedBlock]]:
    def encode(tensors: Sequence[NamedArray]) -> Optional[EncodedBlock]:
        block = _encode(tensors, preset)
        if block is None:
            return None
        raw = sum(tensor.info.nbytes for tensor in tensors)
        return None if len(block.data) >= raw or raw > MAX_EXPANSION * len(block.data) else block

    return encode


def _encode(tensors: Sequence[NamedArray], preset: str) -> Optional[EncodedBlock]:
    infos = [tensor.info for tensor in tensors]
    kind = _kind_of(infos)
    if kind == "floats":
        return EncodedBlock(encode_floats(tensors[0].array, infos[0].dtype))
    if kind == "table":
        parts = [part_of(tensors, part) for part in TABLE_PARTS]
        if table_width(*(part.info for part in parts)) is None:
            return None
        return EncodedBlock(encode_table(QuantizedTable(*(part.array for part in parts))))
    if kind == "csr":
        return _encode_matrix(tensors, preset)
    return None


def _encode_matrix(tensors: Sequence[NamedArray], preset: str) -> Optional[EncodedBlock]:
    values, indices, indptr = (part_of(tensors, part) for part in CSR_PARTS)
    columns = int(indices.array.max()) + 1 if indices.array.size else 0
    # A wide one would be plain, which takes more than what the next codec makes of it.
    if columns > MAX_COLUMNS or any(tensor.array.ndim != 1 for tensor in tensors):
        return None
    csr = Csr((len(indptr.array) - 1, columns), indptr.array, indices.array, values.array)
    if csr_fault(csr.shape, csr.indptr, csr.indices, csr.data) is not None:
        return None
    encoded = encode_matrix(csr, preset)
    if encoded is None:
        return None
    if not encoded.blocks:
        return EncodedBlock(encoded.data)
    # The bytes by what they code: values, columns, and the head with the densities of rows.
    masks = sum(mask for mask, _ in encoded.blocks)
    own = sum(values for _, values in encoded.blocks)
    share = {values.info.name: own, indices.info.name: masks, indptr.info.name: len(encoded.data) - masks - own}
    return EncodedBlock(encoded.data, tuple(share[tensor.info.name] for tensor in tensors))
