"""Elements by planes of their bytes; see SPEC.md, "Planes"."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .byte_reader import ByteReader, joined
from .symbols import decode_symbols, encode_symbols


def decode_planes(reader: ByteReader, count: int, width: int) -> "npt.NDArray[np.uint8]":
    """Returns ``count`` elements of ``width`` bytes as bytes ``[count, width]``, the lowest first."""
    out = np.zeros((count, width), np.uint8)
    for plane in range(width - 1, -1, -1):
        if reader.number("form of a plane", 1) == 1:
            out[:, plane] = decode_symbols(reader, count, 256)
        else:
            out[:, plane] = np.frombuffer(reader.take("plane", count), np.uint8)
    return out


def encode_planes(octets: "npt.NDArray[Any]") -> bytes:
    """Codes bytes ``[count, width]``: each plane by its own frequencies or as it is, whichever is smaller."""
    count, width = octets.shape
    parts = []
    for plane in range(width - 1, -1, -1):
        symbols = np.ascontiguousarray(octets[:, plane])
        coded = encode_symbols(symbols, 256)
        parts.append(joined([1], coded) if len(coded) < count else joined([0], symbols.tobytes()))
    return b"".join(parts)
