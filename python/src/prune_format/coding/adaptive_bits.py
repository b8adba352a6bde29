"""Adaptive bits and numbers; see SPEC.md. They code the models of matrices and tables: a few thousand bits each."""

from __future__ import annotations

from typing import List

from ..errors import corrupt

#: Contexts that one kind of number takes.
NUMBER_CONTEXTS = 64

#: floor(131,072 / (2 age + 3))
_RATES = [131072 // (2 * age + 3) for age in range(255)]
_OLDEST = 254
_DIRECT = 14
_MOST_LENGTH = 20


class Contexts:
    """For each context the probability of a zero bit in 1 / 65,536, and an age."""

    def __init__(self, count: int) -> None:
        self.probability = [2**15] * count
        self.age = [0] * count


class BitDecoder:
    """LZMA's range decoder with contexts that learn fast while they are young."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._size = len(data)
        self._range = 2**32 - 1
        self._code = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
        self._at = 4

    def bit(self, contexts: Contexts, context: int) -> int:
        p = contexts.probability[context]
        age = contexts.age[context]
        q = p >> 4
        bound = (self._range >> 12) * (2 if q < 2 else 4094 if q > 4094 else q)
        if self._code < bound:
            bit = 0
            self._range = bound
            contexts.probability[context] = p + ((65535 - p) * _RATES[age] >> 16)
        else:
            bit = 1
            self._code -= bound
            self._range -= bound
            contexts.probability[context] = p - (p * _RATES[age] >> 16)
        if age < _OLDEST:
            contexts.age[context] = age + 1
        while self._range < 2**24:
            byte = self._data[self._at] if self._at < self._size else 0
            self._at += 1
            self._range = self._range << 8
            self._code = (self._code << 8 | byte) & 0xFFFFFFFF
        return bit

    def number(self, contexts: Contexts, base: int) -> int:
        """A number >= 0 by the ``NUMBER_CONTEXTS`` contexts from ``base`` on."""
        for i in range(_DIRECT):
            if not self.bit(contexts, base + i):
                return i
        length = 0
        while self.bit(contexts, base + _DIRECT + length):
            length += 1
            if length > _MOST_LENGTH:
                corrupt("coded number is too large", f"2^{length}", f"below 2^{_MOST_LENGTH + 1}")
        rest = 1
        for i in range(length - 1, -1, -1):
            rest = 2 * rest + self.bit(contexts, base + _DIRECT + _MOST_LENGTH + 1 + i)
        return rest + _DIRECT - 1

    def finish(self) -> None:
        """Raises ``corrupt`` unless the decoder has taken every byte that it was given."""
        if self._at < self._size:
            corrupt("coded header has bytes left over", self._size - self._at, 0)


class BitEncoder:
    """Makes what :class:`BitDecoder` reads."""

    def __init__(self) -> None:
        self._low = 0
        self._range = 2**32 - 1
        self._cache = 0
        self._pending = 0
        self._out: List[int] = []
        self._started = False

    def bit(self, contexts: Contexts, context: int, bit: int) -> None:
        p = contexts.probability[context]
        age = contexts.age[context]
        bound = (self._range >> 12) * min(max(p >> 4, 2), 4094)
        if bit:
            self._low += bound
            self._range -= bound
            contexts.probability[context] = p - (p * _RATES[age] >> 16)
        else:
            self._range = bound
            contexts.probability[context] = p + ((65535 - p) * _RATES[age] >> 16)
        if age < _OLDEST:
            contexts.age[context] = age + 1
        while self._range < 2**24:
            self._range <<= 8
            self._shift()

    def number(self, contexts: Contexts, base: int, value: int) -> None:
        for i in range(_DIRECT):
            self.bit(contexts, base + i, int(value > i))
            if value <= i:
                return
        rest = value - _DIRECT + 1
        length = rest.bit_length() - 1
        for i in range(length):
            self.bit(contexts, base + _DIRECT + i, 1)
        self.bit(contexts, base + _DIRECT + length, 0)
        for i in range(length - 1, -1, -1):
            self.bit(contexts, base + _DIRECT + _MOST_LENGTH + 1 + i, rest >> i & 1)

    def finish(self) -> bytes:
        """Returns the bytes without the zeros at their end, which a decoder reads past it."""
        for _ in range(5):
            self._shift()
        return bytes(self._out).rstrip(b"\0")

    def _shift(self) -> None:
        if self._low < 0xFF000000 or self._low > 0xFFFFFFFF:
            carry = int(self._low > 0xFFFFFFFF)
            if self._started:
                self._out.append((self._cache + carry) & 255)
            self._started = True
            self._out.extend([(255 + carry) & 255] * self._pending)
            self._pending = 0
            self._cache = self._low >> 24 & 255
        else:
            self._pending += 1
        self._low = (self._low & 0xFFFFFF) << 8
