"""Checks what `prune unpack --form torch` wrote against what PyTorch makes of the same checkpoint.

usage: load_torch_form.py CHECKPOINT QUANTIZED ELEMENTARY

CHECKPOINT is a folder that transformers loads, a BERT with a head for questions, and QUANTIZED and ELEMENTARY are the
files of the forms torch and torch-elementary. Prints the last line of the notebook, what load_state_dict says.
"""

import sys
import warnings

warnings.filterwarnings("ignore")

import torch
from torch import nn
from torch.ao.quantization import quantize_dynamic
from transformers import AutoModelForQuestionAnswering

checkpoint, quantized, elementary = sys.argv[1:]


def parts(value):
    """What a value of a state dict consists of."""
    if isinstance(value, tuple):
        return [part for item in value for part in parts(item)]
    if isinstance(value, torch.Tensor) and value.is_quantized:
        return [value.int_repr(), value.q_scale(), value.q_zero_point(), value.qscheme(), value.dtype]
    return [value]


def same(a, b):
    return torch.equal(a, b) and a.dtype == b.dtype if isinstance(a, torch.Tensor) else a == b


model = AutoModelForQuestionAnswering.from_pretrained(checkpoint, dtype=torch.float32).eval()
theirs = quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
empty = quantize_dynamic(AutoModelForQuestionAnswering.from_config(model.config).eval(), {nn.Linear}, dtype=torch.qint8)
state = torch.load(quantized)
wanted = theirs.state_dict()
for name in [name for name in state if name not in wanted]:
    # transformers leaves the pooler of a model for questions out.
    assert ".pooler." in name, name
    del state[name]
assert set(state) == set(wanted)
for name, value in wanted.items():
    ours = parts(state[name])
    assert len(ours) == len(parts(value)) and all(map(same, ours, parts(value))), name
matched = empty.load_state_dict(state)
ids = torch.arange(1, 12)[None]
with torch.no_grad():
    for ours, value in zip(empty(ids).to_tuple(), theirs(ids).to_tuple()):
        assert torch.equal(ours, value)

flat = torch.load(elementary, weights_only=False)
for name, value in wanted.items():
    if not name.endswith("._packed_params._packed_params"):
        assert same(flat[name], value), name
        continue
    module = name[: -len("._packed_params")]
    weight, bias = value
    ends, columns = flat[f"{module}.weight.int_repr.indptr"], flat[f"{module}.weight.int_repr.indices"]
    dense = torch.zeros(flat[f"{module}.weight.int_repr.shape"], dtype=torch.int8).numpy()
    for row in range(dense.shape[0]):
        span = slice(ends[row], ends[row + 1])
        dense[row, columns[span]] = flat[f"{module}.weight.int_repr.data"][span]
    assert torch.equal(torch.from_numpy(dense), weight.int_repr()), name
    assert flat[f"{module}.weight.scale"] == weight.q_scale()
    assert torch.equal(flat[f"{module}.bias"], bias)
print(matched)
