"""Reads and writes ``.prune`` files: sparse int8 BERT models in NumPy, without Node."""

from .errors import PruneError
from .limits import DEFAULT_LIMITS, Limits
from .load import load
from .metadata import Metadata
from .model import Model
from .quantized import CsrMatrix, QuantizedEmbedding, QuantizedLinear
from .save import save
from .state_dict import state_dict

__all__ = [
    "DEFAULT_LIMITS",
    "CsrMatrix",
    "Limits",
    "Metadata",
    "Model",
    "PruneError",
    "QuantizedEmbedding",
    "QuantizedLinear",
    "load",
    "save",
    "state_dict",
]
