"""Codes int8 matrices losslessly with NNCodec (Fraunhofer HHI's implementation of ISO/IEC 15938-17, a Clear BSD licence that grants no patents): measured beside, never shipped.

    nncodec_peer.py FOLDER ROUNDS

FOLDER/shapes.json is [[rows, columns], ...], FOLDER/matrices.bin their elements, dense, int8, row-major, one after another. A matrix of int32 is what NNCodec codes as it is, without
quantizing; each is a stream of its own, as with the other coders, and must come back equal. Prints one JSON object: the version, and for each setting bytes and seconds of this
thread's own time, encoding once, decoding ROUNDS times. Imports are not timed; decoding ends at a dense int32 array.
"""

import json
import os
import sys
import time
from importlib.metadata import version

import numpy as np
from nncodec import nnc

folder, rounds = sys.argv[1], int(sys.argv[2])
# The defaults of its own `nncodec.nn.encode`, and what came out smallest on mini-qa: magnitudes in unary up to 32 instead of 11 (48, 64 or 128 change less than 0.1 %), rows without
# anything in them not skipped. Its other scan orders are 1 to 2 % larger.
SETTINGS = {"defaults": {"row_skipping": True}, "unary prefix of 32": {"row_skipping": False, "cabac_unary_length_minus1": 31}}


def seconds(run):
    start = time.thread_time()
    result = run()
    return time.thread_time() - start, result


def matrices():
    with open(os.path.join(folder, "matrices.bin"), "rb") as file:
        for rows, columns in shapes:
            yield np.frombuffer(file.read(rows * columns), dtype=np.int8).reshape(rows, columns).astype(np.int32)


with open(os.path.join(folder, "shapes.json")) as file:
    shapes = json.load(file)
# It writes every stream to a file as well.
bitstream = os.path.join(folder, "bitstream.nnc")
report = []
for name, setting in SETTINGS.items():
    encode_seconds, size, decode_seconds = 0.0, 0, [0.0] * rounds
    for i, matrix in enumerate(matrices()):
        took, stream = seconds(lambda: nnc.compress({"w": matrix}, bitstream, return_bitstream=True, use_dq=False, **setting))
        encode_seconds += took
        size += len(stream)
        for r in range(rounds):
            took, back = seconds(lambda: nnc.decompress(stream)["w"])
            decode_seconds[r] += took
            if back.shape != matrix.shape or not np.array_equal(back, matrix):
                raise SystemExit(f"nncodec ({name}) does not give matrix {i} back")
    report.append({"setting": name, "bytes": size, "encodeSeconds": encode_seconds, "decodeSeconds": decode_seconds})
print(json.dumps({"version": version("nncodec"), "rows": report}))
