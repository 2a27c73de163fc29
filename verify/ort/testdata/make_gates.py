#!/usr/bin/env python3
"""Write gates.onnx, PyTorch's own export of a small model with a discontinuous gate, and what PyTorch computes for it.

The gate is ScConv's: x where r >= t, half of it elsewhere, with r a sigmoid of x. The threshold is put a few units in the
last place above r at one element that matters, so that rounding could decide it either way. Each archive holds the input,
every layer and output0:

    gates.npz       as PyTorch computes it
    gates-flip.npz  with that element decided the other way: a flip
    gates-far.npz   with another element decided the other way, far from the threshold: an error
    gates-both.npz  with both
    gates-next.npz  as gates-flip.npz, and the last layer's bias off by 1 %: an error that the flip does not excuse

Needs Debian's python3-torch (1.13). The same run gives the same files.
"""
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(4)
STEPS = 5  # units in the last place between r and the threshold


class Conv(nn.Module):
    def __init__(self, c1, c2, k):
        super().__init__()
        self.conv, self.act = nn.Conv2d(c1, c2, k, padding=k // 2), nn.SiLU()

    def forward(self, x):
        return self.act(self.conv(x))


class Gated(nn.Module):
    """A gate, then a 3x3 convolution, so that one flip reaches nine places."""

    def __init__(self, c):
        super().__init__()
        self.conv, self.t, self.flip = nn.Conv2d(c, c, 3, padding=1), 0.5, []

    def forward(self, x):
        self.r = r = torch.sigmoid(x)
        upper, lower = r >= self.t, r < self.t
        for at in self.flip:
            upper[at], lower[at] = lower[at].clone(), upper[at].clone()
        return self.conv(upper * x + lower * (x * 0.5))


class Head(nn.Module):
    """[N, C, H, W] -> [N, H*W, 6]."""

    def __init__(self, c):
        super().__init__()
        self.conv = nn.Conv2d(c, 6, 1)

    def forward(self, x):
        return torch.sigmoid(self.conv(x)).flatten(2).permute(0, 2, 1)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(Conv(3, 4, 3), Gated(4), Conv(4, 4, 1), Head(4))

    def forward(self, x):
        return self.model(x)


def record(name, flip=()):
    gated.flip, out = list(flip), {"input": x.numpy()}
    hooks = [m.register_forward_hook(lambda m, a, y, i=i: out.__setitem__(f"layer.{i}", y.numpy())) for i, m in enumerate(model.model[:-1])]
    with torch.no_grad():
        out["output0"] = model(x).numpy()
    for hook in hooks:
        hook.remove()
    np.savez_compressed(name, **out)


model = Model().eval()
gated = model.model[1]
x = torch.rand(2, 3, 6, 9, generator=torch.Generator().manual_seed(5))
with torch.no_grad():
    model(x)
at, far = (1, 3, 2, 6), (0, 2, 3, 4)  # [image, channel, row, column]
bits = gated.r[at].numpy().view(np.int32)
gated.t = float((bits + STEPS).astype(np.int32).view(np.float32))
torch.onnx.export(model, x, "gates.onnx", opset_version=16, input_names=["images"], output_names=["output0"])
record("gates.npz")
record("gates-flip.npz", [at])
record("gates-far.npz", [far])
record("gates-both.npz", [at, far])
with torch.no_grad():
    model.model[2].conv.bias *= 1.01
record("gates-next.npz", [at])
