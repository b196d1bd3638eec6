"""A network that `darts export` wrote, for PyTorch; it needs nothing but torch.

    import network
    model, about = network.load()     # weights.safetensors beside this file
    logits = model(network.normalise(images, about))
    print(about["class_names"][logits[0].argmax()])

images are N x channels x size x size with values from 0 to 1. The network is that of
training, without drop-path. torch.jit.script, torch.export and torch.compile take it.
With the auxiliary head, which `darts export --auxiliary` keeps, it returns in training
mode the logits of both classifiers; torch.jit.script does not take that form.
"""

import json
import pathlib
import struct

import torch
from torch import nn


def normalise(images, about):
    """What training made of images with values from 0 to 1."""
    mean, std = (torch.tensor(about[key], dtype=images.dtype).reshape(1, -1, 1, 1) for key in ("mean", "std"))
    return (images - mean) / std


class Wrapped(nn.Module):
    """Layers in a row, under the name `op`."""

    def __init__(self, *layers):
        super().__init__()
        self.op = nn.Sequential(*layers)

    def forward(self, x):
        return self.op(x)


def conv(c_in, c_out, kernel, stride=1, padding=0, **more):
    return nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=False, **more)


def relu_conv_bn(c_in, c_out):
    return Wrapped(nn.ReLU(), conv(c_in, c_out, 1), nn.BatchNorm2d(c_out))


class FactorizedReduce(nn.Module):
    """Two 1x1 convolutions of stride 2, the second on the image moved by a row and a column."""

    def __init__(self, c_in, halves):
        super().__init__()
        self.conv_1 = conv(c_in, halves[0], 1, 2)
        self.conv_2 = conv(c_in, halves[1], 1, 2)
        self.bn = nn.BatchNorm2d(sum(halves))

    def forward(self, x):
        x = torch.relu(x)
        return self.bn(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], 1))


def separable(c_in, c_out, kernel, stride, dilation=1):
    """[ReLU, depthwise, pointwise, batch norm]"""
    padding = dilation * (kernel - 1) // 2
    depthwise = conv(c_in, c_in, kernel, stride, padding, dilation=dilation, groups=c_in)
    return [nn.ReLU(), depthwise, conv(c_in, c_out, 1), nn.BatchNorm2d(c_out)]


class Zero(nn.Module):
    """The operation "none"."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0


def operation(name, c, left, stride):
    """An operation from c to c channels; left are those read, inside, and of each half of the result."""
    c_in, inner, halves = left
    c_out = sum(halves)
    if name == "none":
        return Zero(stride)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(c_in, halves)
    if name == "conv_7x1_1x7":
        wide, high = conv(c_in, c, (1, 7), (1, stride), (0, 3)), conv(c, c_out, (7, 1), (stride, 1), (3, 0))
        return nn.Sequential(nn.ReLU(), wide, high, nn.BatchNorm2d(c_out))
    kind, _, size = name.partition("_conv_")
    if kind == "sep":
        return Wrapped(*separable(c_in, inner, int(size[0]), stride), *separable(inner, c_out, int(size[0]), 1))
    if kind == "dil":
        return Wrapped(*separable(c_in, c_out, int(size[0]), stride, dilation=2))
    raise ValueError(f"no operation {name}")


def whole(edges, c):
    """The channels of a cell that is not pruned."""
    return {"states": [[c // 2, c - c // 2]] * (2 + len(edges) // 2), "inner": [c] * len(edges)}


class Cell(nn.Module):
    """Node i is the sum of edges 2i and 2i+1, each an operation on an earlier state."""

    def __init__(self, edges, concat, before, last, c, widths, reduce, reduced_before):
        super().__init__()
        states, inner = widths["states"], widths["inner"]
        if reduced_before:
            self.preprocess0 = FactorizedReduce(before, states[0])
        else:
            self.preprocess0 = relu_conv_bn(before, sum(states[0]))
        self.preprocess1 = relu_conv_bn(last, sum(states[1]))
        self.concat = concat
        self.sources = [source for _, source in edges]
        self._ops = nn.ModuleList(
            operation(name, c, (sum(states[source]), inner[k], states[2 + k // 2]), 2 if reduce and source < 2 else 1)
            for k, (name, source) in enumerate(edges)
        )

    def forward(self, s0, s1):
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for k, op in enumerate(self._ops):
            x = op(states[self.sources[k]])
            if k % 2 == 0:
                states.append(x)
            else:
                states[-1] = states[-1] + x
        return torch.cat([states[i] for i in self.concat], 1)


class AuxiliaryHead(nn.Module):
    """A second classifier, on the output of the second reduction cell; training alone uses it."""

    def __init__(self, c, classes, imagenet):
        super().__init__()
        layers = [
            nn.ReLU(inplace=True),
            nn.AvgPool2d(5, 2 if imagenet else 3, count_include_pad=False),
            conv(c, 128, 1),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            conv(128, 768, 2),
        ]
        if not imagenet:
            layers.append(nn.BatchNorm2d(768))
        self.features = nn.Sequential(*layers, nn.ReLU())
        self.classifier = nn.Linear(768, classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Network(nn.Module):
    """The network that about describes, as read gives it."""

    def __init__(self, about):
        super().__init__()
        c, layers, classes = about["channels"], about["layers"], about["classes"]
        imagenet, widths = about["imagenet"], about.get("widths")
        stem = [c // 2, c, c] if imagenet else [about["stem_multiplier"] * c]
        if widths:
            stem = widths["stem"]
        if imagenet:
            self.stem0 = nn.Sequential(
                conv(about["input_channels"], stem[0], 3, 2, 1),
                nn.BatchNorm2d(stem[0]),
                nn.ReLU(),
                conv(stem[0], stem[1], 3, 2, 1),
                nn.BatchNorm2d(stem[1]),
            )
            self.stem1 = nn.Sequential(nn.ReLU(), conv(stem[1], stem[2], 3, 2, 1), nn.BatchNorm2d(stem[2]))
            before, last = stem[1:]
        else:
            before = last = stem[0]
            self.stem = nn.Sequential(conv(about["input_channels"], last, 3, 1, 1), nn.BatchNorm2d(last))
        self.cells = nn.ModuleList()
        self.auxiliary_layer = 2 * layers // 3
        reduced_before = imagenet
        for layer in range(layers):
            reduce = layer in (layers // 3, self.auxiliary_layer)
            if reduce:
                c *= 2
            kind = "reduce" if reduce else "normal"
            edges, concat = about["genotype"][kind], about["genotype"][kind + "_concat"]
            left = widths["cells"][layer] if widths else whole(edges, c)
            self.cells.append(Cell(edges, concat, before, last, c, left, reduce, reduced_before))
            before, last = last, sum(sum(left["states"][i]) for i in concat)
            reduced_before = reduce
            if layer == self.auxiliary_layer and about["auxiliary"]:
                self.auxiliary_head = AuxiliaryHead(last, classes, imagenet)
        self.pool = nn.AvgPool2d(7) if imagenet else nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(last, classes)

    def forward(self, x):
        if hasattr(self, "stem0"):
            s0 = self.stem0(x)
            s1 = self.stem1(s0)
        else:
            s0 = self.stem(x)
            s1 = s0
        at = s1
        for layer, cell in enumerate(self.cells):
            s0, s1 = s1, cell(s0, s1)
            if layer == self.auxiliary_layer:
                at = s1
        logits = self.classifier(self.pool(s1).flatten(1))
        if hasattr(self, "auxiliary_head"):
            if self.training:
                return logits, self.auxiliary_head(at)
        return logits
