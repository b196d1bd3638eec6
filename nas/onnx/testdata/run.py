"""Checks ONNX files and runs them in ONNX Runtime.

standard input   JSON: [{"model": FILE, "inputs": {NAME: {"type": "float32", "shape": [...], "file": FILE}}}]
standard output  JSON: [{NAME: {"shape": [...], "values": [...]}}], the outputs of each
"""

import json
import sys

import numpy
import onnx
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
results = []
for case in json.load(sys.stdin):
    onnx.checker.check_model(case["model"], full_check=True)
    session = onnxruntime.InferenceSession(case["model"], options, providers=["CPUExecutionProvider"])
    feed = {
        name: numpy.fromfile(x["file"], dtype=x["type"]).reshape(x["shape"]) for name, x in case["inputs"].items()
    }
    names = [output.name for output in session.get_outputs()]
    result = {}
    for name, value in zip(names, session.run(names, feed)):
        result[name] = {"shape": value.shape, "values": value.astype("float64").flatten().tolist()}
    results.append(result)
json.dump(results, sys.stdout)
