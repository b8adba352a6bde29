"""The names of the notebook's elementary form."""

from __future__ import annotations

from typing import Optional, Sequence, Tuple, TypeVar, Union

from ..tensors import TensorInfo
from .codec import NamedArray

CSR_ARRAYS = ("data", "indices", "indptr")
CSR_DTYPES = {"data": ("int8",), "indices": ("uint16", "int32"), "indptr": ("int32",)}

#: A part of a group: how its name ends, and the dtypes that it may have. The first part gives a group its key.
Part = Tuple[str, Tuple[str, ...]]

CSR_PARTS: Tuple[Part, ...] = tuple((f".int_repr.{array}", CSR_DTYPES[array]) for array in CSR_ARRAYS)
TABLE_PARTS: Tuple[Part, ...] = (
    ("._packed_weight.scale", ("float32",)),
    ("._packed_weight.zero_point", ("float32",)),
    ("._packed_weight.int_repr", ("uint8",)),
)

#: The dtypes of dense tensors that are coded as floats.
FLOATS = ("float32", "float16", "bfloat16")

_Named = TypeVar("_Named", bound=Union[TensorInfo, NamedArray])


def csr_array_of(name: str) -> Optional[Tuple[str, str]]:
    """Splits ``X.data``, ``X.indices`` and ``X.indptr`` into the matrix and the array; ``None`` for other names."""
    matrix, dot, array = name.rpartition(".")
    return (matrix, array) if dot and array in CSR_ARRAYS else None


def part_group(info: TensorInfo, parts: Sequence[Part]) -> Optional[Tuple[str, int]]:
    """The group of a tensor that is one of these parts: its key and how many tensors it has."""
    for ending, dtypes in parts:
        if info.name.endswith(ending) and info.dtype in dtypes:
            return info.name[: -len(ending)] + parts[0][0], len(parts)
    return None


def has_parts(infos: Sequence[TensorInfo], parts: Sequence[Part]) -> bool:
    return len(infos) == len(parts) and all(
        any(info.name.endswith(ending) and info.dtype in dtypes for info in infos) for ending, dtypes in parts
    )


def part_of(group: Sequence[_Named], part: Part) -> _Named:
    """The element of a group that is a part of it; the caller knows that there is one."""
    for one in group:
        info = one.info if isinstance(one, NamedArray) else one
        if info.name.endswith(part[0]):
            return one
    raise KeyError(part[0])


def table_width(scale: TensorInfo, zero_point: TensorInfo, int_repr: TensorInfo) -> Optional[int]:
    """Columns of a table of codes; ``None`` unless the shapes are ``[rows]``, ``[rows]`` and ``[rows, width]``."""
    if len(int_repr.shape) != 2:
        return None
    rows, width = int_repr.shape
    return width if scale.shape == (rows,) and zero_point.shape == (rows,) else None
