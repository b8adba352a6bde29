"""The saving half of the notebook "Saving PruneBERT" (huggingface/transformers, examples/research_projects/movement-pruning), timed by step.

    notebook_save.py MODEL_FOLDER OUTPUT_FOLDER encoder|whole

Writes squad_sparse.h5 (encoder and head) or squad_sparse_with_embs.h5 (everything), and metadata.json. Prints one JSON object: seconds by step,
peak resident memory in bytes, versions. Imports are not timed. What differs from the notebook, and why:
- the model is read from a folder; with a pooler where the checkpoint has one, as `BertForQuestionAnswering` did when the notebook was written;
- torch >= 1.6 keeps (weight, bias) as a tuple under `_packed_params._packed_params`; it is split into the notebook's two names;
- floats are float32 whatever the checkpoint has: transformers keeps float16 since version 5;
- nothing is printed, and the `torch.save` files for comparison are not written (that would count against the notebook).
"""

import json
import logging
import os
import sys
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
logging.disable(logging.WARNING)

import h5py
import numpy as np
import scipy
import torch
import transformers
from safetensors import safe_open
from scipy import sparse
from steps import Steps, peak_bytes
from transformers import BertForQuestionAnswering, BertModel

model_folder, output_folder, what = sys.argv[1:4]


def has_pooler():
    path = os.path.join(model_folder, "model.safetensors")
    if not os.path.exists(path):
        return any(".pooler." in name for name in torch.load(os.path.join(model_folder, "pytorch_model.bin"), weights_only=True))
    with safe_open(path, "pt") as weights:
        return any(".pooler." in name for name in weights.keys())


class WithPooler(BertForQuestionAnswering):
    def __init__(self, config):
        super().__init__(config)
        self.bert = BertModel(config)
        self.post_init()


model_class = WithPooler if has_pooler() else BertForQuestionAnswering
steps = Steps()
model = model_class.from_pretrained(model_folder).float()
model.to("cpu")
steps.done("load")

quantized_model = torch.quantization.quantize_dynamic(
    model=model,
    qconfig_spec={torch.nn.Linear: torch.quantization.default_dynamic_qconfig},
    dtype=torch.qint8,
)
packed_st = quantized_model.state_dict()
qtz_st = {}
for name, param in packed_st.items():
    if name.endswith("._packed_params._packed_params"):
        qtz_st[name[: -len("._packed_params")] + ".weight"], qtz_st[name[: -len("._packed_params")] + ".bias"] = param
    else:
        qtz_st[name] = param
steps.done("quantize")

elementary_qtz_st = {}
for name, param in qtz_st.items():
    if "dtype" not in name and param.is_quantized:
        elementary_qtz_st[f"{name}.scale"] = param.q_scale()
        elementary_qtz_st[f"{name}.zero_point"] = param.q_zero_point()
        int_repr = param.int_repr()
        int_repr_cs = sparse.csr_matrix(int_repr)
        elementary_qtz_st[f"{name}.int_repr.data"] = int_repr_cs.data
        elementary_qtz_st[f"{name}.int_repr.indptr"] = int_repr_cs.indptr
        assert max(int_repr_cs.indices) < 65535
        elementary_qtz_st[f"{name}.int_repr.indices"] = np.uint16(int_repr_cs.indices)
        elementary_qtz_st[f"{name}.int_repr.shape"] = int_repr_cs.shape
    else:
        elementary_qtz_st[name] = param
steps.done("csr")

dtype_2_str = {torch.qint8: "qint8"}
path = os.path.join(output_folder, "squad_sparse.h5" if what == "encoder" else "squad_sparse_with_embs.h5")
with h5py.File(path, "w") as hf:
    for name, param in elementary_qtz_st.items():
        if what == "encoder" and ("embedding" in name or "pooler" in name):
            continue
        if type(param) == torch.Tensor:
            if param.numel() == 1:
                hf.attrs[name] = param
                continue
            if param.requires_grad:
                param = param.detach().numpy()
            hf.create_dataset(name, data=param, compression="gzip", compression_opts=9)
        elif type(param) == float or type(param) == int or type(param) == tuple:
            hf.attrs[name] = param
        elif type(param) == torch.dtype:
            hf.attrs[name] = dtype_2_str[param]
        else:
            hf.create_dataset(name, data=param.detach() if hasattr(param, "detach") else param, compression="gzip", compression_opts=9)
with open(os.path.join(output_folder, "metadata.json"), "w") as f:
    f.write(json.dumps(packed_st._metadata))
steps.done("write")

print(
    json.dumps(
        {
            "seconds": steps.seconds,
            "peakBytes": peak_bytes(),
            "fileBytes": os.path.getsize(path),
            "threads": torch.get_num_threads(),
            "versions": {
                "python": sys.version.split()[0],
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "h5py": h5py.__version__,
                "hdf5": h5py.version.hdf5_version,
                "scipy": scipy.__version__,
                "numpy": np.__version__,
            },
        }
    )
)
