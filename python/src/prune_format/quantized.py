"""Quantized modules: what the elementary form of the notebook "Saving PruneBERT" says of them, and back."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, NoReturn, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from .csr_fault import csr_fault
from .errors import PruneError, Shown
from .limits import DEFAULT_LIMITS, Limits, check_limit
from .tensors import Array, Elementary, TensorInfo, check_size, dtype_name

_WHERE = "csr"
_PACKED = "._packed_params"
_MOST_NARROW_COLUMNS = 65_535

#: The parts of a quantized Linear ``X``, after ``X._packed_params.``
_LINEAR_PARTS = (
    "weight.scale",
    "weight.zero_point",
    "weight.int_repr.data",
    "weight.int_repr.indptr",
    "weight.int_repr.indices",
    "weight.int_repr.shape",
    "bias",
)
#: The parts of a quantized Embedding ``X``, after ``X._packed_params.``
_EMBEDDING_PARTS = (
    "_packed_weight.scale",
    "_packed_weight.zero_point",
    "_packed_weight.int_repr",
    "_packed_weight.int_repr.shape",
)


@dataclass(frozen=True)
class CsrMatrix:
    """A sparse int8 matrix ``[rows, columns]``, for where scipy is not installed; the arrays are named as scipy's.

    ``indptr`` int32 ``[rows + 1]``, ``indices`` uint16 ``[nnz]`` (int32 past 65,535 columns), ``data`` int8 ``[nnz]``.
    """

    shape: Tuple[int, int]
    indptr: "npt.NDArray[np.int32]"
    indices: "npt.NDArray[Any]"
    data: "npt.NDArray[np.int8]"

    def toarray(self) -> "npt.NDArray[np.int8]":
        """Returns the dense matrix, int8 ``[rows, columns]``."""
        dense = np.zeros(self.shape, np.int8)
        rows = np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))
        dense[rows, self.indices] = self.data
        return dense

    def to_scipy(self) -> Any:
        """Returns a ``scipy.sparse.csr_matrix`` of the same matrix. Needs scipy."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.data, self.indices, self.indptr), shape=self.shape)


@dataclass(frozen=True)
class QuantizedLinear:
    """A Linear whose weight is int8: ``w = scale * q``.

    Attributes:
        weight: The codes, ``[rows, columns]``.
        scales: float64 ``[1]``, or ``[rows]`` for one scale a row.
        per_channel: Whether there is one scale a row.
        bias: float32 ``[rows]``, or ``None``.
    """

    weight: CsrMatrix
    scales: "npt.NDArray[np.float64]"
    per_channel: bool
    bias: Optional["npt.NDArray[np.float32]"]

    def dequantize(self) -> "npt.NDArray[np.float32]":
        """Returns the weight as float32 ``[rows, columns]``, each code times the float32 of its scale, as PyTorch
        does.
        """
        return self.weight.toarray().astype(np.float32) * self.scales.astype(np.float32)[:, None]


@dataclass(frozen=True)
class QuantizedEmbedding:
    """An embedding table quantized row by row: ``w = (q - zero_point) * scale``.

    Attributes:
        bits: 8, or 4 for two codes a byte, the even column in the low half.
        shape: ``(rows, columns)``.
        int_repr: uint8 ``[rows, columns]``, or ``[rows, ceil(columns / 2)]`` for 4 bits.
        scales: float32 ``[rows]``.
        zero_points: float32 ``[rows]``.
    """

    bits: int
    shape: Tuple[int, int]
    int_repr: "npt.NDArray[np.uint8]"
    scales: "npt.NDArray[np.float32]"
    zero_points: "npt.NDArray[np.float32]"

    def codes(self) -> "npt.NDArray[np.uint8]":
        """Returns the codes, uint8 ``[rows, columns]``."""
        if self.bits == 8:
            return self.int_repr
        both = np.stack([self.int_repr & 15, self.int_repr >> 4], axis=-1)
        return both.reshape(self.shape[0], -1)[:, : self.shape[1]]

    def dequantize(self) -> "npt.NDArray[np.float32]":
        """Returns the table as float32 ``[rows, columns]``: code less zero point, times scale, each rounded."""
        return (self.codes().astype(np.float32) - self.zero_points[:, None]) * self.scales[:, None]


#: A module, or a tensor that is not quantized.
Quantized = Union[QuantizedLinear, QuantizedEmbedding, Array]


