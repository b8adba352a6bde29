"""The first 48 bytes of a file; see FORMAT.md, "Prologue"."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from ..errors import PruneError
from ..limits import Limits, check_limit

PROLOGUE_BYTES = 48
MAGIC = b"\x89PRUNE\r\n"

#: The versions of the format that this package reads. It writes the last one.
VERSIONS = (1, 2)

_FORM = struct.Struct("<8sIQIIIQI")


@dataclass(frozen=True)
class Prologue:
    """Where the manifest of a container is."""

    version: int
    manifest_offset: int
    #: Bytes of the manifest as stored, and unpacked.
    manifest_length: int
    manifest_decoded: int
    #: CRC-32 of the manifest as stored.
    manifest_crc: int
    file_length: int


def encode_prologue(prologue: Prologue) -> bytes:
    """Returns the prologue as bytes, its own CRC-32 last."""
    head = _FORM.pack(
        MAGIC,
        prologue.version,
        prologue.manifest_offset,
        prologue.manifest_length,
        prologue.manifest_decoded,
        prologue.manifest_crc,
        prologue.file_length,
        0,
    )
    return head + struct.pack("<I", zlib.crc32(head))


def decode_prologue(data: bytes, file_length: int, limits: Limits) -> Prologue:
    """Reads and checks a prologue against the size of its file.

    Raises ``unsupported`` (another format or version), ``corrupt``, ``truncated`` or ``limit``.
    """
    if not data.startswith(MAGIC):
        raise PruneError("unsupported", "not a .prune container")
    crc, wanted = zlib.crc32(data[:44]), int.from_bytes(data[44:48], "little")
    if crc != wanted:
        raise PruneError("corrupt", "CRC-32 of the prologue", crc, wanted)
    _, version, offset, length, decoded, manifest_crc, declared, _ = _FORM.unpack(data[:44])
    if version not in VERSIONS:
        raise PruneError("unsupported", "format version", version, " or ".join(map(str, VERSIONS)))
    if declared != file_length:
        raise PruneError(
            "truncated" if file_length < declared else "corrupt", "size of the file", file_length, declared
        )
    if offset < PROLOGUE_BYTES or offset + length != file_length:
        got = f"bytes {offset} to {offset + length}"
        raise PruneError("corrupt", "place of the manifest", got, f"the end of {file_length} bytes")
    check_limit("manifest is too large (bytes)", decoded, limits.manifest_bytes)
    check_limit("manifest is too large (bytes, gzipped)", length, limits.manifest_bytes)
    return Prologue(version, offset, length, decoded, manifest_crc, file_length)
