"""State dicts of PyTorch, in both directions. torch is imported when it is used."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from .errors import PruneError
from .quantized import CsrMatrix, Quantized, QuantizedEmbedding, QuantizedLinear
from .tensors import BFLOAT16, Array

_PACKED = "_packed_params"


def import_torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise PruneError("missing", "torch is not installed", wanted="pip install torch") from error
    return torch


def torch_state_dict(modules: Mapping[str, Quantized], metadata: Optional[Dict[str, Any]], dequantize: bool) -> Any:
    """Returns the state dict that a model takes: of ``quantize_dynamic``, or a float one where ``dequantize`` is set.
    """
    torch = import_torch()
    state: Any = OrderedDict()
    for name, module in modules.items():
        if isinstance(module, (QuantizedLinear, QuantizedEmbedding)) and dequantize:
            state[f"{name}.weight"] = torch.from_numpy(module.dequantize())
            if isinstance(module, QuantizedLinear) and module.bias is not None:
                state[f"{name}.bias"] = torch.from_numpy(module.bias.copy())
        elif isinstance(module, QuantizedLinear):
            state[f"{name}.scale"] = torch.tensor(1.0)
            state[f"{name}.zero_point"] = torch.tensor(0)
            state[f"{name}.{_PACKED}.dtype"] = torch.qint8
            bias = None if module.bias is None else torch.from_numpy(module.bias.copy())
            state[f"{name}.{_PACKED}.{_PACKED}"] = (_linear_weight(torch, module), bias)
        elif isinstance(module, QuantizedEmbedding):
            dtype, weight = _embedding_weight(torch, module)
            state[f"{name}.{_PACKED}.dtype"] = dtype
            state[f"{name}.{_PACKED}._packed_weight"] = weight
        else:
            state[name] = _float_tensor(torch, module)
    if metadata is not None and not dequantize:
        state._metadata = OrderedDict(metadata)
    return state


def _linear_weight(torch: Any, linear: QuantizedLinear) -> Any:
    codes = torch.from_numpy(linear.weight.toarray())
    if not linear.per_channel:
        return torch._make_per_tensor_quantized_tensor(codes, float(linear.scales[0]), 0)
    scales = torch.from_numpy(linear.scales.copy())
    zero_points = torch.zeros(len(linear.scales), dtype=torch.int64)
    return torch._make_per_channel_quantized_tensor(codes, scales, zero_points, 0)


def _embedding_weight(torch: Any, table: QuantizedEmbedding) -> Tuple[Any, Any]:
    scales, zero_points = torch.from_numpy(table.scales.copy()), torch.from_numpy(table.zero_points.copy())
    dtype = torch.quint8 if table.bits == 8 else torch.quint4x2
    weight = torch._empty_per_channel_affine_quantized(
        list(table.shape), scales=scales, zero_points=zero_points, axis=0, dtype=dtype
    )
    # The codes go straight into the memory of the tensor: quantizing floats again need not give them back.
    octets = torch.empty(0, dtype=torch.uint8).set_(weight.untyped_storage())
    codes = torch.from_numpy(table.int_repr.reshape(-1).copy())
    if table.bits == 8 or table.shape[1] % 2 == 0:
        octets[: len(codes)].copy_(codes)
        return dtype, weight
    # torch packs two codes a byte across the ends of rows.
    flat = np.append(table.codes().reshape(-1), np.uint8(0))[: 2 * ((table.shape[0] * table.shape[1] + 1) // 2)]
    pairs = flat[0::2] | flat[1::2] << 4
    octets[: len(pairs)].copy_(torch.from_numpy(pairs.astype(np.uint8)))
    return dtype, weight


def _float_tensor(torch: Any, array: Array) -> Any:
    if array.dtype == BFLOAT16:
        return torch.from_numpy(array["bfloat16"].astype(np.int16)).view(torch.bfloat16)
    if array.dtype.kind == "u" and array.dtype.itemsize > 1:
        # torch has these dtypes since 2.3 only.
        return torch.from_numpy(array.astype(np.int64))
    return torch.from_numpy(array.copy())


def is_torch(value: Any) -> bool:
    """Whether a value is a tensor or dtype of torch, without importing it."""
    return type(value).__module__.split(".")[0] == "torch"


def array_of_torch(value: Any) -> Array:
    """Returns the elements of a tensor that is not quantized."""
    torch = import_torch()
    tensor = value.detach().cpu().contiguous()
    if tensor.dtype == torch.bfloat16:
        array: Array = tensor.view(torch.int16).numpy().view(np.uint16).astype("<u2").view(BFLOAT16)
        return array
    return np.asarray(tensor.numpy())


def linear_of_torch(name: str, weight: Any, bias: Any) -> QuantizedLinear:
    """Returns a Linear of torch's quantized weight. Raises ``unsupported`` for zero points that are not 0."""
    torch = import_torch()
    if weight.dtype != torch.qint8:
        raise PruneError("unsupported", "codes of a Linear", str(weight.dtype), "torch.qint8", tensor=name)
    per_channel = weight.qscheme() == torch.per_channel_affine
    scales = weight.q_per_channel_scales().double().numpy() if per_channel else np.array([weight.q_scale()])
    zero_points = weight.q_per_channel_zero_points().tolist() if per_channel else [weight.q_zero_point()]
    if any(zero_points):
        what = "weight that is not quantized symmetrically"
        raise PruneError("unsupported", what, str(next(filter(None, zero_points))), "zero points of 0", tensor=name)
    csr = csr_of(weight.int_repr().numpy())
    own_bias = None if bias is None else array_of_torch(bias).astype("<f4")
    return QuantizedLinear(csr, scales.astype("<f8"), per_channel, own_bias)


def csr_of(codes: Array) -> CsrMatrix:
    """Returns the nonzeros of a dense int8 matrix."""
    rows, columns = codes.shape
    row, column = np.nonzero(codes)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))]).astype("<i4")
    return CsrMatrix((rows, columns), indptr, column.astype("<u2" if columns <= 65_535 else "<i4"), codes[row, column])


def embedding_of_torch(name: str, weight: Any) -> QuantizedEmbedding:
    """Returns the table of torch's quantized weight, 8 or 4 bits."""
    torch = import_torch()
    if weight.dtype not in (torch.quint8, torch.quint4x2):
        wanted = "torch.quint8 or torch.quint4x2"
        raise PruneError("unsupported", "codes of an embedding table", str(weight.dtype), wanted, tensor=name)
    rows, columns = weight.shape
    bits = 8 if weight.dtype == torch.quint8 else 4
    scales = weight.q_per_channel_scales().float().numpy()
    zero_points = weight.q_per_channel_zero_points().float().numpy()
    if bits == 8:
        codes = weight.int_repr().numpy()
    else:
        octets = torch.empty(0, dtype=torch.uint8).set_(weight.untyped_storage()).numpy()
        flat = np.stack([octets & 15, octets >> 4], axis=-1).reshape(-1)[: rows * columns].reshape(rows, columns)
        if columns % 2:
            flat = np.concatenate([flat, np.zeros((rows, 1), np.uint8)], axis=1)
        codes = flat[:, 0::2] | flat[:, 1::2] << 4
    return QuantizedEmbedding(bits, (rows, columns), codes.astype(np.uint8), scales.copy(), zero_points.copy())
