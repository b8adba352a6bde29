"""``planes-gzip``: the first byte of every element, then the second, and so on, as one gzip member."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

import numpy as np

from ..gunzip import gunzip
from ..limits import Limits
from ..tensors import Array, TensorInfo, array_from_bytes, check_size
from ..writing.gzip_member import gzip_member
from .codec import Codec, EncodedBlock, NamedArray

#: Below this many bytes a code for each plane costs more than it saves.
_SMALLEST = 256


def _group(info: TensorInfo) -> Optional[Tuple[str, int]]:
    return (info.name, 1) if info.item_bytes > 1 and info.nbytes >= _SMALLEST else None


def _decode(data: bytes, infos: Sequence[TensorInfo], limits: Limits) -> List[Array]:
    (info, *_) = infos
    planes = gunzip(data, length=check_size(info, limits), limit=limits.tensor_bytes)
    joined = np.frombuffer(planes, np.uint8).reshape(info.item_bytes, -1).T
    return [array_from_bytes(info, joined.tobytes())]


def _encode(tensors: Sequence[NamedArray]) -> EncodedBlock:
    info = tensors[0].info
    octets = np.frombuffer(tensors[0].array.tobytes(), np.uint8).reshape(-1, info.item_bytes)
    return EncodedBlock(gzip_member([octets[:, plane].tobytes() for plane in range(info.item_bytes)]))


PLANES_GZIP = Codec("planes-gzip", _decode, _encode, _group)
