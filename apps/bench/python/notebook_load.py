"""The loading half of the notebook "Saving PruneBERT", timed by step: h5py, scipy, and the re-assembly of the quantized state dict.

    notebook_load.py FILE.h5

Prints one JSON object: seconds by step, peak resident memory in bytes (and what was resident before the first step), versions. Imports are not timed.
The notebook's assertions against the state dict in memory are left out (that would count against it).
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import h5py
import numpy as np
import scipy
import torch
from scipy import sparse
from steps import Steps, peak_bytes

before = peak_bytes()
str_2_dtype = {"qint8": torch.qint8}
steps = Steps()
reconstructed_elementary_qtz_st = {}
hf = h5py.File(sys.argv[1], "r")
for attr_name, attr_param in hf.attrs.items():
    if "shape" in attr_name:
        attr_param = tuple(attr_param)
    elif ".scale" in attr_name:
        if "_packed_params" in attr_name:
            attr_param = float(attr_param)
        else:
            attr_param = torch.tensor(attr_param)
    elif ".zero_point" in attr_name:
        if "_packed_params" in attr_name:
            attr_param = int(attr_param)
        else:
            attr_param = torch.tensor(attr_param)
    elif ".dtype" in attr_name:
        attr_param = str_2_dtype[attr_param]
    reconstructed_elementary_qtz_st[attr_name] = attr_param
for data_name, data_param in hf.items():
    if "LayerNorm" in data_name or "_packed_params.bias" in data_name:
        reconstructed_elementary_qtz_st[data_name] = torch.from_numpy(np.array(data_param))
    elif "embedding" in data_name:
        reconstructed_elementary_qtz_st[data_name] = torch.from_numpy(np.array(data_param))
    else:
        data_param = np.array(data_param)
        if "indices" in data_name:
            data_param = np.array(data_param, dtype=np.int32)
        reconstructed_elementary_qtz_st[data_name] = data_param
hf.close()
steps.done("read")

reconstructed_qtz_st = {}
for name, param in reconstructed_elementary_qtz_st.items():
    if "weight.int_repr.indptr" in name:
        prefix_ = name[:-16]
        data = reconstructed_elementary_qtz_st[f"{prefix_}.int_repr.data"]
        indptr = reconstructed_elementary_qtz_st[f"{prefix_}.int_repr.indptr"]
        indices = reconstructed_elementary_qtz_st[f"{prefix_}.int_repr.indices"]
        shape = reconstructed_elementary_qtz_st[f"{prefix_}.int_repr.shape"]
        int_repr = sparse.csr_matrix(arg1=(data, indices, indptr), shape=shape)
        int_repr = torch.tensor(int_repr.todense())
        scale = reconstructed_elementary_qtz_st[f"{prefix_}.scale"]
        zero_point = reconstructed_elementary_qtz_st[f"{prefix_}.zero_point"]
        reconstructed_qtz_st[f"{prefix_}"] = torch._make_per_tensor_quantized_tensor(int_repr, scale, zero_point)
    elif (
        "int_repr.data" in name
        or "int_repr.shape" in name
        or "int_repr.indices" in name
        or "weight.scale" in name
        or "weight.zero_point" in name
    ):
        continue
    else:
        reconstructed_qtz_st[name] = param
steps.done("reassemble")

print(
    json.dumps(
        {
            "seconds": steps.seconds,
            "peakBytes": peak_bytes(),
            "baseBytes": before,
            "tensors": len(reconstructed_qtz_st),
            "versions": {
                "python": sys.version.split()[0],
                "torch": torch.__version__,
                "h5py": h5py.__version__,
                "scipy": scipy.__version__,
                "numpy": np.__version__,
            },
        }
    )
)
