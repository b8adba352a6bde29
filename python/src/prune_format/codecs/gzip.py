"""``gzip``: a tensor's little-endian bytes as one gzip member."""

from __future__ import annotations

from typing import List, Sequence

from ..gunzip import gunzip
from ..limits import Limits
from ..tensors import Array, TensorInfo, array_from_bytes, check_size
from ..writing.gzip_member import gzip_member
from .codec import Codec, EncodedBlock, NamedArray


def _decode(data: bytes, infos: Sequence[TensorInfo], limits: Limits) -> List[Array]:
    (info, *_) = infos
    return [array_from_bytes(info, gunzip(data, length=check_size(info, limits), limit=limits.tensor_bytes))]


def _encode(tensors: Sequence[NamedArray]) -> EncodedBlock:
    return EncodedBlock(gzip_member([tensors[0].array.tobytes()]))


GZIP = Codec("gzip", _decode, _encode)
