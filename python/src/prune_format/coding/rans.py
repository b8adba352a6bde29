"""rANS with static tables; see SPEC.md.

The symbols of a stream hang on each other, so one stream is decoded symbol by symbol. Streams that do not hang on each
other (blocks of matrices, chunks of symbols) are decoded side by side, one symbol of each at a time: then NumPy works
on as many numbers as there are streams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from .levels import Integers, lows_of

STATE_MIN = 2**15

#: Streams from which on they are decoded or encoded side by side. A step of NumPy takes as long as some 50 symbols.
SIDE_BY_SIDE = 48

Words = npt.NDArray[np.uint16]

_OFFSET_BITS = 13


def words_of(data: bytes, states: int) -> Words:
    """The words of a stream. Raises ``corrupt`` unless there is room for its states."""
    if len(data) % 2 or len(data) < 4 * states:
        corrupt("block has no room for its states", len(data), f"an even number, at least {4 * states}")
    return np.frombuffer(data, "<u2")


def state_at(words: Words, at: int) -> int:
    """A starting state. Raises ``corrupt`` outside of its range."""
    state = int(words[at]) << 16 | int(words[at + 1])
    if state >= 2**31:
        # JavaScript's integers have 32 bits.
        state -= 2**32
    if state < STATE_MIN:
        corrupt("coder starts outside its range", state, f"at least {STATE_MIN}")
    return state


def check_end(size: int, at: int, state: int) -> None:
    """The encoder began at the smallest state with no words: a decoder must arrive there."""
    if at != size:
        corrupt("block does not end with its words", at, size)
    if state != STATE_MIN:
        corrupt("coder does not end where it began", state, STATE_MIN)


@dataclass(frozen=True)
class SymbolTables:
    """Static distributions over 2^bits positions. Slot ``s`` of table ``t`` is at ``t * 2^bits + s``.

    ``slots``: frequency << 13 | how far the slot lies above the first of its symbol; ``symbols``: its symbol.
    """

    bits: int
    slots: Integers
    symbols: "npt.NDArray[np.int32]"

    @staticmethod
    def of(frequency: Sequence[Integers], bits: int, symbols: Optional["npt.NDArray[Any]"] = None) -> "SymbolTables":
        """Tables of frequencies that sum to 2^bits, or to 0. ``symbols``: the symbol of each frequency, else its
        place.
        """
        size = 2**bits
        slots = np.zeros((len(frequency), size), np.int64)
        names = np.zeros((len(frequency), size), np.int32)
        for t, own in enumerate(frequency):
            if not own.any():
                continue
            place = np.repeat(np.arange(len(own)), own)
            slots[t] = own[place] << _OFFSET_BITS | np.arange(size) - lows_of(own)[place]
            names[t] = place if symbols is None else symbols[place]
        return SymbolTables(bits, slots.ravel(), names.ravel())


@dataclass(frozen=True)
class Stream:
    """Coded symbols: their bytes, how many there are, and by which table each is coded, or all of them.

    ``even_first``: of two states, that of the even symbols is checked first at the end, not the one whose turn it is.
    """

    data: bytes
    count: int
    table: "int | npt.NDArray[Any]" = 0
    even_first: bool = False


def decode_streams(streams: Sequence[Stream], tables: SymbolTables, states: int) -> "npt.NDArray[np.int32]":
    """Returns the symbols of all streams, one stream after the other. Raises ``corrupt`` for the first damaged one."""
    if len(streams) >= SIDE_BY_SIDE:
        words = [words_of(stream.data, states) for stream in streams]
        for own in words:
            for i in range(states):
                state_at(own, 2 * i)
        decoded = _decode_side_by_side(streams, words, tables, states)
        if decoded is not None:
            return decoded
    slots, symbols = tables.slots.tolist(), tables.symbols.tolist()
    parts = [_decode_one(stream, slots, symbols, tables.bits, states) for stream in streams]
    return np.array([symbol for part in parts for symbol in part], np.int32)


def _decode_one(stream: Stream, slots: List[int], symbols: List[int], bits: int, states: int) -> List[int]:
    words = words_of(stream.data, states)
    now = state_at(words, 0)
    then = state_at(words, 2) if states == 2 else 0
    size = len(words)
    # A damaged stream may ask for words past its end: those are 0.
    word = words.tolist() + [0] * (stream.count + 1)
    at, mask, out = 2 * states, 2**bits - 1, [0] * stream.count
    offset_mask = 2**_OFFSET_BITS - 1
    bases = None if isinstance(stream.table, int) else (stream.table.astype(np.int64) << bits).tolist()
    base = stream.table << bits if isinstance(stream.table, int) else 0
    for i in range(stream.count):
        if bases is not None:
            base = bases[i]
        k = base + (now & mask)
        slot = slots[k]
        out[i] = symbols[k]
        now = (slot >> _OFFSET_BITS) * (now >> bits) + (slot & offset_mask)
        if now < STATE_MIN:
            now = now << 16 | word[at]
            at += 1
        if states == 2:
            now, then = then, now
    if stream.even_first and stream.count % 2:
        now, then = then, now
    check_end(size, at, now)
    if states == 2:
        check_end(size, at, then)
    return out


def _decode_side_by_side(
    streams: Sequence[Stream], words: Sequence[Words], tables: SymbolTables, states: int
) -> "Optional[npt.NDArray[np.int32]]":
    """All streams at once, longest first; ``None`` when one of them is damaged."""
    counts = np.array([stream.count for stream in streams], np.int64)
    order = np.argsort(-counts, kind="stable")
    sizes = np.array([len(own) for own in words], np.int64)
    most = int(counts.max(initial=0))
    word = np.concatenate([*words, np.zeros(most + 2, np.uint16)]).astype(np.int64)
    starts = (np.cumsum(sizes) - sizes)[order]
    first = (np.cumsum(counts) - counts)[order]
    at = starts + 2 * states
    state = [word[starts + 2 * i] << 16 | word[starts + 2 * i + 1] for i in range(states)]
    bits, mask, offset_mask = tables.bits, 2**tables.bits - 1, 2**_OFFSET_BITS - 1
    bases: Optional[Integers] = None
    base: Integers = np.zeros(len(streams), np.int64)
    if all(isinstance(stream.table, int) for stream in streams):
        base = (np.array([stream.table for stream in streams], np.int64) << bits)[order]
    else:
        bases = np.concatenate([np.broadcast_to(stream.table, stream.count) for stream in streams]).astype(np.int64)
        bases <<= bits
    out = np.zeros(int(counts.sum()), np.int32)
    active = np.searchsorted(-counts[order], -np.arange(most), side="left")
    slots, symbols = tables.slots, tables.symbols
    for i in range(most):
        n = int(active[i])
        own = state[i % states]
        x = own[:n]
        place = first[:n] + i
        k = (base[:n] if bases is None else bases[place]) + (x & mask)
        slot = slots[k]
        out[place] = symbols[k]
        x = (slot >> _OFFSET_BITS) * (x >> bits) + (slot & offset_mask)
        short = x < STATE_MIN
        a = at[:n]
        own[:n] = np.where(short, x << 16 | word[a], x)
        a += short
    ends = (starts + sizes[order] == at).all() and all((own == STATE_MIN).all() for own in state)
    return out if ends else None


def encode_streams(
    lows: "npt.NDArray[Any]", frequency: "npt.NDArray[Any]", counts: Sequence[int], bits: int, states: int
) -> List[bytes]:
    """Codes symbols, given by the low and the frequency of each, in streams of ``counts`` symbols one after the
    other.
    """
    if len(counts) < SIDE_BY_SIDE:
        streams, at = [], 0
        for count in counts:
            end = at + count
            streams.append(_encode_one(lows[at:end].tolist(), frequency[at:end].tolist(), bits, states))
            at = end
        return streams
    return _encode_side_by_side(lows, frequency, np.array(counts, np.int64), bits, states)


def _encode_one(lows: List[int], frequency: List[int], bits: int, states: int) -> bytes:
    state = [STATE_MIN] * states
    words: List[int] = []
    limit = 31 - bits
    for i in range(len(lows) - 1, -1, -1):
        f = frequency[i]
        x = state[i % states]
        if x >= f << limit:
            words.append(x & 0xFFFF)
            x >>= 16
        state[i % states] = (x // f << bits) + x % f + lows[i]
    for x in reversed(state):
        words += [x & 0xFFFF, x >> 16]
    return np.array(words[::-1], "<u2").tobytes()


def _encode_side_by_side(
    lows: "npt.NDArray[Any]", frequency: "npt.NDArray[Any]", counts: Integers, bits: int, states: int
) -> List[bytes]:
    order = np.argsort(-counts, kind="stable")
    sorted_counts = counts[order]
    last = (np.cumsum(counts) - 1)[order]
    most = int(sorted_counts[0])
    state = np.full((states, len(counts)), STATE_MIN, np.int64)
    words = np.zeros((len(counts), most), np.uint16)
    taken = np.zeros(len(counts), np.int64)
    lane = np.arange(len(counts))
    active = np.searchsorted(-sorted_counts, -np.arange(most), side="left")
    limit = 31 - bits
    for t in range(most):
        n = int(active[t])
        place = last[:n] - t
        f = frequency[place].astype(np.int64)
        which = (sorted_counts[:n] - 1 - t) % states
        x = state[which, lane[:n]]
        full = x >= f << limit
        # Written again by the next word where the state is not full.
        words[lane[:n], taken[:n]] = x & 0xFFFF
        taken[:n] += full
        x = np.where(full, x >> 16, x)
        whole = x // f
        state[which, lane[:n]] = (whole << bits) + (x - whole * f) + lows[place]
    streams: List[bytes] = [b""] * len(counts)
    heads = np.stack([state >> 16, state & 0xFFFF], axis=-1).astype("<u2")
    for i, stream in enumerate(order.tolist()):
        body = words[i, : taken[i]][::-1].astype("<u2")
        streams[stream] = heads[:, i].tobytes() + body.tobytes()
    return streams


__all__: Tuple[str, ...] = (
    "STATE_MIN",
    "Stream",
    "SymbolTables",
    "check_end",
    "decode_streams",
    "encode_streams",
    "state_at",
    "words_of",
)
