"""Sequences of classes below 32 (of columns, of rows); see SPEC.md, "Classes"."""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .adaptive_bits import BitDecoder, BitEncoder
from .levels import frequencies, levels_of, lows_of, read_levels, weights_of, write_levels
from .rans import Stream, SymbolTables, decode_streams, encode_streams

CLASSES = 32
_BITS = 12


def decode_classes(
    coder: BitDecoder, data: bytes, sizes: Sequence[Tuple[int, int]]
) -> List["npt.NDArray[np.int32]"]:
    """One sequence for each ``(length, count)``, of ``length`` classes below ``count``."""
    tables = []
    for length, count in sizes:
        own = frequencies(weights_of(read_levels(coder, CLASSES)), 2**_BITS)
        if length > 0 and not own.any():
            corrupt("table of classes is empty", 0, 2**_BITS)
        for c in np.flatnonzero(own[count:])[:1].tolist():
            corrupt("unknown density class", count + c, f"below {count}")
        tables.append(own)
    lengths = [length for length, _ in sizes]
    which = np.repeat(np.arange(len(sizes)), lengths)
    stream = Stream(data, sum(lengths), which)
    decoded = decode_streams([stream], SymbolTables.of(tables, _BITS), 1)
    return np.split(decoded, np.cumsum(lengths)[:-1])


def encode_classes(model: BitEncoder, sequences: Sequence["npt.NDArray[Any]"]) -> bytes:
    """Writes the levels of each sequence into ``model``, and returns the words of all."""
    lows, own = [], []
    for classes in sequences:
        levels = levels_of(np.bincount(classes, minlength=CLASSES))
        write_levels(model, levels)
        frequency = frequencies(weights_of(levels), 2**_BITS)
        lows.append(lows_of(frequency)[classes])
        own.append(frequency[classes])
    low, frequency = np.concatenate(lows), np.concatenate(own)
    return encode_streams(low, frequency, [len(low)], _BITS, 1)[0]
