"""A walk over a msgpack value that makes nothing of it."""

from __future__ import annotations

from typing import Callable, List, NoReturn, Optional, Set

from ..errors import PruneError
from ..limits import check_limit

_MOST_INTEGER = 2**53 - 1

#: For each type byte of a value without children: the bytes that follow it. -1: another kind of value.
_PLAIN = [-1] * 256
for _type in (*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3):
    _PLAIN[_type] = 0
for _type in range(0xA0, 0xC0):
    _PLAIN[_type] = _type & 0x1F
for _type, _bytes in {0xCC: 1, 0xD0: 1, 0xCD: 2, 0xD1: 2, 0xCE: 4, 0xD2: 4, 0xCA: 4, 0xCB: 8}.items():
    _PLAIN[_type] = _bytes

#: Bytes of the length of a string or byte string, by type; of an array's or a map's count.
_LENGTHS = {0xC4: 1, 0xD9: 1, 0xC5: 2, 0xDA: 2, 0xC6: 4, 0xDB: 4}
_COUNTS = {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}


def check_msgpack(data: bytes, *, depth: int, most_values: Callable[[str], int]) -> None:
    """Walks one msgpack map, accepting what JSON has (keys are strings) and byte strings.

    ``most_values`` says how many values of any kind each member of the outermost map may have; ``depth`` bounds the
    levels of arrays and maps. Raises ``limit`` past these bounds. Raises ``corrupt`` for extension types, integers past
    2^53, keys that occur twice or are ``__proto__``, and bytes that are missing or left over.
    """
    _Walk(data, depth, most_values).run()


class _Walk:
    def __init__(self, data: bytes, depth: int, most_values: Callable[[str], int]) -> None:
        self.data = data
        self.depth = depth
        self.most_values = most_values
        self.at = 0

    def corrupt(self, what: str) -> NoReturn:
        raise PruneError("corrupt", f"manifest: {what}", f"byte {self.at} of {len(self.data)}")

    def number(self, length: int) -> int:
        start = self.skip(length)
        return int.from_bytes(self.data[start : self.at], "big")

    def skip(self, length: int) -> int:
        start = self.at
        if length > len(self.data) - start:
            self.corrupt("a msgpack value ends too early")
        self.at = start + length
        return start

    def run(self) -> None:
        data, size = self.data, len(self.data)
        # The arrays and maps that are open: how many values each still wants, and a map's keys so far.
        missing: List[int] = [1]
        keys: List[Optional[Set[bytes]]] = [None]
        values = 0
        most = self.most_values("")
        while missing:
            left = missing[-1]
            if left == 0:
                missing.pop()
                keys.pop()
                continue
            values += 1
            if values > most:
                check_limit("manifest has too many values", values, most)
            missing[-1] = left - 1
            own = keys[-1]
            if own is not None and left % 2 == 0:
                key = self.key(own)
                if len(missing) == 2:
                    values = 0
                    most = self.most_values(key.decode("latin-1"))
                continue
            if self.at >= size:
                self.corrupt("a msgpack value ends too early")
            kind = data[self.at]
            self.at += 1
            plain = _PLAIN[kind]
            if plain >= 0:
                self.skip(plain)
            elif kind <= 0x9F:
                self.enter(missing, keys, kind & 0x0F, kind <= 0x8F)
            elif kind in _COUNTS:
                self.enter(missing, keys, self.number(_COUNTS[kind]), kind >= 0xDE)
            elif kind in _LENGTHS:
                self.skip(self.number(_LENGTHS[kind]))
            elif kind in (0xCF, 0xD3):
                start = self.skip(8)
                integer = int.from_bytes(data[start : self.at], "big", signed=kind == 0xD3)
                if abs(integer) > _MOST_INTEGER:
                    self.corrupt("an integer past 2^53")
            else:
                self.at -= 1
                self.corrupt(f"a msgpack type that a manifest cannot have, 0x{kind:x}")
        if self.at != size:
            self.corrupt("bytes after the value")

    def enter(self, missing: List[int], keys: List[Optional[Set[bytes]]], count: int, is_map: bool) -> None:
        """Opens an array or map. Each of its values takes a byte at least, so a count past what is left is a lie."""
        wanted = 2 * count if is_map else count
        if wanted > len(self.data) - self.at:
            self.corrupt("an array or map is longer than the manifest")
        check_limit("manifest is nested too deeply", len(missing), self.depth)
        missing.append(wanted)
        keys.append(set() if is_map else None)

    def key(self, seen: Set[bytes]) -> bytes:
        kind = self.number(1)
        if 0xA0 <= kind <= 0xBF:
            length = kind & 0x1F
        elif kind in (0xD9, 0xDA, 0xDB):
            length = self.number(_LENGTHS[kind])
        else:
            self.corrupt("a key is not a string")
        start = self.skip(length)
        name = self.data[start : self.at]
        if name == b"__proto__":
            self.corrupt("a key is __proto__")
        if name in seen:
            self.corrupt("a key occurs twice")
        seen.add(name)
        return name
