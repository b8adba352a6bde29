"""Groups of rows of codec ``rows``: where they lie, and their symbols; see SPEC.md, "Codec rows"."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable, List, Optional, Sequence

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .adaptive_bits import BitDecoder, BitEncoder, Contexts
from .byte_reader import ByteReader, joined
from .fixed_log2 import fixed_log2
from .levels import Integers, frequencies, levels_of, lows_of, weights_of, write_levels
from .rans import STATE_MIN

HASH_BYTES = 12
CRC_BYTES = 4
LEAST_GROUP = 4 + CRC_BYTES
TABLE_BYTES = 6 * 4096

_BITS = 12
_SIZE = 2**_BITS
_MOST_LENGTH_BITS = 31
_TREE = 2**12
_TRAILER = 4
_FORMS = 2


class RowTables:
    """Tables of 4,096 positions. Only those with symbols take memory. Raises ``corrupt`` past ``room`` bytes."""

    def __init__(self, levels: Sequence[Integers], room: int) -> None:
        filled = [t for t, own in enumerate(levels) if own.any()]
        if len(filled) * TABLE_BYTES > room:
            corrupt("tables of frequencies expand too far", len(filled) * TABLE_BYTES, f"at most {max(0, room)}")
        self.base = np.full(len(levels), -1, np.int64)
        self.slots = np.zeros((len(filled), _SIZE), np.int64)
        self.symbols = np.zeros((len(filled), _SIZE), np.int32)
        for i, t in enumerate(filled):
            frequency = frequencies(weights_of(levels[t]), _SIZE)
            place = np.repeat(np.arange(len(frequency)), frequency)
            self.base[t] = i * _SIZE
            # A frequency may be 4,096, so it takes 13 bits.
            self.slots[i] = frequency[place] << 13 | np.arange(_SIZE) - lows_of(frequency)[place]
            self.symbols[i] = place
        self.slots, self.symbols = self.slots.ravel(), self.symbols.ravel()


class Lanes:
    """Decoders of groups, side by side: one symbol of each group at a time.

    ``data``: the groups, end to end; ``starts``: where the chosen ones start; ``ends``: where they end, without CRC-32.
    """

    def __init__(self, data: bytes, starts: Integers, ends: Integers, raw_bytes: int, tables: RowTables) -> None:
        self._octets = np.frombuffer(data, np.uint8)
        self._tables = tables
        self._starts = starts
        self._end = ends // 2
        self.count = len(starts)
        at = (starts + raw_bytes + 1) // 2
        small = 2 * at + 4 > ends
        if small.any():
            i = int(np.flatnonzero(small)[0])
            corrupt("group has no room for its state", int((ends - starts)[i]), f"at least {raw_bytes + 4} bytes")
        if raw_bytes % 2:
            padding = self._octets[starts + raw_bytes]
            if padding.any():
                corrupt("padding of a group", int(padding[padding != 0][0]), 0)
        # A damaged group may ask for words past the end of all: those are 0.
        words = np.frombuffer(data, "<u2", len(data) // 2)
        self._words = np.concatenate([words, np.zeros(1, np.uint16)]).astype(np.int64)
        self._last = len(words)
        self._state = self._words[at] << 16 | self._words[at + 1]
        low = (self._state < STATE_MIN) | (self._state >= 2**31)
        if low.any():
            state = int(self._state[low][0])
            corrupt("group starts outside its range", state - 2**32 * (state >= 2**31), f"at least {STATE_MIN}")
        self._at = at + 2
        self._first = at - raw_bytes // 2

    def raw(self, offset: int, length: int) -> "npt.NDArray[np.uint8]":
        """``[groups, length]`` raw bytes of each group from ``offset`` on."""
        return self._octets[(self._starts + offset)[:, None] + np.arange(length)]

    def bases(self, table: "npt.NDArray[Any]") -> Integers:
        """Where the tables of these numbers lie. Raises ``corrupt`` for one without symbols."""
        base: Integers = self._tables.base[table]
        if (base < 0).any():
            first = int(np.asarray(table).ravel()[np.argmax(base < 0)])
            corrupt("table of frequencies is empty", first, "a table with symbols")
        return base

    def take(self, table: "npt.NDArray[Any]", chosen: Any = slice(None)) -> "npt.NDArray[np.int32]":
        """The next symbol of the chosen groups, each by the table of that number."""
        return self._step(self.bases(table), chosen)

    def field(self, table: "npt.NDArray[Any]", width: int) -> "npt.NDArray[np.int32]":
        """``[groups, width]``: the next ``width`` symbols of every group, each group by one table."""
        base = self.bases(table)
        out = np.zeros((width, self.count), np.int32)
        slots, symbols, words, last = self._tables.slots, self._tables.symbols, self._words, self._last
        state, at = self._state, self._at
        for i in range(width):
            k = base + (state & _SIZE - 1)
            out[i] = symbols[k]
            slot = slots[k]
            state = (slot >> 13) * (state >> _BITS) + (slot & 0x1FFF)
            short = state < STATE_MIN
            state = np.where(short, state << 16 | words[np.minimum(at, last)], state)
            at += short
        self._state, self._at = state, at
        return out.T

    def _step(self, base: Integers, chosen: Any) -> "npt.NDArray[np.int32]":
        state, at = self._state[chosen], self._at[chosen]
        k = base + (state & _SIZE - 1)
        slot = self._tables.slots[k]
        state = (slot >> 13) * (state >> _BITS) + (slot & 0x1FFF)
        short = state < STATE_MIN
        self._state[chosen] = np.where(short, state << 16 | self._words[np.minimum(at, self._last)], state)
        self._at[chosen] = at + short
        symbols: "npt.NDArray[np.int32]" = self._tables.symbols[k]
        return symbols

    def finish(self) -> None:
        """Raises ``corrupt`` unless every group has taken all its words and its coder is where it began."""
        bad = np.flatnonzero((self._at != self._end) | (self._state != STATE_MIN))
        if not len(bad):
            return
        i = int(bad[0])
        # Places are counted from the first of the four groups that the TypeScript reader decodes together.
        first = int(self._starts[i - i % 4]) // 2
        if self._at[i] != self._end[i]:
            corrupt("group does not end with its words", int(self._at[i]) - first, int(self._end[i]) - first)
        corrupt("coder of a group does not end where it began", int(self._state[i]), STATE_MIN)


@dataclass(frozen=True)
class FormReader:
    """What a form reads from its directory: numbers, then adaptive bits. ``room``: bytes that tables may take."""

    reader: ByteReader
    room: int

    def model(self) -> BitDecoder:
        return BitDecoder(self.reader.take("tables", self.reader.number("tables", len(self.reader.data))))


@dataclass(frozen=True)
class Directory:
    """``starts``: where each group starts in the block, and behind the last one where it ends."""

    form: Any
    rows_per_group: int
    starts: Integers


def read_directory(data: bytes, rows: int, room: int, open_form: Callable[[int, FormReader], Any]) -> Directory:
    """Reads the directory at the end of a block. Raises ``corrupt``."""
    size = len(data)
    if size < _TRAILER:
        corrupt("block has no room for its directory", size, _TRAILER)
    length = int.from_bytes(data[-_TRAILER:], "little")
    if not _TRAILER <= length <= size:
        corrupt("length of the directory", length, f"{_TRAILER} to {size}")
    reader = ByteReader(data[size - length : size - _TRAILER])
    form = reader.number("form of rows", _FORMS)
    rows_per_group = reader.number("rows of a group", rows)
    if rows_per_group == 0:
        corrupt("rows of a group", 0, "at least 1")
    groups = -(-rows // rows_per_group)
    if groups * (LEAST_GROUP + HASH_BYTES) > size:
        corrupt("block has no room for its groups", size, f"{groups} groups")
    least = 2 * reader.number("least length of a group", size)
    if least < LEAST_GROUP:
        corrupt("least length of a group", least, f"at least {LEAST_GROUP}")
    bits = reader.number("bits of a length", _MOST_LENGTH_BITS)
    opened = open_form(form, FormReader(reader, room))
    coded = reader.take("lengths of groups", len(reader.data) - reader.offset)
    lengths = least + 2 * np.array(_read_lengths(coded, groups, bits), np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    wanted = int(starts[-1]) + groups * HASH_BYTES + length
    if wanted != size:
        corrupt("block is not as long as its directory says", size, wanted)
    return Directory(opened, rows_per_group, starts)


def _read_lengths(data: bytes, groups: int, bits: int) -> List[int]:
    coder = BitDecoder(data)
    contexts = Contexts(_TREE + _MOST_LENGTH_BITS)
    more = []
    for _ in range(groups):
        node, value = 1, 0
        for i in range(bits - 1, -1, -1):
            bit = coder.bit(contexts, node if node < _TREE else _TREE + i)
            node = 2 * node + bit if node < _TREE else node
            value = 2 * value + bit
        more.append(value)
    coder.finish()
    return more


class SlotCoder:
    """What an encoder knows of its tables: for each symbol of each table its place in the coder.

    ``base``: where the symbols of each table start in ``lows`` and ``frequency``; ``bytes``: what the counted symbols
    take; ``filled``: tables with symbols.
    """

    def __init__(self, counts: Sequence[Integers]) -> None:
        self._levels = [levels_of(own) for own in counts]
        self.filled = sum(bool(own.any()) for own in self._levels)
        tables = [frequencies(weights_of(own), _SIZE) for own in self._levels]
        sizes = [len(own) for own in tables]
        self.base = np.cumsum([0, *sizes])[:-1].astype(np.int64)
        self.frequency = np.concatenate(tables)
        self.lows = np.concatenate([lows_of(own) for own in tables])
        cost = 0
        for own, of in zip(counts, tables):
            for count, f in zip(own[of > 0].tolist(), of[of > 0].tolist()):
                cost += count * (4096 * _BITS - _log2_of(f))
        self.bytes: float = cost / 8 / 4096

    def write(self, coder: BitEncoder) -> None:
        for levels in self._levels:
            write_levels(coder, levels)


@lru_cache(maxsize=8192)
def _log2_of(n: int) -> int:
    return fixed_log2(n)


def entropy_bits(counts: Integers) -> float:
    """The bits that symbols of these counts take by their own frequencies."""
    total = fixed_log2(int(counts.sum())) if counts.any() else 0
    bits: int = sum(count * (total - fixed_log2(count)) for count in counts.tolist() if count > 0)
    return bits / 4096


def directory_bytes(
    form: int,
    rows_per_group: int,
    numbers: Sequence[int],
    write_model: Optional[Callable[[BitEncoder], None]],
    coder: SlotCoder,
    lengths: Integers,
) -> bytes:
    """The directory of groups of these lengths, which are even."""
    model = BitEncoder()
    if write_model is not None:
        write_model(model)
    coder.write(model)
    model_bytes = model.finish()
    least, most = int(lengths.min()), int(lengths.max())
    bits = ((most - least) // 2).bit_length()
    coded = BitEncoder()
    contexts = Contexts(_TREE + _MOST_LENGTH_BITS)
    for more in ((lengths - least) // 2).tolist():
        node = 1
        for i in range(bits - 1, -1, -1):
            bit = more >> i & 1
            coded.bit(contexts, node if node < _TREE else _TREE + i, bit)
            node = 2 * node + bit if node < _TREE else node
    body = joined([form, rows_per_group, least // 2, bits, *numbers, len(model_bytes)], model_bytes, coded.finish())
    return body + (len(body) + _TRAILER).to_bytes(_TRAILER, "little")
