"""Reads and writes ``.prune`` files: sparse int8 BERT models in NumPy, without Node."""

from .errors import PruneError
from .limits import DEFAULT_LIMITS, Limits
from .load import load
from .metadata import Metadata
from .model import Model

__all__ = ["DEFAULT_LIMITS", "Limits", "Metadata", "Model", "PruneError", "load"]
