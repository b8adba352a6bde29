"""DEFLATE of data that has no repeats worth pointing at: literals under adaptive Huffman codes, and runs of one byte.

The same bytes as ``literal-deflate.ts`` of @prune/msgpack-store makes, which says why it is not zlib.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, List, Tuple

import numpy as np
import numpy.typing as npt

from .bit_writer import BitWriter, reversed_codes

Integers = npt.NDArray[np.int64]

_END = 256
_LITERALS = 286
_SHORTEST_RUN = 8
_LONGEST_RUN = 258
STEP = 8192
_LARGEST_BLOCK = 2**20
_LARGEST_STORED = 65535
_HEADER_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
_PACKED_BITS = [2, 3, 7]


def _run_symbol(run: int) -> int:
    """RFC 1951, 3.2.5: the code of a length, 257 to 285."""
    if run == _LONGEST_RUN:
        return 285
    n = run - 3
    if n < 8:
        return 257 + n
    extra = n.bit_length() - 3
    return 257 + 4 * extra + (n >> extra)


def _run_extra(symbol: int) -> int:
    return 0 if symbol < 265 or symbol == 285 else symbol - 261 >> 2


#: For each token the symbol that codes it, and its extra bits: 0..255 a literal, 256 + n the byte before, n + 3 times.
_SYMBOL_OF = np.array([*range(_END), *(_run_symbol(n) for n in range(3, _LONGEST_RUN + 1))], np.int64)
_EXTRA_OF = np.array([0] * _END + [_run_extra(int(s)) for s in _SYMBOL_OF[_END:]], np.int64)


@dataclass(frozen=True)
class _Plan:
    lengths: Integers
    header: Tuple[Tuple[int, int], ...]
    header_lengths: Integers
    header_count: int
    literal_count: int
    bits: int


@dataclass(frozen=True)
class _Block:
    start: int
    end: int
    first: int
    last: int
    counts: Integers
    runs: int
    extra: int
    plan: _Plan
    stored_bits: int

    @property
    def cost(self) -> int:
        return min(self.plan.bits, self.stored_bits)


class LiteralDeflater:
    """A stream being written: each segment is coded in blocks of its own."""

    def __init__(self) -> None:
        self._out = BitWriter()

    def segment(self, data: bytes, step: int = STEP) -> int:
        """Codes a segment, and returns how many whole bytes are ready more than before."""
        tokens, before = _tokens_of(data), len(self._out.data)
        for block in _blocks_of(tokens, step):
            if block.stored_bits <= block.plan.bits:
                _write_stored(self._out, data[block.start : block.end])
            else:
                _write_dynamic(self._out, block, tokens)
        return len(self._out.data) - before

    def finish(self) -> bytes:
        # An empty block of fixed codes, marked as the last.
        self._out.put(0b011, 10)
        self._out.align()
        return bytes(self._out.data)


def literal_deflate_size(data: bytes) -> int:
    """The bytes that a segment would take, up to the stream's end."""
    return sum(block.cost for block in _blocks_of(_tokens_of(data), STEP)) + 7 >> 3


def _tokens_of(data: bytes) -> Integers:
    """A run's first byte is a literal; what repeats it are runs of 8 to 258, and literals for a rest below 8."""
    octets = np.frombuffer(data, np.uint8).astype(np.int64)
    if len(octets) == 0:
        return octets
    starts = np.flatnonzero(np.diff(octets, prepend=-1))
    lengths = np.diff(np.append(starts, len(octets)))
    long = np.flatnonzero(lengths > _SHORTEST_RUN)
    if not len(long):
        return octets
    parts: List[Any] = []
    at = 0
    for i in long.tolist():
        start, rest = int(starts[i]), int(lengths[i]) - 1
        parts.append(octets[at : start + 1])
        runs = []
        while rest >= _SHORTEST_RUN:
            runs.append(_END + min(rest, _LONGEST_RUN) - 3)
            rest -= min(rest, _LONGEST_RUN)
        parts.append(np.array(runs, np.int64))
        at = start + int(lengths[i]) - rest
    parts.append(octets[at:])
    return np.concatenate(parts)


def _blocks_of(tokens: Integers, step: int) -> Iterator[_Block]:
    """Splits greedily: a step joins the block before it when one code for both is no longer than two."""
    block = None
    for following in _steps_of(tokens, step):
        if block is None:
            block = following
            continue
        if following.last - block.first <= _LARGEST_BLOCK:
            joined = _joined(block, following)
            if joined.cost <= block.cost + following.cost:
                block = joined
                continue
        yield block
        block = following
    if block is not None:
        yield block


def _steps_of(tokens: Integers, step: int) -> Iterator[_Block]:
    at = 0
    for first in range(0, len(tokens), step):
        own = tokens[first : first + step]
        is_run = own >= _END
        end = at + len(own) + int((own[is_run] - _END + 2).sum())
        counts = np.bincount(_SYMBOL_OF[own], minlength=_LITERALS)
        counts[_END] = 1
        yield _block(at, end, first, first + len(own), counts, int(is_run.sum()), int(_EXTRA_OF[own].sum()))
        at = end


def _joined(a: _Block, b: _Block) -> _Block:
    counts = a.counts + b.counts
    counts[_END] = 1
    return _block(a.start, b.end, a.first, b.last, counts, a.runs + b.runs, a.extra + b.extra)


