"""The table of contents of a container, and which names it may have."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any, Dict, Optional, Tuple

from ..tensors import TensorInfo

#: The codecs of blocks that hold a file.
GZIP_FILE = "gzip"
VOCABULARY_FILE = "json-vocabulary"
FILE_CODECS = (GZIP_FILE, VOCABULARY_FILE)

_MODEL_NAME = 100
_BASE_NAME = 2000


@dataclass(frozen=True)
class Part:
    """A part that ends a block, and that is read and checked without the rest."""

    length: int
    crc32: int
    sha256: bytes


@dataclass(frozen=True)
class Block:
    """A run of bytes of a file: what one codec made of one tensor, or of several.

    Either ``offset`` (in this file) or ``base`` (the number of the base that has it) is set. ``shares`` are the stored
    bytes that belong to each of its tensors alone.
    """

    codec: str
    length: int
    crc32: int
    shares: Tuple[int, ...]
    offset: Optional[int] = None
    base: Optional[int] = None
    sha256: Optional[bytes] = None
    parts: Tuple[Part, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A value of the elementary form: in block number ``block``, or ``inline``. A text has the dtype ``string``."""

    name: str
    dtype: str
    shape: Tuple[int, ...]
    block: Optional[int] = None
    inline: Optional[bytes] = None

    @property
    def info(self) -> TensorInfo:
        return TensorInfo(self.name, self.dtype, self.shape)


@dataclass(frozen=True)
class File:
    """A file of the tokenizer, in a block of its own. ``vocabulary`` names the file that has what its block lacks."""

    name: str
    length: int
    block: int
    vocabulary: Optional[str] = None


@dataclass(frozen=True)
class ManifestModel:
    entries: Tuple[Entry, ...]
    name: Optional[str] = None
    files: Optional[Tuple[File, ...]] = None
    config: Optional[Dict[str, Any]] = None
    modules: Optional[Dict[str, Any]] = None
    profile: Optional[str] = None
    sentence: Optional[Dict[str, Any]] = None


@dataclass(frozen=True)
class Manifest:
    blocks: Tuple[Block, ...]
    #: The names of the files that have blocks of this one.
    bases: Tuple[str, ...]
    models: Tuple[ManifestModel, ...]


def utf16_length(text: str) -> int:
    """The length of a text in UTF-16 code units, which the format's bounds on names count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def is_model_name(name: str) -> bool:
    """Whether a model may be called so: ``file.prune#name`` must be the name of one model."""
    return 0 < utf16_length(name) <= _MODEL_NAME and not any(c in "#/\\" or _is_control(c) for c in name)


def is_base_name(name: str) -> bool:
    """Whether a base may be called so."""
    return 0 < utf16_length(name) <= _BASE_NAME and not any(map(_is_control, name))


def _is_control(character: str) -> bool:
    return unicodedata.category(character).startswith("C")
