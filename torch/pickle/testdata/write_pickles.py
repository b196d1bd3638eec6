"""Writes pickle_zip.pt and pickle_legacy.pt, which pickle_test.go reads. PyTorch 2.11."""

from collections import OrderedDict

import torch

types = ["float32", "float64", "float16", "bfloat16", "uint8", "int8", "int16", "int32", "int64"]
numbers = torch.arange(12)
state = OrderedDict((f"type.{t}", numbers.to(getattr(torch, t)).reshape(3, 4)) for t in types)
state["type.bool"] = numbers % 2 == 1
shared = torch.arange(24.0)
state["part"] = shared[4:10].reshape(2, 3)
state["transposed"] = shared.reshape(4, 6).T
state["images"] = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
state["scalar"] = torch.tensor(3)
state["empty"] = torch.zeros(0, 2)
state["parameter"] = torch.nn.Parameter(torch.arange(3.0))
state._metadata = OrderedDict({"": {"version": 2}})
saved = {
    "epoch": 7,
    "best": 0.5,
    "args": ["a", None, True, -1, 2**40, (1, 2)],
    "state_dict": state,
    "optimizer": {"state": {0: {"momentum_buffer": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
}
torch.save(saved, "pickle_zip.pt")
torch.save(saved, "pickle_legacy.pt", _use_new_zipfile_serialization=False)