def _block(start: int, end: int, first: int, last: int, counts: Integers, runs: int, extra: int) -> _Block:
    stored = -(-(end - start) // _LARGEST_STORED) * 42 + 8 * (end - start)
    return _Block(start, end, first, last, counts, runs, extra, _plan_of(counts, runs, extra), stored)


def _plan_of(counts: Integers, runs: int, extra: int) -> _Plan:
    lengths = code_lengths(counts, 15)
    literal_count = int(np.flatnonzero(lengths)[-1]) + 1
    # The one distance that occurs is 1, its code one bit; without runs, a distance code of no bits.
    header = _pack_lengths([*lengths[:literal_count].tolist(), int(runs > 0)])
    header_counts = np.bincount([symbol for symbol, _ in header], minlength=19)
    header_lengths = code_lengths(header_counts, 7)
    header_count = 19
    while header_lengths[_HEADER_ORDER[header_count - 1]] == 0:
        header_count -= 1
    bits = 17 + 3 * header_count + extra + runs + int((header_counts * header_lengths).sum())
    bits += sum(int(header_counts[16 + i]) * own for i, own in enumerate(_PACKED_BITS))
    bits += int((counts[:literal_count] * lengths[:literal_count]).sum())
    return _Plan(lengths, tuple(header), header_lengths, header_count, literal_count, bits)


def _pack_lengths(lengths: List[int]) -> List[Tuple[int, int]]:
    """RFC 1951, 3.2.7: pairs of a code length symbol and its extra bits."""
    packed: List[Tuple[int, int]] = []
    i = 0
    while i < len(lengths):
        length, run = lengths[i], 1
        while i + run < len(lengths) and lengths[i + run] == length:
            run += 1
        i += run
        if length == 0:
            while run > 10:
                packed.append((18, min(run, 138) - 11))
                run -= min(run, 138)
            if run > 2:
                packed.append((17, run - 3))
                run = 0
        else:
            packed.append((length, 0))
            run -= 1
            while run > 2:
                packed.append((16, min(run, 6) - 3))
                run -= min(run, 6)
        packed += [(length, 0)] * run
    return packed


def _write_stored(out: BitWriter, data: bytes) -> None:
    for at in range(0, len(data), _LARGEST_STORED):
        part = data[at : at + _LARGEST_STORED]
        out.put(0, 3)
        out.align()
        out.data += len(part).to_bytes(2, "little") + (len(part) ^ 0xFFFF).to_bytes(2, "little") + part


def _write_dynamic(out: BitWriter, block: _Block, tokens: Integers) -> None:
    plan = block.plan
    out.put(0b100, 3)
    out.put(plan.literal_count - 257, 5)
    out.put(0, 5)
    out.put(plan.header_count - 4, 4)
    for symbol in _HEADER_ORDER[: plan.header_count]:
        out.put(int(plan.header_lengths[symbol]), 3)
    header_codes = reversed_codes(plan.header_lengths)
    for symbol, more in plan.header:
        out.put(int(header_codes[symbol]), int(plan.header_lengths[symbol]))
        if symbol > 15:
            out.put(more, _PACKED_BITS[symbol - 16])
    codes = reversed_codes(plan.lengths)
    # For each token its bits, a run's with its extra bits and the distance's one, and how many they are.
    token = np.arange(len(_SYMBOL_OF))
    own = plan.lengths[_SYMBOL_OF]
    is_run = token >= _END
    more_bits = np.where(is_run, (token - _END) & (1 << _EXTRA_OF) - 1, 0)
    token_codes = codes[_SYMBOL_OF] | more_bits << own
    token_lengths = own + _EXTRA_OF + is_run
    chosen = tokens[block.first : block.last]
    out.put_all(token_codes[chosen], token_lengths[chosen])
    out.put(int(codes[_END]), int(plan.lengths[_END]))


def code_lengths(counts: Integers, longest: int) -> Integers:
    """The lengths of a Huffman code, none longer than ``longest`` bits; 0 for a symbol that does not occur.

    In-place algorithm: A. Moffat, J. Katajainen, "In-place calculation of minimum-redundancy codes" (1995).
    """
    lengths = np.zeros(len(counts), np.int64)
    used = np.flatnonzero(counts)
    ordered = used[np.argsort(counts[used], kind="stable")]
    if len(ordered) < 2:
        lengths[ordered] = 1
        return lengths
    per_length = _limited(_minimum_redundancy(counts[ordered].tolist()), longest)
    i = 0
    for length in range(longest, 0, -1):
        lengths[ordered[i : i + per_length[length]]] = length
        i += per_length[length]
    return lengths


def _minimum_redundancy(a: List[int]) -> List[int]:
    """How many codes there are of each length, of ascending counts."""
    n = len(a)
    a[0] += a[1]
    root, leaf = 0, 2
    for following in range(1, n - 1):
        if leaf >= n or a[root] < a[leaf]:
            a[following] = a[root]
            a[root] = following
            root += 1
        else:
            a[following] = a[leaf]
            leaf += 1
        if leaf >= n or (root < following and a[root] < a[leaf]):
            a[following] += a[root]
            a[root] = following
            root += 1
        else:
            a[following] += a[leaf]
            leaf += 1
    a[n - 2] = 0
    for following in range(n - 3, -1, -1):
        a[following] = a[a[following]] + 1
    per_length = [0] * 64
    available, depth, root = 1, 0, n - 2
    while available > 0:
        inner = 0
        while root >= 0 and a[root] == depth:
            inner += 1
            root -= 1
        per_length[depth] = available - inner
        available = 2 * inner
        depth += 1
    return per_length


def _limited(per_length: List[int], longest: int) -> List[int]:
    """Moves codes that are too long up, and pays for them by lengthening the cheapest others."""
    for length in range(len(per_length) - 1, longest, -1):
        per_length[longest] += per_length[length]
        per_length[length] = 0
    total = sum(per_length[length] << longest - length for length in range(1, longest + 1))
    while total > 1 << longest:
        per_length[longest] -= 1
        length = longest - 1
        while per_length[length] == 0:
            length -= 1
        per_length[length] -= 1
        per_length[length + 1] += 2
        total -= 1
    return per_length
