"""Writes a model of small matrices as the notebook "Saving PruneBERT" saves one: what is an attribute and what a dataset is its decision.

    notebook-save.py FILE.h5

Needs no PyTorch and no scipy: a `Parameter` stands for a `torch.Tensor`, and the arrays of a matrix are numpy's, as scipy's are.
"""

import sys

import h5py
import numpy as np


class Parameter:
    """The notebook asks a tensor for its number of elements. It asks nothing else for its length."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def numel(self):
        return self.values.size


def one(rows, columns, row, column):
    """A matrix with one nonzero."""
    matrix = np.zeros((rows, columns), np.int8)
    matrix[row, column] = -7
    return matrix


# The notebook cannot save a matrix without nonzeros: its check of the largest column fails.
matrices = {
    "one-nonzero": one(5, 7, 3, 2),
    "one-row": one(1, 7, 0, 6),
    "one-column": one(5, 1, 4, 0),
    "one-cell": one(1, 1, 0, 0),
    "two-nonzeros": one(5, 7, 3, 2) + one(5, 7, 0, 0),
}
elementary_qtz_st = {}
for module, matrix in matrices.items():
    rows, indices = np.nonzero(matrix)
    assert max(indices) < 65535
    name = f"{module}._packed_params.weight"
    elementary_qtz_st[f"{module}.scale"] = Parameter(np.float32(1))
    elementary_qtz_st[f"{module}.zero_point"] = Parameter(np.int64(0))
    elementary_qtz_st[f"{module}._packed_params.dtype"] = "qint8"
    elementary_qtz_st[f"{name}.scale"] = 0.5
    elementary_qtz_st[f"{name}.zero_point"] = 0
    elementary_qtz_st[f"{name}.int_repr.data"] = matrix[rows, indices]
    elementary_qtz_st[f"{name}.int_repr.indptr"] = np.int32(np.concatenate([[0], np.cumsum((matrix != 0).sum(axis=1))]))
    elementary_qtz_st[f"{name}.int_repr.indices"] = np.uint16(indices)
    elementary_qtz_st[f"{name}.int_repr.shape"] = matrix.shape
    elementary_qtz_st[f"{module}._packed_params.bias"] = Parameter(np.full(len(matrix), 0.25, np.float32))

with h5py.File(sys.argv[1], "w") as hf:
    # The notebook's branches, in its order.
    for name, param in elementary_qtz_st.items():
        if type(param) == Parameter:
            if param.numel() == 1:
                hf.attrs[name] = param.values
                continue
            hf.create_dataset(name, data=param.values, compression="gzip", compression_opts=9)
        elif type(param) == float or type(param) == int or type(param) == tuple:
            hf.attrs[name] = param
        elif type(param) == str:
            hf.attrs[name] = param
        else:
            hf.create_dataset(name, data=param, compression="gzip", compression_opts=9)
