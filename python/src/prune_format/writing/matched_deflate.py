"""DEFLATE with matches: the same bytes as fflate 0.8.3 makes (MIT licence, Arjun Barrett), which the TypeScript
writer uses.
"""

from __future__ import annotations

import math
from typing import Any, List, Sequence, Tuple

import numpy as np

from .bit_writer import BitWriter, reversed_codes

#: For each level: how long a match is good enough, and how many are tried.
_EFFORT = [65540, 131080, 131088, 131104, 262176, 1048704, 1048832, 2114560, 2117632]
_LENGTH_EXTRA = [0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0] * 4
_DISTANCE_EXTRA = [0] * 4 + [n for n in range(1, 14) for _ in range(2)] + [0, 0]
_HEADER_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
_FIXED_LITERALS = [8] * 144 + [9] * 112 + [7] * 24 + [8] * 8
_FIXED_DISTANCES = [5] * 32


def _codes_of(extra: Sequence[int], first: int, count: int, most: int) -> List[Tuple[int, int]]:
    """For each length or distance its code, and what is above the code's least."""
    codes = [(0, 0)] * (most + 1)
    base = first
    for code in range(count):
        for n in range(base, min(base + (1 << extra[code]), most + 1)):
            codes[n] = (code, n - base)
        base += 1 << extra[code]
    return codes


_LENGTH_CODES = _codes_of(_LENGTH_EXTRA, 3, 28, 258)
_LENGTH_CODES[258] = (28, 0)
_DISTANCE_CODES = _codes_of(_DISTANCE_EXTRA, 1, 30, 32768)

#: A literal, or a match: the code of its length and what is above that, the same of its distance.
_Symbol = Tuple[int, ...]


def matched_deflate(data: bytes, level: int) -> bytes:
    """Returns raw DEFLATE of ``data``."""
    return _Deflater(data, level).run()


