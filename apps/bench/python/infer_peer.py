"""A dense int8 runtime of Python, in a process that runs when it is told to: measured beside ours, never shipped.

    infer_peer.py SPEC

SPEC is one JSON object: `runtime` (`openvino` or `pytorch`), `file` (OpenVINO: an ONNX graph of standard operators with
int8 weights; PyTorch: a model folder, as transformers reads it) and `threads`. Says `{"ready": ...}` when the model is
loaded, then answers requests, one line of JSON each: `{"ask": "logits", "ids": ...}` with `{"logits": [...]}`, start
logits first, and `{"ask": "time", "ids": ..., "runs": n}` with the seconds of n passes after one that does not count.

PyTorch computes with `quantize_dynamic` over every Linear, as people use it. OpenVINO has two int8 forms of the same
weights, and takes the one that is faster on this machine: weights of 8 bits, with activations that it quantizes as it
likes (what DequantizeLinear before a MatMul gives), or activations of 8 bits too, in ranges that were observed before (a
FakeQuantize before each Linear, as its Neural Network Compression Framework puts them). On a processor without VNNI the
first one is usually faster.
"""

import json
import logging
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
logging.disable(logging.WARNING)
# Libraries print what they like on standard output: the answers go to a copy of it.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import numpy as np

CALIBRATION = {"sequences": 4, "tokens": 128}


def say(answer):
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def seconds(run, runs):
    run()
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        took.append(time.perf_counter() - start)
    return took


def sample_ids(sequences, tokens):
    ids = np.random.RandomState(1).randint(1000, 30000, (sequences, tokens)).astype(np.int32)
    ids[:, 0] = 101
    return ids


def load_pytorch(spec):
    import torch
    import transformers

    transformers.utils.logging.disable_progress_bar()
    torch.set_num_threads(spec["threads"])
    model = transformers.BertForQuestionAnswering.from_pretrained(spec["file"]).float().eval()
    quantized = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)

    def run(ids):
        with torch.inference_mode():
            output = quantized(input_ids=torch.from_numpy(ids).long())
            return np.stack([output.start_logits.numpy(), output.end_logits.numpy()])

    return run, f"quantize_dynamic, {torch.backends.quantized.engine}", torch.__version__


def load_openvino(spec):
    import openvino

    core = openvino.Core()
    config = {"INFERENCE_NUM_THREADS": spec["threads"], "NUM_STREAMS": 1}

    def runner(model):
        request = core.compile_model(model, "CPU", config).create_infer_request()
        # The start logit and the end logit of each token lie side by side.
        return lambda ids: np.moveaxis(request.infer([ids, np.zeros_like(ids)])[0], 2, 0)

    forms = {
        "8-bit weights": runner(core.read_model(spec["file"])),
        "8-bit weights and activations": runner(with_quantized_activations(core, core.read_model(spec["file"]))),
    }
    ids = sample_ids(1, CALIBRATION["tokens"])
    best = min(forms, key=lambda form: min(seconds(lambda: forms[form](ids), 3)))
    return forms[best], best, openvino.__version__.split("-")[0]


def with_quantized_activations(core, model):
    """Rounds every input of a Linear to 256 steps, zero among them, over the range that it has on samples."""
    from openvino import Model, opset13

    inputs = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul" and is_constant(node.input_value(1).get_node()):
            inputs.setdefault(node.input_value(0), []).append(node)
    extremes = []
    for value in inputs:
        axes = opset13.constant(np.arange(len(value.get_partial_shape()), dtype=np.int64))
        extremes += [opset13.result(opset13.reduce_min(value, axes)), opset13.result(opset13.reduce_max(value, axes))]
    ids = sample_ids(CALIBRATION["sequences"], CALIBRATION["tokens"])
    observed = core.compile_model(Model(extremes, model.get_parameters(), "ranges"), "CPU")([ids, np.zeros_like(ids)])
    for i, (value, nodes) in enumerate(inputs.items()):
        low, high = min(float(observed[2 * i]), 0.0), max(float(observed[2 * i + 1]), 0.0)
        scale = (high - low) / 255 or 1.0
        low = -round(-low / scale) * scale
        bounds = [np.float32(low), np.float32(low + 255 * scale)]
        quantized = opset13.fake_quantize(value, *bounds, *bounds, 256)
        for node in nodes:
            node.input(0).replace_source_output(quantized.output(0))
    return model


def is_constant(node):
    """Whether a MatMul's second input is a weight: a constant, converted and scaled."""
    while node.get_input_size() > 0:
        if node.get_type_name() not in ("Convert", "Subtract", "Multiply", "Transpose"):
            return False
        node = node.input_value(0).get_node()
    return node.get_type_name() == "Constant"


try:
    spec = json.loads(sys.argv[1])
    start = time.perf_counter()
    run, kernels, version = (load_openvino if spec["runtime"] == "openvino" else load_pytorch)(spec)
    say({"ready": {"loadSeconds": time.perf_counter() - start, "kernels": kernels, "version": version}})
except Exception as error:
    say({"error": f"{type(error).__name__}: {error}"})
    sys.exit(1)
for line in sys.stdin:
    request = json.loads(line)
    ids = np.array(request["ids"], dtype=np.int32)
    try:
        if request["ask"] == "logits":
            say({"logits": run(ids).reshape(-1).tolist()})
        else:
            say({"seconds": seconds(lambda: run(ids), request["runs"])})
    except Exception as error:
        say({"error": f"{type(error).__name__}: {error}"})