def recompose(tensors: Mapping[str, Elementary], limits: Limits = DEFAULT_LIMITS) -> Dict[str, Quantized]:
    """Returns the quantized state dict of an elementary one: module name -> module, and tensors by their names.

    Reads the layouts of torch 1.4 (no ``dtype``), 1.5 and later. Raises ``missing``, ``mismatch``, ``corrupt``,
    ``limit`` or ``unsupported`` with the name of the tensor.
    """
    kinds = _kinds_of(tensors, limits)
    reader = _Reader(tensors, limits)
    modules: Dict[str, Quantized] = {}
    for name, kind in kinds.items():
        if kind == "linear":
            modules[name] = reader.linear(name)
        elif kind == "embedding":
            modules[name] = reader.embedding(name)
        else:
            modules[name] = reader.plain(name)
    return modules


def decompose(modules: Mapping[str, Quantized]) -> Iterator[Tuple[str, Elementary]]:
    """Yields the elementary form of a quantized state dict, in the order in which ``prune pack`` writes it."""
    for name, module in modules.items():
        if isinstance(module, QuantizedLinear):
            yield from _linear_entries(name, module)
        elif isinstance(module, QuantizedEmbedding):
            yield from _embedding_entries(name, module)
        else:
            yield name, module


def _linear_entries(name: str, linear: QuantizedLinear) -> Iterator[Tuple[str, Elementary]]:
    part, weight = f"{name}{_PACKED}.", linear.weight
    shape = (weight.shape[0],) if linear.per_channel else ()
    yield f"{name}.scale", np.array(1, "<f4")
    yield f"{name}.zero_point", np.array(0, "<i8")
    yield f"{part}dtype", "qint8"
    yield f"{part}weight.scale", linear.scales.astype("<f8").reshape(shape)
    yield f"{part}weight.zero_point", np.zeros(shape, "<i8")
    yield f"{part}weight.int_repr.data", weight.data
    yield f"{part}weight.int_repr.indptr", weight.indptr
    yield f"{part}weight.int_repr.indices", weight.indices
    yield f"{part}weight.int_repr.shape", np.array(weight.shape, "<i8")
    if linear.bias is not None:
        yield f"{part}bias", linear.bias


def _embedding_entries(name: str, table: QuantizedEmbedding) -> Iterator[Tuple[str, Elementary]]:
    part = f"{name}{_PACKED}."
    yield f"{part}dtype", "quint8" if table.bits == 8 else "quint4x2"
    yield f"{part}_packed_weight.scale", table.scales
    yield f"{part}_packed_weight.zero_point", table.zero_points
    yield f"{part}_packed_weight.int_repr", table.int_repr
    yield f"{part}_packed_weight.int_repr.shape", np.array(table.shape, "<i8")


def split_part_name(name: str) -> Optional[Tuple[str, str]]:
    """Splits ``X._packed_params.part`` into module and part; ``None`` for every other name."""
    at = name.rfind(f"{_PACKED}.")
    return (name[:at], name[at + len(_PACKED) + 1 :]) if at > 0 else None


def _kinds_of(tensors: Mapping[str, Elementary], limits: Limits) -> Dict[str, str]:
    """Which modules and tensors there are, in the order of their first names."""
    check_limit("too many tensors", len(tensors), limits.tensors, where=_WHERE)
    modules: Dict[str, str] = {}
    for name in tensors:
        split = split_part_name(name)
        if split is None:
            continue
        module, part = split
        kind = "linear" if part in _LINEAR_PARTS else "embedding" if part in _EMBEDDING_PARTS else None
        if kind is None:
            if part == "dtype":
                continue
            wanted = ", ".join((*_LINEAR_PARTS, *_EMBEDDING_PARTS))
            _fail("unsupported", name, "unknown part of a quantized module", part, wanted)
        if modules.setdefault(module, kind) != kind:
            raise PruneError("corrupt", "both a Linear and an embedding table", where=_WHERE, tensor=module)
    kinds: Dict[str, str] = {}
    for name in tensors:
        module_name = _module_of(name, modules)
        if module_name is None and name in modules:
            raise PruneError("corrupt", "both a tensor and a quantized module", where=_WHERE, tensor=name)
        kinds[module_name or name] = "tensor" if module_name is None else modules[module_name]
    return kinds


