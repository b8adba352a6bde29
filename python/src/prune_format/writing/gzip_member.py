"""One gzip member of several segments."""

from __future__ import annotations

import struct
import zlib
from typing import Sequence


def gzip_member(segments: Sequence[bytes], level: int = 9) -> bytes:
    """Returns one gzip member (RFC 1952, no name, time 0) of the segments, end to end."""
    data = b"".join(segments)
    deflater = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = deflater.compress(data) + deflater.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", zlib.crc32(data), len(data) % 2**32)
