"""Bits packed from the lowest bit up (RFC 1951, 3.1.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

#: Codes that are packed at a time.
_PART = 2**16


class BitWriter:
    """Collects bits; ``data`` has the whole bytes so far."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._bits = 0
        self._count = 0

    def put(self, value: int, count: int) -> None:
        self._bits |= value << self._count
        self._count += count
        while self._count >= 8:
            self.data.append(self._bits & 255)
            self._bits >>= 8
            self._count -= 8

    def put_all(self, codes: "npt.NDArray[Any]", lengths: "npt.NDArray[Any]") -> None:
        """Appends many codes, each of so many bits."""
        for start in range(0, len(codes), _PART):
            own = lengths[start : start + _PART].astype(np.int64)
            total = int(own.sum())
            place = np.repeat(np.arange(len(own)), own)
            within = np.arange(total) - np.repeat(np.cumsum(own) - own, own)
            bits = (codes[start : start + _PART][place] >> within & 1).astype(np.uint8)
            pending = np.array([self._bits >> i & 1 for i in range(self._count)], np.uint8)
            bits = np.concatenate([pending, bits])
            whole = len(bits) // 8 * 8
            self.data += np.packbits(bits[:whole], bitorder="little").tobytes()
            self._bits, self._count = 0, 0
            for bit in bits[whole:].tolist():
                self.put(bit, 1)

    def align(self) -> None:
        """Fills the byte that was begun with zeros."""
        if self._count > 0:
            self.put(0, 8 - self._count)


def reversed_codes(lengths: "npt.NDArray[Any]") -> "npt.NDArray[np.int64]":
    """Canonical codes (RFC 1951, 3.2.2), their bits reversed for a writer that starts at the lowest bit."""
    own = lengths.tolist()
    following = [0] * 17
    for length in own:
        if length > 0:
            following[length + 1] += 1
    code = 0
    for length in range(1, 17):
        code = code + following[length] << 1
        following[length] = code
    codes = [0] * len(own)
    for symbol, length in enumerate(own):
        if length > 0:
            codes[symbol] = int(f"{following[length]:0{length}b}"[::-1], 2)
            following[length] += 1
    return np.array(codes, np.int64)
