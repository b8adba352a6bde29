"""``raw``: a tensor's little-endian bytes."""

from __future__ import annotations

from typing import List, Sequence

from ..errors import PruneError
from ..limits import Limits
from ..tensors import Array, TensorInfo, array_from_bytes, check_size
from .codec import Codec, EncodedBlock, NamedArray


def _decode(data: bytes, infos: Sequence[TensorInfo], limits: Limits) -> List[Array]:
    (info, *_) = infos
    wanted = check_size(info, limits)
    if len(data) != wanted:
        raise PruneError("corrupt", "raw bytes", len(data), wanted)
    return [array_from_bytes(info, data)]


def _encode(tensors: Sequence[NamedArray]) -> EncodedBlock:
    return EncodedBlock(tensors[0].array.tobytes())


RAW = Codec("raw", _decode, _encode)
