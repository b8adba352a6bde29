"""Rows of integers: each column less its mean, each row by the frequencies of rows that spread as far; see SPEC.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .adaptive_bits import NUMBER_CONTEXTS, BitDecoder, BitEncoder, Contexts
from .byte_reader import ByteReader, folded, joined, unfolded
from .classes import decode_classes, encode_classes
from .levels import Integers
from .symbols import MAX_ALPHABET, Lines, decode_symbols, encode_symbols

CLASSES = 8
#: Symbols and rows from which on means and classes pay for themselves.
LEAST_SYMBOLS = 2**14
_LEAST_ROWS = 64


def decode_integer_rows(reader: ByteReader, count: int, width: int, alphabet: int) -> "npt.NDArray[Any]":
    """Returns ``count`` integers below ``alphabet``, of rows of ``width``."""
    if reader.number("form of rows", 1) == 0:
        return decode_symbols(reader, count, alphabet)
    # The encoder's own bound: eight tables of up to 2,048 frequencies take as long as this many symbols.
    if count < LEAST_SYMBOLS:
        corrupt("table is too small for classes of rows", count, f"at least {LEAST_SYMBOLS} symbols")
    lowest = reader.number("lowest difference", MAX_ALPHABET)
    centred = reader.number("alphabet", MAX_ALPHABET)
    model_bytes = reader.number("model of rows", len(reader.data))
    class_bytes = 2 * reader.number("classes of rows", len(reader.data))
    model = BitDecoder(reader.take("model of rows", model_bytes))
    mean = read_means(model, width, alphabet)
    words = reader.take("classes of rows", class_bytes)
    (class_of,) = decode_classes(model, words, [(0 if width == 0 else count // width, CLASSES)])
    model.finish()
    symbols = decode_symbols(reader, count, centred, Lines(width, class_of, CLASSES)).reshape(-1, width)
    symbols += (mean - lowest).astype(np.int32)
    bad = (symbols < 0) | (symbols >= alphabet)
    if bad.any():
        corrupt("element is off its grid", int(symbols[bad][0]), f"0 to {alphabet - 1}")
    return symbols.ravel()


def encode_integer_rows(symbols: "npt.NDArray[Any]", width: int, alphabet: int) -> bytes:
    """Codes integers below ``alphabet``, row-major. A table too small for means is coded by the frequencies of all."""
    rows = 0 if width == 0 else len(symbols) // width
    if rows > 0:
        table = symbols.astype(np.int64).reshape(rows, width)
        mean = (2 * table.sum(axis=0) + rows) // (2 * rows)
        difference = table - mean
        lowest, highest = min(0, int(difference.min())), max(0, int(difference.max()))
        centred = highest - lowest + 1
        if len(symbols) >= LEAST_SYMBOLS and rows >= _LEAST_ROWS and centred <= MAX_ALPHABET:
            class_of = spread_classes(np.abs(difference).sum(axis=1), CLASSES)
            model = BitEncoder()
            write_means(model, mean)
            class_words = encode_classes(model, [class_of])
            model_bytes = model.finish()
            coded = encode_symbols((difference - lowest).ravel(), centred, Lines(width, class_of, CLASSES))
            head = [1, -lowest, centred, len(model_bytes), len(class_words) // 2]
            return joined(head, model_bytes, class_words, coded)
    return joined([0], encode_symbols(symbols, alphabet))


def spread_classes(spread: Integers, classes: int) -> Integers:
    """Classes of about as many rows each, by their spread."""
    ordered = np.sort(spread)
    starts = [ordered[(i + 1) * len(spread) // classes] for i in range(classes - 1)]
    class_of = np.zeros(len(spread), np.int64)
    for start in starts:
        class_of += spread >= start
    return class_of


def write_means(coder: BitEncoder, mean: Integers) -> None:
    contexts = Contexts(2 * NUMBER_CONTEXTS)
    before = 0
    for c, m in enumerate(mean.tolist()):
        coder.number(contexts, 0 if c == 0 else NUMBER_CONTEXTS, folded(m - before))
        before = m


def read_means(coder: BitDecoder, width: int, alphabet: int) -> Integers:
    contexts = Contexts(2 * NUMBER_CONTEXTS)
    before, means = 0, []
    for c in range(width):
        before += unfolded(coder.number(contexts, 0 if c == 0 else NUMBER_CONTEXTS))
        if not 0 <= before < max(alphabet, 1):
            corrupt("mean is off its grid", before, f"0 to {alphabet - 1}")
        means.append(before)
    return np.array(means, np.int64)
