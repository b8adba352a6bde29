"""Every codec, in one table."""

from __future__ import annotations

from typing import Dict, Tuple

from ..errors import PruneError
from .codec import Codec
from .csr_gzip import CSR_GZIP
from .entropy import entropy
from .gzip import GZIP
from .planes_gzip import PLANES_GZIP
from .raw import RAW
from .rows import ROWS

#: The codecs that a reader knows, by the names in a manifest.
CODECS: Dict[str, Codec] = {
    codec.name: codec for codec in (RAW, ROWS, entropy("fast"), CSR_GZIP, PLANES_GZIP, GZIP)
}

#: The names that a writer takes.
CODEC_NAMES = ("raw", "gzip", "csr-gzip", "entropy")


def codec_list(name: str, preset: str) -> Tuple[Codec, ...]:
    """The codecs behind a name, in the order in which a tensor is offered to them. Raises ``invalid-argument``."""
    if name == "raw":
        return (RAW,)
    if name == "gzip":
        return (GZIP,)
    if name == "csr-gzip":
        return (ROWS, CSR_GZIP, PLANES_GZIP, GZIP)
    if name == "entropy":
        return (ROWS, entropy(preset), CSR_GZIP, PLANES_GZIP, GZIP)
    raise PruneError("invalid-argument", "codec", name, ", ".join(CODEC_NAMES))
