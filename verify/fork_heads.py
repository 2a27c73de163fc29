"""Heads that YOLOv5's forks put in the place of Detect, in PyTorch, written from what their code computes and their checkpoints hold.

Each doc string says what was read. All give one tensor, [N, na * sum(h_i * w_i), columns], decoded as Detect's is: scale by scale,
anchor by anchor, then row-major over the map. They have Detect's attributes; anchors are kept divided by the stride, which is set
from outside.
"""
import torch_modules
from torch_modules import torch

nn = torch.nn


class Anchored(nn.Module):
    """What these heads share: anchors, strides and the form of the outcome. `extra` columns come between objectness and scores."""

    extra = 0

    def __init__(self, nc, anchors, channels):
        super().__init__()
        self.nc, self.no, self.nl, self.na = nc, nc + 5 + self.extra, len(anchors), len(anchors[0]) // 2
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float32).reshape(self.nl, -1, 2))
        self.m = nn.ModuleList(self.branch(c) for c in channels)
        self.stride = None

    def branch(self, channels):
        return nn.Conv2d(channels, self.no * self.na, 1)

    def forward(self, maps):
        return torch.cat([self.decode(i, m(x)) for i, (m, x) in enumerate(zip(self.m, maps))], 1)

    def decode(self, i, x):
        n, _, h, w = x.shape
        x = x.reshape(n, self.na, self.no, h, w).permute(0, 1, 3, 4, 2)
        down, across = torch.arange(h, dtype=x.dtype).reshape(h, 1), torch.arange(w, dtype=x.dtype)
        cell = torch.stack([across.expand(h, w), down.expand(h, w)], -1)
        anchor, stride = (self.anchors[i] * self.stride[i]).reshape(self.na, 1, 1, 2), self.stride[i]
        p = torch.sigmoid(x)
        parts = [(2 * p[..., :2] - 0.5 + cell) * stride, (2 * p[..., 2:4]) ** 2 * anchor, p[..., 4:5]]
        parts += [x[..., k:k + 2] * anchor + cell * stride for k in range(5, 5 + self.extra, 2)]
        return torch.cat([*parts, p[..., 5 + self.extra:]], -1).reshape(n, -1, self.no)


class LandmarkDetect(Anchored):
    """The Detect of yolov5-face (repository deepcam-cn/yolov5-face): five points an anchor, from the cell's corner in its anchor's sizes."""

    extra = 10


class QuadrangleDetect(LandmarkDetect):
    """The same with four points, as several repositories made of it."""

    extra = 8
