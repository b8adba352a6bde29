"""A container with its manifest read: its blocks, wherever they lie."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import zlib
from typing import Callable, Dict, List, Optional, Tuple, Union

from ..errors import PruneError
from ..gunzip import gunzip
from ..limits import Limits
from .decode_manifest import decode_manifest
from .manifest import Manifest, ManifestModel
from .prologue import PROLOGUE_BYTES, decode_prologue
from .source import Source

#: Gives the path of the file that a container calls its base.
FindBase = Callable[[str], Union[str, "os.PathLike[str]"]]

_URL = re.compile(r"[a-z][a-z\d+.-]+:", re.IGNORECASE)
_NOT_FROM_FILE = re.compile(r"[/\\]|[a-z]:|.*\\", re.IGNORECASE | re.DOTALL)


class Container:
    """A ``.prune`` file that is open for reading. Each block is checked by its CRC-32 when it is read.

    With ``integrity``, ``sha256-`` and base64 of the manifest's SHA-256, everything is checked by SHA-256 too. Bases
    are found by their paths from the file's folder, or by ``find_base``.
    """

    def __init__(
        self,
        path: Union[str, "os.PathLike[str]"],
        limits: Limits,
        integrity: Optional[str] = None,
        find_base: Optional[FindBase] = None,
    ) -> None:
        self._source = Source(path)
        self.where = self._source.name
        self._limits = limits
        self._find_base = find_base or self._beside
        self._hashed = integrity is not None
        self._bases: Dict[int, Tuple[Source, Dict[bytes, Tuple[int, int]]]] = {}
        try:
            if integrity is not None and not re.fullmatch(r"sha256-[A-Za-z0-9+/]{43}=", integrity):
                raise PruneError("invalid-argument", "integrity", integrity, "sha256- and 44 characters")
            self.version, self.manifest, found = _read_manifest(self._source, limits, integrity)
        except PruneError as error:
            self._source.close()
            raise error.located(self.where) from error.__cause__
        self.integrity = found if self.version > 1 else None

    def close(self) -> None:
        for source, _ in self._bases.values():
            source.close()
        self._source.close()

    def model(self, name: Optional[str]) -> ManifestModel:
        """Returns the model of that name, or the only one. Raises ``invalid-argument`` or ``missing``."""
        models = self.manifest.models
        if name is None and len(models) == 1:
            return models[0]
        for model in models:
            if model.name is not None and model.name == name:
                return model
        names = ", ".join(model.name for model in models if model.name is not None)
        if name is None:
            what = f"the file holds {len(models)} models"
            raise PruneError("invalid-argument", what, wanted=f"one of {names}", where=self.where)
        there = f"one of {names}" if names else "no name, the file holds one model"
        raise PruneError("missing", "no such model", name, there, where=self.where)

    def block(self, number: int) -> bytes:
        """The stored bytes of a block, checked. Raises ``corrupt``, and ``missing`` or ``mismatch`` for a base."""
        block = self.manifest.blocks[number]
        source, offset, where = self._source, block.offset, None
        if offset is None:
            source, offset = self._in_base(number)
            where = source.name
        data = source.read(offset, block.length)
        crc = zlib.crc32(data)
        if crc != block.crc32:
            raise PruneError("corrupt", "CRC-32 of the stored bytes", crc, block.crc32, where=where)
        if self._hashed and block.sha256 is not None:
            digest = hashlib.sha256(data).digest()
            if digest != block.sha256:
                what = "SHA-256 of the stored bytes"
                raise PruneError("corrupt", what, digest.hex(), block.sha256.hex(), where=where)
        return data

    def _in_base(self, number: int) -> Tuple[Source, int]:
        block = self.manifest.blocks[number]
        base, digest = block.base, block.sha256
        assert base is not None and digest is not None
        if base not in self._bases:
            self._bases[base] = self._open_base(base, number)
        source, places = self._bases[base]
        found = places.get(digest)
        if found is not None and found[1] == block.length:
            return source, found[0]
        name = self.manifest.bases[base]
        what = f'base "{name}" is another file than the one that block {number} was taken from'
        if found is None:
            got, wanted = "no such block", f"a block with SHA-256 {digest.hex()}"
        else:
            got, wanted = f"a block of {found[1]} bytes", f"{block.length} bytes"
        raise PruneError("mismatch", what, got, wanted, where=self.where)

    def _open_base(self, base: int, block: int) -> Tuple[Source, Dict[bytes, Tuple[int, int]]]:
        """Opens a base for its own blocks alone, so that files that name each other cannot keep a reader busy."""
        name = self.manifest.bases[base]
        place = f'{self.where}, base "{name}"'
        try:
            source = Source(self._find_base(name), place)
        except PruneError as error:
            if error.code == "missing":
                wanted = f"the file that block {block} lies in"
                raise PruneError("missing", f'base "{name}" is missing', wanted=wanted, where=self.where) from error
            what = f'base "{name}" cannot be opened: {error.what}'
            raise PruneError(error.code, what, where=self.where) from error
        try:
            version, manifest, _ = _read_manifest(source, self._limits, None)
            if version == 1:
                what = "a file of version 1 cannot be a base, because it has no SHA-256"
                raise PruneError("mismatch", what, wanted="the file of version 2 that the blocks were taken from")
        except PruneError as error:
            source.close()
            raise error.located(place) from error.__cause__
        places: Dict[bytes, Tuple[int, int]] = {}
        for one in manifest.blocks:
            if one.sha256 is not None and one.offset is not None:
                places[one.sha256] = (one.offset, one.length)
        return source, places

    def _beside(self, name: str) -> str:
        """The path of a base from the file's folder. Whoever made the file chose the name, so it may not leave that."""
        is_url = _URL.match(name) is not None
        if is_url or _NOT_FROM_FILE.match(name):
            what = "a base that is a URL" if is_url else "a base that is not a path from the file"
            wanted = "a path from the folder of the file, or the option openBase"
            raise PruneError("unsupported", what, name, wanted)
        return os.path.join(os.path.dirname(self._source.path), *name.split("/"))


def _read_manifest(source: Source, limits: Limits, integrity: Optional[str]) -> Tuple[int, Manifest, str]:
    prologue = decode_prologue(source.read(0, PROLOGUE_BYTES), source.size, limits)
    if integrity is not None and prologue.version == 1:
        what = "integrity of a file of version 1, which has no SHA-256"
        raise PruneError("unsupported", what, integrity, "a file of version 2")
    packed = source.read(prologue.manifest_offset, prologue.manifest_length)
    crc = zlib.crc32(packed)
    if crc != prologue.manifest_crc:
        raise PruneError("corrupt", "CRC-32 of the manifest", crc, prologue.manifest_crc)
    found = "sha256-" + base64.b64encode(hashlib.sha256(packed).digest()).decode()
    if integrity is not None and found != integrity:
        raise PruneError("mismatch", "integrity", found, integrity)
    unpacked = gunzip(packed, limit=limits.manifest_bytes, length=prologue.manifest_decoded)
    return prologue.version, decode_manifest(unpacked, prologue.version, prologue.manifest_offset, limits), found


def model_address(path: Union[str, "os.PathLike[str]"]) -> Tuple[str, Optional[str]]:
    """``both.prune#qa`` as the file and its model. A file whose own name has the ``#`` is that file."""
    text = os.fspath(path)
    at = text.rfind("#")
    if at < 1 or os.path.exists(text) or not os.path.exists(text[:at]):
        return text, None
    return text[:at], text[at + 1 :]


__all__: List[str] = ["Container", "FindBase", "model_address"]