def _module_of(name: str, modules: Mapping[str, str]) -> Optional[str]:
    """The quantized module that a name belongs to; ``X.scale`` and ``X.zero_point`` do where ``X`` is a Linear."""
    split = split_part_name(name)
    if split is not None:
        if split[0] in modules:
            return split[0]
        what = f'not there, but "{name}" is'
        raise PruneError("missing", what, where=_WHERE, tensor=f"{split[0]}{_PACKED}.weight.int_repr.data")
    found = re.fullmatch(r"(.+)\.(?:scale|zero_point)", name, re.DOTALL)
    return found.group(1) if found is not None and modules.get(found.group(1)) == "linear" else None


class _Reader:
    """Reads modules from their parts, each checked."""

    def __init__(self, tensors: Mapping[str, Elementary], limits: Limits) -> None:
        self._tensors = tensors
        self._limits = limits

    def plain(self, name: str) -> Array:
        value = self._tensors[name]
        if isinstance(value, str):
            _fail("mismatch", name, "not a tensor", f'"{value}"', "a tensor (only qint8 and its kin are strings)")
        return value

    def linear(self, module: str) -> QuantizedLinear:
        part = f"{module}{_PACKED}."
        # torch 1.4 has no dtype entry, and no dtype but qint8.
        dtype = self._code_dtype(f"{part}dtype")
        if dtype is not None and dtype != "qint8":
            _fail("unsupported", f"{part}dtype", "codes of a Linear", dtype, "qint8")
        self._check_output(module)
        shape = self._shape(f"{part}weight.int_repr.shape")
        rows, columns = shape
        indptr = self._required(f"{part}weight.int_repr.indptr", ("int32",), ((rows + 1,),))
        data = self._required(f"{part}weight.int_repr.data", ("int8",), ((None,),))
        name = f"{part}weight.int_repr.indices"
        indices = self._required(name, ("uint16", "int32"), ((len(data),),))
        weight = CsrMatrix(shape, indptr, _canonical_indices(indices, columns, name), data)
        fault = csr_fault(weight.shape, weight.indptr, weight.indices, weight.data)
        if fault is not None:
            kind = "mismatch" if "does not fit" in fault[0] else "corrupt"
            _fail(kind, module, *fault)
        scales, per_channel = self._scales(part, rows)
        bias = self._optional(f"{part}bias", ("float32",), ((rows,),))
        return QuantizedLinear(weight, scales, per_channel, bias)

    def embedding(self, module: str) -> QuantizedEmbedding:
        part = f"{module}{_PACKED}."
        dtype = self._code_dtype(f"{part}dtype")
        if dtype not in (None, "quint8", "quint4x2"):
            _fail("unsupported", f"{part}dtype", "codes of an embedding table", str(dtype), "quint8 or quint4x2")
        bits = 4 if dtype == "quint4x2" else 8
        rows, columns = self._shape(f"{part}_packed_weight.int_repr.shape")
        stride = columns if bits == 8 else (columns + 1) // 2
        scales = self._required(f"{part}_packed_weight.scale", ("float32",), ((rows,),))
        zero_points = self._required(f"{part}_packed_weight.zero_point", ("float32",), ((rows,),))
        codes = self._required(f"{part}_packed_weight.int_repr", ("uint8",), ((rows, stride),))
        _check_scales(scales, f"{part}_packed_weight.scale")
        bad = np.flatnonzero(~np.isfinite(zero_points))
        if len(bad):
            i = int(bad[0])
            name = f"{part}_packed_weight.zero_point"
            _fail("corrupt", name, f"element {i}", float(zero_points[i]), "a finite number")
        return QuantizedEmbedding(bits, (rows, columns), codes, scales, zero_points)

    def _shape(self, name: str) -> Tuple[int, int]:
        rows, columns = (int(n) for n in self._required(name, ("int64",), ((2,),)))
        if rows < 0 or columns < 0:
            raise PruneError("corrupt", "bad shape", f"[{rows}, {columns}]", "integers >= 0", where=_WHERE, tensor=name)
        try:
            check_size(TensorInfo(name, "int8", (rows, columns)), self._limits)
        except PruneError as error:
            raise error.located(_WHERE) from error
        return rows, columns

    def _scales(self, part: str, rows: int) -> Tuple["npt.NDArray[np.float64]", bool]:
        scale = self._required(f"{part}weight.scale", ("float64", "float32"), ((), (rows,)))
        zero_point = self._required(f"{part}weight.zero_point", ("int64",), (scale.shape,))
        shifted = zero_point[zero_point != 0]
        if shifted.size:
            what = "weight that is not quantized symmetrically"
            _fail("unsupported", f"{part}weight.zero_point", what, str(shifted.flat[0]), "zero points of 0")
        scales = scale.reshape(-1).astype(np.float64)
        _check_scales(scales, f"{part}weight.scale")
        return scales, scale.ndim == 1

    def _check_output(self, module: str) -> None:
        """A dynamic Linear keeps an unused output scale of 1 and zero point of 0. Others are statically quantized."""
        scale = self._optional(f"{module}.scale", ("float32", "float64"), ((),))
        zero_point = self._optional(f"{module}.zero_point", ("int64",), ((),))
        if scale is not None and scale != 1:
            what = "statically quantized Linear"
            _fail("unsupported", f"{module}.scale", what, float(scale), "an output scale of 1")
        if zero_point is not None and zero_point != 0:
            what = "statically quantized Linear"
            _fail("unsupported", f"{module}.zero_point", what, str(zero_point), "a zero point of 0")

    def _code_dtype(self, name: str) -> Optional[str]:
        value = self._tensors.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            _fail("mismatch", name, "not a string", dtype_name(value) or str(value.dtype), '"qint8"')
        return value[6:] if value.startswith("torch.") else value

    def _optional(self, name: str, dtypes: Sequence[str], shapes: Sequence[Tuple[Optional[int], ...]]) -> Any:
        return self._required(name, dtypes, shapes) if name in self._tensors else None

    def _required(self, name: str, dtypes: Sequence[str], shapes: Sequence[Tuple[Optional[int], ...]]) -> Any:
        """An array of one of these dtypes and shapes. Indices, sizes and zero points may have another integer dtype."""
        value = self._tensors.get(name)
        if value is None:
            _fail("missing", name, "not there", "nothing", " or ".join(dtypes))
        patterns = " or ".join(f"[{','.join('n' if n is None else str(n) for n in shape)}]" for shape in shapes)
        wanted = f"{' or '.join(dtypes)} {patterns}"
        if isinstance(value, str):
            _fail("mismatch", name, "not a tensor", f'"{value}"', wanted)
        dtype = dtype_name(value) or str(value.dtype)
        last = dtypes[-1]
        convertible = value.dtype.kind in "iu" and last in ("int32", "int64")
        if not (dtype in dtypes or convertible) or not any(_fits(value.shape, shape) for shape in shapes):
            got = f"{dtype} [{', '.join(map(str, value.shape))}]"
            _fail("mismatch", name, "wrong kind of tensor", got, wanted)
        return value if dtype in dtypes else to_integers(value, last, name)


