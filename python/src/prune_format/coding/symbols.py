"""Symbols below an alphabet, in lines that each have a class; see SPEC.md, "Symbols"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Optional

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .adaptive_bits import BitDecoder, BitEncoder
from .byte_reader import ByteReader, joined
from .levels import frequencies, levels_of, lows_of, read_levels, weights_of, write_levels
from .rans import Stream, SymbolTables, decode_streams, encode_streams

MAX_ALPHABET = 2048
_BITS = 13
_TOTAL = 2**_BITS
_CHUNK = 2**16


@dataclass(frozen=True)
class Lines:
    """Lines of ``width`` symbols, each of a class that has frequencies of its own."""

    width: int
    class_of: "npt.NDArray[Any]"
    classes: int


def decode_symbols(reader: ByteReader, count: int, alphabet: int, lines: Optional[Lines] = None) -> "npt.NDArray[Any]":
    """Returns ``count`` symbols. Without ``lines`` all have the same frequencies."""
    size = len(reader.data)
    table_bytes = reader.number("table", size)
    lengths = [2 * reader.number("chunk", size) for _ in range(0, count, _CHUNK)]
    coder = BitDecoder(reader.take("table", table_bytes))
    classes = 1 if lines is None else lines.classes
    tables = [frequencies(weights_of(read_levels(coder, alphabet)), _TOTAL) for _ in range(classes)]
    coder.finish()
    filled = np.array([bool(own.any()) for own in tables])
    used = filled[0] if lines is None else filled[lines.class_of].all()
    if count > 0 and not used:
        corrupt("table of frequencies is empty", 0, _TOTAL)
    which = None if lines is None else np.repeat(lines.class_of.astype(np.uint8), lines.width)
    streams: List[Stream] = []
    for i, length in enumerate(lengths):
        start, end = i * _CHUNK, min((i + 1) * _CHUNK, count)
        table: Any = 0 if which is None else which[start:end]
        streams.append(Stream(reader.take("chunk", length), end - start, table))
    return decode_streams(streams, SymbolTables.of(tables, _BITS), 2)


def encode_symbols(symbols: "npt.NDArray[Any]", alphabet: int, lines: Optional[Lines] = None) -> bytes:
    """Codes symbols below ``alphabet`` by the frequencies of their class."""
    own = symbols.astype(np.int64)
    classes = 1 if lines is None else lines.classes
    which: "npt.NDArray[Any]" = np.zeros(len(own), np.int64)
    if lines is not None:
        which = np.repeat(lines.class_of.astype(np.int64), lines.width)
    place = which * alphabet + own
    counts = np.bincount(place, minlength=classes * alphabet).reshape(classes, alphabet)
    table = BitEncoder()
    frequency = np.zeros((classes, alphabet), np.int64)
    lows = np.zeros((classes, alphabet), np.int64)
    for c in range(classes):
        levels = levels_of(counts[c])
        write_levels(table, levels)
        frequency[c] = frequencies(weights_of(levels), _TOTAL)
        lows[c] = lows_of(frequency[c])
    table_bytes = table.finish()
    sizes = [min(_CHUNK, len(own) - start) for start in range(0, len(own), _CHUNK)]
    chunks = encode_streams(lows.ravel()[place], frequency.ravel()[place], sizes, _BITS, 2)
    return joined([len(table_bytes), *(len(chunk) // 2 for chunk in chunks)], table_bytes, *chunks)
