"""Numbers of seven bits a byte, and how a stream is read."""

from __future__ import annotations

from typing import Iterable, List

from ..errors import corrupt


def number_bytes(value: int) -> bytes:
    """Returns an unsigned LEB128 number: seven bits a byte, low bits first."""
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def joined(head: Iterable[int], *parts: bytes) -> bytes:
    """Returns parts end to end, after ``head`` as numbers."""
    return b"".join((*map(number_bytes, head), *parts))


class ByteReader:
    """Reads a stream and keeps its place. Every read is checked against the end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.offset = 0

    def byte(self) -> int:
        if self.offset >= len(self.data):
            corrupt("stream ends in its header", len(self.data), "more bytes")
        self.offset += 1
        return self.data[self.offset - 1]

    def number(self, what: str, most: int) -> int:
        """A number of at most ``most``; ``what`` names it in the error."""
        value = shift = 0
        while True:
            byte = self.byte()
            value += (byte & 127) << shift
            if value > most:
                corrupt(f"{what} is too large", value, f"at most {most}")
            if byte < 128:
                return value
            shift += 7

    def take(self, what: str, length: int) -> bytes:
        left = len(self.data) - self.offset
        if length > left:
            corrupt(f"{what} runs past the end", left, f"{length} bytes")
        self.offset += length
        return self.data[self.offset - length : self.offset]

    def check_end(self, what: str) -> None:
        if self.offset != len(self.data):
            corrupt(f"bytes after the {what}", len(self.data), self.offset)


def folded(n: int) -> int:
    """A signed number as one >= 0: 0, 1, -1, 2, -2 become 0, 1, 2, 3, 4."""
    return 2 * n - 1 if n > 0 else -2 * n


def unfolded(n: int) -> int:
    return (n + 1) // 2 if n & 1 else -(n // 2)


def folded_origin(n: int) -> int:
    """An origin as a number >= 0: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4."""
    return folded(-n)


def unfolded_origin(n: int) -> int:
    return -unfolded(n)


__all__: List[str] = [
    "ByteReader",
    "folded",
    "folded_origin",
    "joined",
    "number_bytes",
    "unfolded",
    "unfolded_origin",
]