def _fits(shape: Sequence[int], pattern: Sequence[Optional[int]]) -> bool:
    return len(shape) == len(pattern) and all(wanted in (None, n) for n, wanted in zip(shape, pattern))


def to_integers(value: Array, dtype: str, name: str) -> Array:
    """Returns integers in another integer dtype. Raises ``corrupt`` for a value out of its range."""
    limits = np.iinfo(dtype)
    flat = value.reshape(-1)
    for i, element in enumerate(flat.tolist()):
        if not limits.min <= element <= limits.max:
            _fail("corrupt", name, f"element {i} is out of range", str(element), dtype)
    return value.astype(np.dtype(dtype).newbyteorder("<"))


def _canonical_indices(indices: Array, columns: int, name: str) -> Array:
    """scipy's own int32 is taken for narrow matrices too, and becomes uint16."""
    dtype = np.dtype("<u2" if columns <= _MOST_NARROW_COLUMNS else "<i4")
    if indices.dtype == dtype:
        return indices
    bad = np.flatnonzero((indices.astype(np.int64) < 0) | (indices.astype(np.int64) >= columns))
    if len(bad):
        i = int(bad[0])
        _fail("corrupt", name, f"element {i} is no column", int(indices[i]), f"0 to {columns - 1}")
    return indices.astype(dtype)


def _check_scales(scales: "npt.NDArray[Any]", name: str) -> None:
    for i, scale in enumerate(scales.tolist()):
        if not 0 < scale < math.inf:
            _fail("corrupt", name, f"element {i} is no scale", scale, "a positive number")


def _fail(code: str, tensor: str, what: str, got: Shown, wanted: Shown) -> NoReturn:
    raise PruneError(code, what, got, wanted, where=_WHERE, tensor=tensor)


__all__: List[str] = [
    "CsrMatrix",
    "Quantized",
    "QuantizedEmbedding",
    "QuantizedLinear",
    "decompose",
    "recompose",
    "split_part_name",
    "to_integers",
]
