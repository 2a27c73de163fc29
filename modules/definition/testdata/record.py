#!/usr/bin/env python3
"""Write gates.npz: what PyTorch computes for examples/modules/gates.yaml, whose modules are written here as classes.

Weights, batch-norm statistics and the image come from NumPy's PCG64, seeded with 0. Each layer's value is yN, each tensor
p.model.N.<name>. The image is 16x24 in a batch of 2.
"""
from pathlib import Path

import numpy as np
import torch
from torch import nn


class Conv(nn.Module):
    def __init__(self, c1, c2, k=1, s=1):
        super().__init__()
        self.conv, self.bn, self.act = nn.Conv2d(c1, c2, k, s, k // 2, bias=False), nn.BatchNorm2d(c2, eps=1e-3), nn.SiLU()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, c1, c2, shortcut=True, e=0.5):
        super().__init__()
        self.cv1, self.cv2, self.add = Conv(c1, int(c2 * e)), Conv(int(c2 * e), c2, 3), shortcut

    def forward(self, x):
        return x + self.cv2(self.cv1(x)) if self.add else self.cv2(self.cv1(x))


class Gate(nn.Module):
    def __init__(self, c1, ratio=4):
        super().__init__()
        hidden = max(c1 // ratio, 2)
        self.fc1, self.act, self.fc2 = nn.Conv2d(c1, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, c1, 1)
        self.alpha = nn.Parameter(torch.ones(1, c1, 1, 1))

    def forward(self, x):
        return x + self.alpha * x * torch.sigmoid(self.fc2(self.act(self.fc1(nn.functional.adaptive_avg_pool2d(x, 1)))))


class Fuse(nn.Module):
    def __init__(self, ca, cb, c2):
        super().__init__()
        self.cv, self.w = Conv(ca + cb, c2, 3), nn.Parameter(torch.randn(2))

    def forward(self, a, b):
        w = self.w.exp() / self.w.exp().sum()
        return self.cv(torch.cat((w[0] * a, w[1] * nn.Upsample(a.shape[2:])(b)), 1))


class Stack(nn.Module):
    def __init__(self, c1, c2, n):
        super().__init__()
        h = c2 // 2
        self.cv1, self.gate, self.cv2 = Conv(c1, 2 * h), Gate(h, 2), Conv(2 * h, c2)
        self.m = nn.Sequential(*(Bottleneck(h, h) for _ in range(n)))

    def forward(self, x):
        y = self.cv1(x)
        h = y.shape[1] // 2
        return self.cv2(torch.cat((self.gate(self.m(y[:, :h])), y[:, h:]), 1))


def main():
    layers = nn.ModuleList([Conv(3, 8, 3, 2), Gate(8, 2), Conv(8, 16, 3, 2), Stack(16, 16, 2), Fuse(8, 16, 16)]).eval()
    draw = np.random.Generator(np.random.PCG64(0))
    for name, t in layers.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        values = 0.4 * draw.standard_normal(t.shape)
        values = 10 ** draw.uniform(-1, 0.5, t.shape) if name.endswith("running_var") else values + 1 if ".bn.weight" in name else values
        t.copy_(torch.from_numpy(values.astype(np.float32)))
    x = torch.from_numpy(draw.standard_normal((2, 3, 16, 24)).astype(np.float32))
    values = [x]
    with torch.no_grad():
        for i, layer in enumerate(layers):
            values.append(layer(values[2], values[4]) if i == 4 else layer(values[-1]))
    state = {f"p.model.{k}": v.numpy() for k, v in layers.state_dict().items() if not k.endswith("num_batches_tracked")}
    np.savez_compressed(Path(__file__).parent / "gates.npz", x=x.numpy(), **{f"y{i}": v.numpy() for i, v in enumerate(values[1:])}, **state)


if __name__ == "__main__":
    main()
