"""Loads an HDF5 file as the notebook "Saving PruneBERT" does, and prints what it got as JSON lines: name, place, dtype, shape, SHA-256."""

import hashlib
import json
import sys

import h5py
import numpy as np

dense = {}
with h5py.File(sys.argv[1], "r") as hf:
    # The notebook's loop: attributes first, then datasets; what is an attribute there must be one here.
    for attr_name, attr_param in hf.attrs.items():
        dense[attr_name] = ("attribute", attr_param)
    for dataset_name, dataset_param in hf.items():
        # `[()]`, as the notebook reads whole datasets.
        dense[dataset_name] = ("dataset", dataset_param[()])

for name, (place, value) in dense.items():
    if isinstance(value, str):
        line = [name, place, "str", [], value]
    else:
        array = np.asarray(value)
        line = [name, place, str(array.dtype), list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]
    print(json.dumps(line))
