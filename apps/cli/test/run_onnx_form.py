"""Runs the graphs that `prune unpack --form onnx` wrote.

usage: run_onnx_form.py INPUTS

INPUTS is a JSON file: a list of [path of a graph, {input name: rows of integers}]. Prints a list of {output name: values}
as JSON. Checks each graph by onnx first.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
# Sums are exact: without this entry, processors without VNNI saturate them at 16 bits.
options.add_session_config_entry("session.x64quantprecision", "1")
results = []
with open(sys.argv[1]) as file:
    given = json.load(file)
for path, inputs in given:
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_outputs()]
    known = {value.name for value in session.get_inputs()}
    arrays = {name: np.array(rows, np.int64) for name, rows in inputs.items() if name in known}
    outputs = session.run(names, arrays)
    results.append({name: output.ravel().tolist() for name, output in zip(names, outputs)})
print(json.dumps(results))
