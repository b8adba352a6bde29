"""What a codec is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Tuple

from ..limits import Limits
from ..tensors import Array, TensorInfo


@dataclass(frozen=True)
class NamedArray:
    """A tensor that is to be coded."""

    info: TensorInfo
    array: Array


@dataclass(frozen=True)
class EncodedBlock:
    """The bytes of a block. ``shares``: the bytes that belong to each of its tensors alone; ``parts``: see FORMAT.md.
    """

    data: bytes
    shares: Optional[Tuple[int, ...]] = None
    parts: Tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Deferred:
    """Tensors that are decoded together with those of other blocks, because that is faster: :func:`finish` does it."""

    opened: Any
    arrays_of: Callable[[Any], List[Array]]


@dataclass(frozen=True)
class Codec:
    """A way to turn the tensors of a block into bytes and back.

    Attributes:
        name: What the manifest calls it.
        decode: Gives the tensors of a block, in the order of their infos. Raises ``corrupt`` for bytes that do not
            decode to exactly those.
        group: The key of the block that a tensor belongs to and the number of its tensors, or ``None`` when the codec
            does not want the tensor. ``None`` in place of the function: any tensor, each alone.
        encode: The block of a group of tensors, or ``None`` to leave them to the next codec.
        open: In place of ``decode``, for blocks that are decoded together.
    """

    name: str
    decode: Callable[[bytes, Sequence[TensorInfo], Limits], List[Array]]
    encode: Callable[[Sequence[NamedArray]], Optional[EncodedBlock]]
    group: Optional[Callable[[TensorInfo], Optional[Tuple[str, int]]]] = None
    open: Optional[Callable[[bytes, Sequence[TensorInfo], Limits], Optional[Deferred]]] = None
