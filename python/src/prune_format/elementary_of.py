"""What can be saved, as the elementary form."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from .errors import PruneError
from .quantized import (
    CsrMatrix,
    Quantized,
    QuantizedEmbedding,
    QuantizedLinear,
    decompose,
    recompose,
    split_part_name,
    to_integers,
)
from .tensors import Elementary, dtype_name
from .torch_state import array_of_torch, embedding_of_torch, is_torch, linear_of_torch

_PACKED = "._packed_params._packed_params"
_WEIGHT = "._packed_params.weight"
_TABLE = "._packed_params._packed_weight"

#: The dtypes that the notebook has for the integers of a module, except the codes; others become the last one.
_DTYPES: Dict[str, Tuple[str, ...]] = {
    "weight.int_repr.indices": ("uint16", "int32"),
    "weight.int_repr.indptr": ("int32",),
    "weight.int_repr.shape": ("int64",),
    "weight.zero_point": ("int64",),
    "_packed_weight.int_repr.shape": ("int64",),
}


def elementary_of(state: Mapping[str, Any]) -> Dict[str, Elementary]:
    """Returns the elementary form of an elementary or a quantized state dict, as ``prune pack`` writes it.

    ``state`` has arrays, numbers and texts of the elementary form, tensors of torch, quantized modules of this package,
    or the entries of a state dict that ``quantize_dynamic`` made. Raises ``unsupported`` for anything else, and what
    ``recompose`` raises.
    """
    parts: Dict[str, Elementary] = {}
    for name, value in state.items():
        module = _module_of(name, value, state)
        if module is None:
            parts.update(_elementary_value(name, value))
            continue
        # What the state dict says itself of a module, its output's scale for example, is checked, not replaced.
        for part, own in decompose(dict([module])):
            parts.setdefault(part, own)
    return dict(decompose(recompose(parts)))


def is_old_layout(state: Mapping[str, Any]) -> bool:
    """Whether a state dict is one of torch 1.4 or 1.5, whose Linears do not pack their weight and bias together."""
    return any(name.endswith(_WEIGHT) and getattr(value, "is_quantized", False) for name, value in state.items())


def with_notebook_dtypes(tensors: Mapping[str, Elementary]) -> Dict[str, Elementary]:
    """Returns an elementary form, its integers in the dtypes of the notebook, as ``prune convert`` writes it."""
    return {name: _in_notebook_dtype(name, value, tensors) for name, value in tensors.items()}


def _in_notebook_dtype(name: str, value: Elementary, tensors: Mapping[str, Elementary]) -> Elementary:
    split = split_part_name(name)
    wanted: Tuple[str, ...] = ()
    if split is not None:
        wanted = _DTYPES.get(split[1], ())
    elif name.endswith(".zero_point") and f"{name[:-11]}._packed_params.weight.int_repr.data" in tensors:
        wanted = ("int64",)
    if isinstance(value, str) or not wanted or value.dtype.kind not in "iu" or dtype_name(value) in wanted:
        return value
    return to_integers(value, wanted[-1], name)


def _module_of(name: str, value: Any, state: Mapping[str, Any]) -> Optional[Tuple[str, Quantized]]:
    """The module of an entry that has one, or a quantized tensor of torch; ``None`` for other entries."""
    if isinstance(value, (QuantizedLinear, QuantizedEmbedding)):
        return name, value
    if name.endswith(_PACKED) and isinstance(value, tuple) and len(value) == 2:
        return name[: -len(_PACKED)], linear_of_torch(name, *value)
    if not is_torch(value) or not getattr(value, "is_quantized", False):
        return None
    if name.endswith(_TABLE):
        return name[: -len(_TABLE)], embedding_of_torch(name, value)
    if name.endswith(_WEIGHT):
        module = name[: -len(_WEIGHT)]
        return module, linear_of_torch(name, value, state.get(f"{module}._packed_params.bias"))
    raise PruneError("unsupported", "a quantized tensor that is not of a Linear or an Embedding", tensor=name)


def _elementary_value(name: str, value: Any) -> Dict[str, Elementary]:
    if isinstance(value, str):
        return {name: value}
    if is_torch(value):
        if type(value).__name__ == "dtype":
            return {name: str(value).replace("torch.", "", 1)}
        if hasattr(value, "detach"):
            return {name: array_of_torch(value)}
    if isinstance(value, np.ndarray):
        return {name: value}
    if isinstance(value, (np.generic, bool, float)):
        return {name: np.asarray(value)}
    if isinstance(value, int):
        return {name: np.array(value, "<i8")}
    if isinstance(value, (list, tuple)) and all(isinstance(one, int) for one in value):
        return {name: np.array(value, "<i8")}
    if isinstance(value, CsrMatrix) or (hasattr(value, "indptr") and hasattr(value, "indices")):
        return _matrix_parts(name, value)
    raise PruneError("unsupported", "a value that is not a tensor", type(value).__name__, tensor=name)


def _matrix_parts(name: str, matrix: Any) -> Dict[str, Elementary]:
    """A matrix ``X.int_repr`` of scipy, or of this package, as its arrays."""
    return {
        f"{name}.data": np.asarray(matrix.data),
        f"{name}.indptr": np.asarray(matrix.indptr),
        f"{name}.indices": np.asarray(matrix.indices),
        f"{name}.shape": np.array(matrix.shape, "<i8"),
    }
