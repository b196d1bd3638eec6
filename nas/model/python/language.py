"""A language model that `darts export` wrote, for PyTorch; it needs nothing but torch.

    import network
    model, about = network.load()     # weights.safetensors beside this file
    words = about["words"]            # a word's number is its place in this list; absent if the text was
                                      # not at hand when the model was exported
    logits, state = model(tokens, model.start(tokens.shape[1]))

tokens are numbers of words [T,B], logits [T,B,words] those of the words that follow, and
state [1,B,units] is what the next call goes on from. The model is that of training,
without dropout. torch.jit.script, torch.export and torch.compile take it.
"""

import json
import pathlib
import struct

import torch
from torch import nn

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "identity": nn.Identity}


class Cell(nn.Module):
    """The recurrent cell: its output is the mean of the states that the genotype lists."""

    def __init__(self, edges, concat, units):
        super().__init__()
        self._W0 = nn.Parameter(torch.empty(2 * units, 2 * units))
        self._Ws = nn.ParameterList(nn.Parameter(torch.empty(units, 2 * units)) for _ in edges)
        self.activations = nn.ModuleList(ACTIVATIONS[name]() for name, _ in edges)
        self.sources = [source for _, source in edges]
        self.concat = list(concat)

    def gate(self, s, products):
        c, h = products.chunk(2, -1)
        return torch.sigmoid(c), h

    def forward(self, x, h):
        c, candidate = self.gate(h, torch.cat([x, h], -1) @ self._W0)
        states = [h + c * (torch.tanh(candidate) - h)]
        for i, (w, activation) in enumerate(zip(self._Ws, self.activations)):
            s = states[self.sources[i]]
            c, candidate = self.gate(s, s @ w)
            states.append(s + c * (activation(candidate) - s))
        return torch.stack([states[i] for i in self.concat]).mean(0)


class Network(nn.Module):
    """The language model that about describes, as read gives it."""

    def __init__(self, about):
        super().__init__()
        words, self.units = about["tokens"], about["units"]
        self.encoder = nn.Embedding(words, self.units)
        self.rnns = nn.ModuleList([Cell(about["genotype"]["recurrent"], about["genotype"]["concat"], self.units)])
        self.decoder = nn.Linear(self.units, words)
        self.decoder.weight = self.encoder.weight

    def start(self, columns: int):
        """The state before the first word [1,columns,units]."""
        return torch.zeros(1, columns, self.units, dtype=self.encoder.weight.dtype, device=self.encoder.weight.device)

    def forward(self, tokens, state):
        embedded = self.encoder(tokens)
        h = state[0]
        outputs = []
        for t in range(tokens.shape[0]):
            for cell in self.rnns:
                h = cell(embedded[t], h)
            outputs.append(h)
        return self.decoder(torch.stack(outputs)), h[None]
