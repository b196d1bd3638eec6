"""Writes toy.pth, toy_parallel.pth.tar and toy.safetensors, which weights_test.go reads. PyTorch 2.11."""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
sys.path.insert(0, str(here.parent / "python"))
import network

torch.manual_seed(0)
model = network.Network(json.loads((here / "toy.json").read_text()))
images = torch.randn(2, 1, 32, 32)
for _ in range(3):  # moves the running statistics
    model(torch.randn(4, 1, 32, 32))
optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
model(images).square().mean().backward()
optimizer.step()

torch.save(model.state_dict(), here / "toy.pth")
checkpoint = {
    "epoch": 3,
    "state_dict": torch.nn.DataParallel(model).state_dict(),
    "best_acc_top1": 12.5,
    "optimizer": {"state": {}, "param_groups": [{"lr": 0.1, "params": [0]}]},
}
torch.save(checkpoint, here / "toy_parallel.pth.tar", _use_new_zipfile_serialization=False)
save_file({"images": images, "logits": model.eval()(images).detach()}, here / "toy.safetensors")
