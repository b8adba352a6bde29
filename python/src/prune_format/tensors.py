"""What a tensor of the container is, and its elements as a NumPy array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from .errors import PruneError
from .limits import Limits, check_limit

Array = npt.NDArray[Any]

#: A value of the elementary form: an array, or a text (the ``dtype`` entries of quantized modules).
Elementary = Union[Array, str]

#: Every dtype of the container, and the NumPy dtype of its elements. NumPy has no bfloat16: its elements are their
#: bits.
DTYPES: Dict[str, "np.dtype[Any]"] = {
    "bool": np.dtype("?"),
    "uint8": np.dtype("u1"),
    "int8": np.dtype("i1"),
    "uint16": np.dtype("<u2"),
    "int16": np.dtype("<i2"),
    "uint32": np.dtype("<u4"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "float16": np.dtype("<f2"),
    "bfloat16": np.dtype([("bfloat16", "<u2")]),
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
}

BFLOAT16 = DTYPES["bfloat16"]


@dataclass(frozen=True)
class TensorInfo:
    """Name, dtype and shape of a tensor, without its elements."""

    name: str
    dtype: str
    shape: Tuple[int, ...]

    @property
    def item_bytes(self) -> int:
        return DTYPES[self.dtype].itemsize

    @property
    def count(self) -> int:
        return product(self.shape)

    @property
    def nbytes(self) -> int:
        return self.count * self.item_bytes


def product(shape: Sequence[int]) -> int:
    """The number of elements of a shape."""
    count = 1
    for dimension in shape:
        count *= dimension
    return count


def check_size(info: TensorInfo, limits: Limits) -> int:
    """Returns the bytes of a tensor. Raises ``limit`` for too many dimensions or bytes."""
    check_limit("too many dimensions", len(info.shape), limits.rank, tensor=info.name)
    check_limit("tensor is too large (bytes)", info.nbytes, limits.tensor_bytes, tensor=info.name)
    return info.nbytes


def array_from_bytes(info: TensorInfo, data: Union[bytes, bytearray, memoryview, Array]) -> Array:
    """Returns the array of a tensor from its little-endian bytes, of which there are as many as ``info`` says.

    The array has memory of its own and may be written to.
    """
    octets = np.frombuffer(data, np.uint8) if not isinstance(data, np.ndarray) else data.view(np.uint8)
    if len(octets) != info.nbytes:
        wanted = f"{info.nbytes} ({info.dtype} [{', '.join(map(str, info.shape))}])"
        raise PruneError("mismatch", "tensor has the wrong number of bytes", len(octets), wanted, tensor=info.name)
    array: Array = octets != 0 if info.dtype == "bool" else octets.copy().view(DTYPES[info.dtype])
    return array.reshape(info.shape)


def dtype_name(array: Array) -> Optional[str]:
    """Returns the container's name of an array's dtype, ``None`` when it has none."""
    for name, dtype in DTYPES.items():
        if array.dtype == dtype or array.dtype.newbyteorder("<") == dtype:
            return name
    return None