class _Deflater:
    def __init__(self, data: bytes, level: int) -> None:
        self._data = data
        self._nice, self._chain = divmod(_EFFORT[level - 1], 8192)
        self._out = BitWriter()
        self._start_block()

    def _start_block(self) -> None:
        self._symbols: List[_Symbol] = []
        self._literals = [0] * 288
        self._distances = [0] * 32
        self._extra = 0
        self._matches = 0

    def run(self) -> bytes:
        data, size = self._data, len(self._data)
        level_bits = math.ceil(max(8, min(13, math.log(size) if size else -math.inf)) * 1.5)
        mask = (1 << level_bits) - 1
        shift = -(-level_bits // 3)
        hashes = self._hashes(shift, mask)
        prev, head = [0] * 32768, [0] * (mask + 1)
        waiting = block = 0
        for i in range(size - 2):
            own = hashes[i]
            place = i & 32767
            before = head[own]
            prev[place] = before
            head[own] = place
            if waiting > i:
                continue
            left = size - i
            if (self._matches > 7000 or len(self._symbols) > 24576) and left > 423:
                self._write_block(False, block, i)
                self._start_block()
                block = i
            distance = place - before & 32767
            length = found = 0
            if own == hashes[i - distance]:
                length, found = self._search(i, distance, place, before, prev)
            if found:
                code, more = _LENGTH_CODES[length]
                distance_code, distance_more = _DISTANCE_CODES[found]
                self._symbols.append((code, more, distance_code, distance_more))
                self._extra += _LENGTH_EXTRA[code] + _DISTANCE_EXTRA[distance_code]
                self._literals[257 + code] += 1
                self._distances[distance_code] += 1
                waiting = i + length
                self._matches += 1
            else:
                self._symbols.append((data[i],))
                self._literals[data[i]] += 1
        for byte in data[max(size - 2, waiting, 0) :]:
            self._symbols.append((byte,))
            self._literals[byte] += 1
        self._write_block(True, block, size)
        self._out.align()
        return bytes(self._out.data)

    def _hashes(self, shift: int, mask: int) -> List[int]:
        if len(self._data) < 3:
            return []
        octets = np.frombuffer(self._data, np.uint8).astype(np.int64)
        hashes: List[int] = ((octets[:-2] ^ octets[1:-1] << shift ^ octets[2:] << 2 * shift) & mask).tolist()
        return hashes

    def _search(self, i: int, distance: int, place: int, before: int, prev: List[int]) -> Tuple[int, int]:
        """The longest match, and how far back it is; 0 for none."""
        data, size = self._data, len(self._data)
        left = size - i
        good = min(self._nice, left) - 1
        furthest, most = min(32767, i), min(258, left)
        length, found, chain = 2, 0, self._chain
        while distance <= furthest:
            chain -= 1
            if not chain or place == before:
                break
            start = i - distance
            # A match may run into what it makes, so it is compared with the data itself.
            if i + length < size and data[i + length] == data[start + length]:
                own = 0
                # Sixteen bytes at a time, which matters for runs.
                while own + 16 <= most and data[i + own : i + own + 16] == data[start + own : start + own + 16]:
                    own += 16
                while own < most and data[i + own] == data[start + own]:
                    own += 1
                if own > length:
                    length, found = own, distance
                    if own > good:
                        break
                    # The rarest pair of bytes within this match is searched for, not its start.
                    widest = 0
                    for j in range(min(distance, own - 2)):
                        at = i - distance + j & 32767
                        way = at - prev[at] & 32767
                        if way > widest:
                            widest, before = way, at
            place = before
            before = prev[place]
            distance += place - before & 32767
        return length, found

    def _write_block(self, is_last: bool, start: int, end: int) -> None:
        out = self._out
        out.put(int(is_last), 1)
        self._literals[256] += 1
        literal_lengths = _tree_lengths(self._literals, 15)
        distance_lengths = _tree_lengths(self._distances, 15)
        literal_header, distance_header = _packed(literal_lengths), _packed(distance_lengths)
        header = literal_header + distance_header
        header_counts = [0] * 19
        for code, _, _ in header:
            header_counts[code] += 1
        header_lengths = _tree_lengths(header_counts, 7)
        header_lengths += [0] * (19 - len(header_lengths))
        header_count = 19
        while header_count > 4 and not header_lengths[_HEADER_ORDER[header_count - 1]]:
            header_count -= 1
        size = end - start
        stored = size + 5 << 3
        fixed = _cost(self._literals, _FIXED_LITERALS) + _cost(self._distances, _FIXED_DISTANCES) + self._extra
        dynamic = _cost(self._literals, literal_lengths) + _cost(self._distances, distance_lengths) + self._extra
        dynamic += 14 + 3 * header_count + _cost(header_counts, header_lengths)
        dynamic += 2 * header_counts[16] + 3 * header_counts[17] + 7 * header_counts[18]
        if stored <= fixed and stored <= dynamic:
            out.put(0, 2)
            out.align()
            # fflate keeps the low 16 bits of a length; blocks are shorter than that.
            out.data += bytes([size & 255, size >> 8 & 255, ~size & 255, ~(size >> 8) & 255])
            out.data += self._data[start:end]
            return
        if dynamic < fixed:
            out.put(2, 2)
            out.put(_count(literal_lengths) - 257, 5)
            out.put(_count(distance_lengths) - 1, 5)
            out.put(header_count - 4, 4)
            for symbol in _HEADER_ORDER[:header_count]:
                out.put(header_lengths[symbol], 3)
            codes = reversed_codes(np.array(header_lengths))
            for code, more, bits in header:
                out.put(int(codes[code]), header_lengths[code])
                out.put(more, bits)
        else:
            out.put(1, 2)
            literal_lengths, distance_lengths = _FIXED_LITERALS, _FIXED_DISTANCES
        self._write_symbols(literal_lengths, distance_lengths)

    def _write_symbols(self, literal_lengths: List[int], distance_lengths: List[int]) -> None:
        literals = reversed_codes(np.array(literal_lengths)).tolist()
        distances = reversed_codes(np.array(distance_lengths, np.int64)).tolist()
        codes: List[int] = []
        lengths: List[int] = []
        for symbol in self._symbols:
            if len(symbol) == 1:
                codes.append(literals[symbol[0]])
                lengths.append(literal_lengths[symbol[0]])
                continue
            code, more, distance, distance_more = symbol
            codes += [literals[257 + code], more, distances[distance], distance_more]
            lengths += [literal_lengths[257 + code], _LENGTH_EXTRA[code]]
            lengths += [distance_lengths[distance], _DISTANCE_EXTRA[distance]]
        self._out.put_all(np.array(codes, np.int64), np.array(lengths, np.int64))
        self._out.put(literals[256], literal_lengths[256])


def _cost(counts: Sequence[int], lengths: Sequence[int]) -> int:
    return sum(count * length for count, length in zip(counts, lengths))


def _count(lengths: Sequence[int]) -> int:
    """The lengths up to the last one that is not 0, at least one."""
    count = len(lengths)
    while count > 1 and not lengths[count - 1]:
        count -= 1
    return max(count, 1)


def _packed(lengths: List[int]) -> List[Tuple[int, int, int]]:
    """RFC 1951, 3.2.7, as fflate packs them: a code length symbol, its extra bits and their number."""
    own = lengths[: _count(lengths)] or [0]
    packed: List[Tuple[int, int, int]] = []
    i = 0
    while i < len(own):
        length, run = own[i], 1
        while i + run < len(own) and own[i + run] == length:
            run += 1
        i += run
        if length == 0 and run > 2:
            while run > 138:
                packed.append((18, 127, 7))
                run -= 138
            if run > 2:
                packed.append((18, run - 11, 7) if run > 10 else (17, run - 3, 3))
                run = 0
        elif length != 0 and run > 3:
            packed.append((length, 0, 0))
            run -= 1
            while run > 6:
                packed.append((16, 3, 2))
                run -= 6
            if run > 2:
                packed.append((16, run - 3, 2))
                run = 0
        packed += [(length, 0, 0)] * run
    return packed


def _tree_lengths(counts: Sequence[int], longest: int) -> List[int]:
    """The lengths of a Huffman code as fflate builds it, up to the last symbol that occurs."""
    used = [symbol for symbol, count in enumerate(counts) if count]
    if not used:
        return []
    lengths = [0] * (used[-1] + 1)
    if len(used) == 1:
        lengths[used[0]] = 1
        return lengths
    # A node: its count, and a symbol or a pair of nodes.
    nodes: List[Tuple[int, Any]] = [(counts[symbol], symbol) for symbol in sorted(used, key=lambda s: counts[s])]
    # Larger than any sum of counts of a block.
    nodes.append((25001, -1))
    total = len(used)
    low, high = nodes[0], nodes[1]
    nodes[0] = (low[0] + high[0], (low, high))
    behind, made, ahead = 0, 1, 2
    while made != total - 1:
        if nodes[behind][0] < nodes[ahead][0]:
            low = nodes[behind]
            behind += 1
        else:
            low = nodes[ahead]
            ahead += 1
        if behind != made and nodes[behind][0] < nodes[ahead][0]:
            high = nodes[behind]
            behind += 1
        else:
            high = nodes[ahead]
            ahead += 1
        nodes[made] = (low[0] + high[0], (low, high))
        made += 1
    most = 0
    stack: List[Tuple[Tuple[int, Any], int]] = [(nodes[made - 1], 0)]
    while stack:
        (_, content), depth = stack.pop()
        if isinstance(content, tuple):
            stack += [(content[0], depth + 1), (content[1], depth + 1)]
        else:
            lengths[content] = depth
            most = max(most, depth)
    if most > longest:
        _limit(lengths, counts, used, most, longest)
    return lengths


def _limit(lengths: List[int], counts: Sequence[int], used: List[int], most: int, longest: int) -> None:
    """Shortens codes that are too long, and lengthens others for what that takes."""
    over = most - longest
    ordered = sorted(used, key=lambda symbol: (-lengths[symbol], counts[symbol]))
    debt = i = 0
    while i < len(ordered) and lengths[ordered[i]] > longest:
        debt += (1 << over) - (1 << most - lengths[ordered[i]])
        lengths[ordered[i]] = longest
        i += 1
    debt >>= over
    while debt > 0:
        symbol = ordered[i]
        if lengths[symbol] < longest:
            debt -= 1 << longest - lengths[symbol] - 1
            lengths[symbol] += 1
        else:
            i += 1
    while i >= 0 and debt:
        symbol = ordered[i]
        if lengths[symbol] == longest:
            lengths[symbol] -= 1
            debt += 1
        i -= 1
