"""``json-vocabulary``: a tokenizer.json without the entries that vocab.txt says too; see FORMAT.md."""

from __future__ import annotations

import re
import struct
import zlib
from typing import List, Optional

from ..errors import PruneError

_HEAD = struct.Struct("<IIBB")
_MOST_MARK = 255

_START = re.compile(rb'"vocab"\s*:\s*\{\s*')
_MARKS = re.compile(rb'(\s*:\s*)0(?:(\s*,\s*)")?')
#: The bytes that a JSON string escapes, and how.
_ESCAPED = re.compile(rb'[\x00-\x1f"\\]')
_ESCAPES = {b'"': b'\\"', b"\\": b"\\\\", b"\b": b"\\b", b"\t": b"\\t", b"\n": b"\\n", b"\f": b"\\f", b"\r": b"\\r"}


def join_vocabulary(rest: bytes, lines: bytes, *, length: int, vocabulary: str) -> bytes:
    """Returns the whole file, of ``length`` bytes. Raises ``corrupt`` for bytes and lines that do not make it."""
    needed = _HEAD.size
    if len(rest) >= _HEAD.size:
        crc, before, colon, between = _HEAD.unpack_from(rest)
        needed += before + colon + between
    if needed > len(rest):
        raise PruneError("corrupt", "bytes of a file without its vocabulary", len(rest), f"at least {needed}")
    at = _HEAD.size + before
    start, after = rest[_HEAD.size : at], rest[needed:]
    marks = rest[at : at + colon], rest[at + colon : needed]
    entries = _entries(lines, *marks, length)
    whole = len(start) + len(after) + sum(map(len, entries))
    if whole != length:
        what = f"bytes of the file with the vocabulary of {vocabulary}"
        raise PruneError("corrupt", what, whole, length)
    data = start + b"".join(entries) + after
    found = zlib.crc32(data)
    if found != crc:
        raise PruneError("corrupt", f"CRC-32 of the file with the vocabulary of {vocabulary}", found, crc)
    return data


def cut_vocabulary(text: bytes, lines: bytes) -> Optional[bytes]:
    """Returns a JSON text without its vocabulary where ``lines`` say the same, so that it can be joined again."""
    found = _START.search(text)
    if found is None:
        return None
    before = found.end()
    first = lines[: lines.find(b"\n") + 1] or lines
    token = b"".join(_entries(first, b"", b"", len(text)))
    # The id of the only entry is 0, which is one byte.
    marks = _MARKS.match(text[: before + len(token) - 1 + 2 * _MOST_MARK + 3], before + len(token) - 1)
    if marks is None:
        return None
    colon, between = marks.group(1), marks.group(2) or b""
    if max(len(colon), len(between)) > _MOST_MARK:
        return None
    entries = b"".join(_entries(lines, colon, between, len(text)))
    end = before + len(entries)
    if text[before:end] != entries:
        return None
    head = _HEAD.pack(zlib.crc32(text), before, len(colon), len(between))
    return head + text[:before] + colon + between + text[end:]


def _entries(lines: bytes, colon: bytes, between: bytes, most: int) -> List[bytes]:
    """The lines as members of a JSON object, each a part of its own; ends after the first one that ends past
    ``most``.
    """
    parts: List[bytes] = []
    size = number = start = 0
    while start < len(lines) and size <= most:
        newline = lines.find(b"\n", start)
        end = len(lines) if newline == -1 else newline
        token = _ESCAPED.sub(_escaped, lines[start:end])
        part = (between if number else b"") + b'"' + token + b'"' + colon + str(number).encode()
        parts.append(part)
        size += len(part)
        number += 1
        start = end + 1
    return parts


def _escaped(match: "re.Match[bytes]") -> bytes:
    byte = match.group()
    return _ESCAPES.get(byte) or b"\\u%04x" % byte[0]
