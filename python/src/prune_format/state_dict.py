"""The state dict of PyTorch."""

from __future__ import annotations

import os
from typing import Any, Union

from .load import load
from .model import Model
from .quantized import recompose
from .torch_state import torch_state_dict


def state_dict(model: Union[Model, str, "os.PathLike[str]"], *, dequantize: bool = False) -> Any:
    """Returns a model, or the one of a file, as the state dict of PyTorch. Needs torch.

    By default it is quantized, as the notebook's last step wants it: ``load_state_dict`` of a model that
    ``torch.quantization.quantize_dynamic`` made answers "All keys matched successfully". A Linear ``X`` is
    ``X._packed_params._packed_params`` (int8 weight, per tensor or per channel as it was quantized, and bias), an
    embedding table ``X._packed_params._packed_weight``; ``_metadata`` has the versions of the modules.

    Args:
        model: What ``load`` returned, or a path that it takes.
        dequantize: Gives float32 weights and biases instead, ``X.weight`` and ``X.bias``, for a model that is not
            quantized.

    Raises:
        PruneError: What ``load`` raises; ``missing``, ``mismatch``, ``corrupt`` or ``unsupported`` for tensors that are
            not those of quantized modules; ``missing`` without torch.
    """
    if not isinstance(model, Model):
        model = load(model)
    return torch_state_dict(recompose(model.tensors), model.metadata.modules, dequantize)
