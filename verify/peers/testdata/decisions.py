#!/usr/bin/env python3
"""A model with a gate that float32 and float64 decide differently: parity.py must record float64 with float32's decision.

0.7 * 3 >= 2.1 holds in float32, where both sides are 2.0999999046, and not in float64, of the same float32 number: its
product is 2.0999999642.
"""
import sys

import torch
import torch.nn as nn

sys.path.insert(0, "..")
import parity_record  # noqa: E402


class Gate(nn.Module):
    def forward(self, x):
        return torch.where(x * 3 >= 2.1, x + 1, x)


class Head(nn.Module):
    def forward(self, x):
        return x.flatten(1)[..., None] * 3


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(Gate(), Head())

    def forward(self, x):
        return self.model(x)


x = torch.full((1, 1, 1, 2), 0.7)
print("decided:", (x * 3 >= 2.1).all().item(), (x.double() * 3 >= 2.1).any().item())
out = parity_record.record(Model(), x)
for name in ("layer.0", "output0"):
    exact = (float(x[0, 0, 0, 0]) + 1) * (1 if name == "layer.0" else 3)
    recorded = out[name].ravel()[0].astype(float) + out[name + ".rounding"].ravel()[0]
    print(name, "right" if out[name + ".rounding"].any() and abs(recorded - exact) < 1e-9 else f"{recorded}, want {exact}")
