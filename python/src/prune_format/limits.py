"""Bounds on what outside data may make this package allocate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from .errors import PruneError


@dataclass(frozen=True)
class Limits:
    """Bounds that every reader takes as an option. The defaults are those of the TypeScript readers.

    Attributes:
        tensor_bytes: Bytes of one decoded tensor. BERT-large's largest tensor has 125 MB.
        tensors: Tensors in one file. BERT-large has 391 parameters, and about six entries for each Linear.
        rank: Dimensions of one tensor.
        manifest_bytes: Bytes of a container's manifest, unpacked. An entry takes about 150 bytes.
        metadata_bytes: Bytes of one file that travels with a model, such as the vocabulary of a tokenizer.
        name_length: UTF-16 code units of one name.
    """

    tensor_bytes: int = 2**31
    tensors: int = 100_000
    rank: int = 8
    manifest_bytes: int = 2**25
    metadata_bytes: int = 2**25
    name_length: int = 1024


DEFAULT_LIMITS = Limits()

#: The most bytes that one byte of DEFLATE data can stand for: the longest match has 258 bytes and takes at least 2
#: bits, one for its length and one for its distance (RFC 1951, 3.2.5 and 3.2.7). The other codecs keep the same
#: bound.
MAX_EXPANSION = 1032


def check_limit(
    what: str, got: int, limit: int, *, where: Optional[str] = None, tensor: Optional[str] = None
) -> None:
    """Raises ``limit`` when ``got`` exceeds ``limit``. Called before the allocation that it guards."""
    if got > limit:
        raise PruneError("limit", what, got, f"at most {limit}", where=where, tensor=tensor)
