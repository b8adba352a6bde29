"""gzip members, with their length known before anything is unpacked."""

from __future__ import annotations

import zlib
from typing import Optional

from .errors import PruneError
from .limits import MAX_EXPANSION


def gunzip(data: bytes, *, limit: int, length: Optional[int] = None) -> bytes:
    """Returns the data of one gzip member: ``length`` bytes or, left out, as many as its trailer says.

    Raises ``limit`` for more than ``limit`` bytes, and ``corrupt`` for bytes that are not such a member, before memory
    is taken that the input cannot fill.
    """
    if len(data) < 18:
        raise PruneError("corrupt", "gzip data is too short", len(data))
    if data[:4] != b"\x1f\x8b\x08\x00":
        # Without zeros at its start, as JavaScript writes a number.
        raise PruneError("corrupt", "not a plain gzip header", f"0x{int.from_bytes(data[:4], 'big'):x}")
    declared = int.from_bytes(data[-4:], "little")
    wanted = declared if length is None else length
    if wanted % 2**32 != declared:
        raise PruneError("corrupt", "gzip data has the wrong length", declared, wanted)
    if wanted > limit:
        raise PruneError("limit", "gzip data is too long", wanted, limit)
    if wanted > MAX_EXPANSION * len(data):
        raise PruneError("corrupt", "gzip data cannot be that long", wanted, len(data))
    unpacked = _inflate(data[10:-8], wanted)
    crc, stored = zlib.crc32(unpacked), int.from_bytes(data[-8:-4], "little")
    if crc != stored:
        raise PruneError("corrupt", "CRC-32 of the decompressed data", crc, stored)
    return unpacked


def _inflate(data: bytes, length: int) -> bytes:
    inflater = zlib.decompressobj(-15)
    try:
        # One byte more than wanted tells too much from enough; whether it is the last is found only by asking on.
        unpacked = inflater.decompress(data, length + 1)
        more = inflater.decompress(inflater.unconsumed_tail, 1) if len(unpacked) > length else b""
    except zlib.error as error:
        raise PruneError("corrupt", f"bad DEFLATE data: {str(error).split(': ', 1)[-1]}") from error
    if more:
        raise PruneError("corrupt", f"bad DEFLATE data: Cannot create a Buffer larger than {length + 1} bytes")
    if not inflater.eof:
        raise PruneError("corrupt", "bad DEFLATE data: unexpected end of file")
    if len(unpacked) != length:
        raise PruneError("corrupt", "decompressed length", len(unpacked), length)
    return unpacked
