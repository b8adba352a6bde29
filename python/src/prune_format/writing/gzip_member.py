"""One gzip member of several segments, with the bytes that the TypeScript writer makes."""

from __future__ import annotations

import struct
import zlib
from typing import Sequence, Tuple

import numpy as np

from .literal_deflate import STEP, LiteralDeflater, literal_deflate_size
from .matched_deflate import matched_deflate

#: What the TypeScript writer codes at a time; the search for block borders grows coarser past the first.
_PIECE = 2**20
_COARSE_STEP = 2**16
#: Two spots of each segment tell repeats from noise.
_SAMPLE = 2**13
_MOST_MATCHED = 2**24
#: Matches must pay.
_WORTHWHILE = 0.97
#: Bytes past which zlib searches for matches: in Python that takes some 10 microseconds a byte.
_MOST_EXACT = 2**20


def gzip_member(segments: Sequence[bytes], level: int = 9) -> bytes:
    """Returns one gzip member (RFC 1952, no name, time 0) of the segments, end to end; see :func:`gzip_segments`."""
    return gzip_segments(segments, level)[0]


def gzip_segments(segments: Sequence[bytes], level: int = 9) -> Tuple[bytes, Tuple[int, ...]]:
    """Returns one gzip member of the segments, and the whole bytes that each takes for itself, 0 where they share all.

    Literals alone or with matches, by a sample of the data. Where matches pay and there is more than a mebibyte, zlib
    finds them: the content is the same, the bytes are not those of the TypeScript writer.
    """
    data = b"".join(segments)
    trailer = struct.pack("<II", zlib.crc32(data), len(data) % 2**32)
    if len(data) > _MOST_MATCHED or not _repeats(segments, level):
        deflater = LiteralDeflater()
        sizes = []
        for segment in segments:
            step = _COARSE_STEP if len(segment) > _PIECE else STEP
            pieces = range(0, len(segment), _PIECE)
            sizes.append(sum(deflater.segment(segment[at : at + _PIECE], step) for at in pieces))
        return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + deflater.finish() + trailer, tuple(sizes)
    together = (0,) * len(segments)
    head = b"\x1f\x8b\x08\0\0\0\0\0" + bytes([4 if level < 2 else 2 if level == 9 else 0, 3])
    if len(data) <= _MOST_EXACT:
        return head + matched_deflate(data, level) + trailer, together
    deflater_of_zlib = zlib.compressobj(level, zlib.DEFLATED, -15)
    return head + deflater_of_zlib.compress(data) + deflater_of_zlib.flush() + trailer, together


def _repeats(segments: Sequence[bytes], level: int) -> bool:
    matched_size = literal_size = 0.0
    for segment in segments:
        length = len(segment)
        is_short = length <= 2 * _SAMPLE
        spots = [0] if is_short else [0, (length - _SAMPLE) >> 1]
        size = length if is_short else _SAMPLE
        # Every spot stands for its share of the segment.
        weight = 0.0 if size == 0 else length / (size * len(spots))
        for spot in spots:
            sample = segment[spot : spot + size]
            literal = literal_deflate_size(sample)
            literal_size += weight * literal
            # Where repeats are too few to gain what is wanted, they are not searched for.
            worth_trying = _repeated_share(sample) > 1 - _WORTHWHILE
            matched_size += weight * (len(matched_deflate(sample, level)) if worth_trying else literal)
    return matched_size < _WORTHWHILE * literal_size


def _repeated_share(data: bytes) -> float:
    """The share of bytes in strings of at least four bytes that occur before, runs of one byte not counted."""
    size = len(data)
    if size < 4:
        return 0.0
    octets = np.frombuffer(data, np.uint8).astype(np.int64)
    fours = octets[:-3] | octets[1:-2] << 8 | octets[2:-1] << 16 | octets[3:] << 24
    # Knuth's multiplicative hash, 2^32 over the golden ratio.
    hashes = ((fours * 0x9E3779B1 & 0xFFFFFFFF) >> 20).tolist()
    four = fours.tolist()
    last = [-1] * 4096
    repeated = at = 0
    while at + 4 <= size:
        own = hashes[at]
        before = last[own]
        last[own] = at
        if before < 0 or before == at - 1 or four[before] != four[at]:
            at += 1
            continue
        length = 4
        while at + length < size and data[before + length] == data[at + length]:
            length += 1
        repeated += length
        at += length
    return repeated / size
