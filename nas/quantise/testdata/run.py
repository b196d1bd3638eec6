"""Checks ONNX files of networks of images and runs them in ONNX Runtime.

standard input   JSON: [{"model": FILE, "shape": [...], "images": FILE of float32}]
standard output  JSON: [{"logits": [...], "operators": {NAME: nodes}}], the operators of the graph that runs
"""

import collections
import json
import os
import sys
import tempfile

import numpy
import onnx
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3  # no warning that an optimised file is for this machine
results = []
with tempfile.TemporaryDirectory() as folder:
    options.optimized_model_filepath = os.path.join(folder, "optimised.onnx")
    for case in json.load(sys.stdin):
        onnx.checker.check_model(case["model"], full_check=True)
        session = onnxruntime.InferenceSession(case["model"], options, providers=["CPUExecutionProvider"])
        images = numpy.fromfile(case["images"], dtype="float32").reshape(case["shape"])
        (logits,) = session.run(None, {"images": images})
        nodes = onnx.load(options.optimized_model_filepath).graph.node
        operators = collections.Counter(node.op_type for node in nodes)
        results.append({"logits": logits.astype("float64").flatten().tolist(), "operators": operators})
json.dump(results, sys.stdout)
