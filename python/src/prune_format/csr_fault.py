"""What keeps arrays from being a CSR matrix."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np
import numpy.typing as npt

from .errors import Shown

#: What is wrong, what was found and what was wanted.
Fault = Tuple[str, Shown, Shown]

_NAMES = {"int8": "Int8Array", "uint16": "Uint16Array", "int32": "Int32Array"}


def csr_fault(
    shape: Tuple[int, int],
    indptr: "npt.NDArray[Any]",
    indices: "npt.NDArray[Any]",
    data: "npt.NDArray[Any]",
) -> Optional[Fault]:
    """Returns the first fault of a matrix, or ``None``.

    Row pointers run from 0 to nnz and never fall, column indices ascend within a row and lie inside the matrix, and no
    zero is stored.
    """
    rows, columns = shape
    if len(indptr) != rows + 1:
        return "indptr does not fit the matrix", f"Int32Array of {len(indptr)}", f"Int32Array of {rows + 1}"
    nnz = len(data) if len(data) == len(indices) else int(indptr[rows])
    if len(data) != nnz:
        return "data does not fit the matrix", f"Int8Array of {len(data)}", f"Int8Array of {nnz}"
    if len(indices) != nnz:
        name = _NAMES.get(str(indices.dtype), str(indices.dtype))
        return "indices does not fit the matrix", f"{name} of {len(indices)}", f"{name} of {nnz}"
    if int(indptr[rows]) != nnz:
        return f"indptr[{rows}] is not the number of nonzeros", int(indptr[rows]), nnz
    return _pointer_fault(indptr.astype(np.int64), nnz) or _contents_fault(columns, indptr, indices, data)


def _pointer_fault(indptr: "npt.NDArray[np.int64]", nnz: int) -> Optional[Fault]:
    if indptr[0] != 0:
        return "indptr[0] is not the start", int(indptr[0]), 0
    bad = np.flatnonzero((np.diff(indptr) < 0) | (indptr[1:] > nnz))
    if not len(bad):
        return None
    row = int(bad[0]) + 1
    if indptr[row] < indptr[row - 1]:
        return f"indptr[{row}] falls", int(indptr[row]), f"at least {indptr[row - 1]}"
    return f"indptr[{row}] exceeds nnz", int(indptr[row]), f"at most {nnz}"


def _contents_fault(
    columns: int, indptr: "npt.NDArray[Any]", indices: "npt.NDArray[Any]", data: "npt.NDArray[Any]"
) -> Optional[Fault]:
    own = indices.astype(np.int64)
    counts = np.diff(indptr)
    row_of = np.repeat(np.arange(len(counts)), counts)
    before = np.full(len(own), -1, np.int64)
    before[1:] = np.where(row_of[1:] == row_of[:-1], own[:-1], -1)
    # Columns ascend, so the last one of a row is the largest.
    last = np.ones(len(own), bool)
    last[:-1] = row_of[1:] != row_of[:-1]
    bad = np.flatnonzero((own <= before) | (last & (own >= columns)))
    if len(bad):
        p = int(bad[0])
        if own[p] <= before[p]:
            return f"indices[{p}] does not ascend in row {row_of[p]}", int(own[p]), f"more than {before[p]}"
        return f"indices[{p}] is no column", int(own[p]), f"less than {columns}"
    zeros = np.flatnonzero(data == 0)
    return (f"data[{zeros[0]}] is a stored zero", 0, "a nonzero") if len(zeros) else None
