"""YOLOv5's modules in PyTorch, written from their mathematical descriptions. torch_model.py makes a model of a YAML's rows with them.

parity.py checks exported files against these where it is not given anyone's training code. Shapes are N batch, C channels,
H height, W width, all float32; parameters carry their state_dict names.
"""
import numpy as np
import torch
import torch.nn as nn


class Conv(nn.Module):
    """act(bn(conv(x))): [N, c1, H, W] -> [N, c2, H/s, W/s]. With no p given, padding is half the dilated kernel."""

    default_act = nn.SiLU()

    def __init__(self, c1, c2, k=1, s=1, p=None, g=1, d=1, act=True):
        super().__init__()
        if p is None:
            p = tuple((d * (side - 1) + 1) // 2 for side in ((k, k) if isinstance(k, int) else k))
        self.conv = nn.Conv2d(c1, c2, k, stride=s, padding=p, dilation=d, groups=g, bias=False)
        self.bn = nn.BatchNorm2d(c2, eps=1e-3)
        if act is True:
            self.act = self.default_act
        else:
            self.act = act if isinstance(act, nn.Module) else nn.Identity()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    """A 1x1 and a 3x3 convolution, added to the input where asked and where the channel counts agree."""

    def __init__(self, c1, c2, shortcut=True, g=1, e=0.5):
        super().__init__()
        hidden = int(c2 * e)
        self.cv1 = Conv(c1, hidden, 1)
        self.cv2 = Conv(hidden, c2, 3, g=g)
        self.add = bool(shortcut) and c1 == c2

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.add else y


class CSP(nn.Module):
    """cv3(cat(m(cv1(x)), cv2(x))): what C3 and C3_ScConv share; they differ in m."""

    def __init__(self, c1, c2, hidden, blocks):
        super().__init__()
        self.cv1 = Conv(c1, hidden)
        self.cv2 = Conv(c1, hidden)
        self.cv3 = Conv(2 * hidden, c2)
        self.m = nn.Sequential(*blocks)

    def forward(self, x):
        return self.cv3(torch.cat([self.m(self.cv1(x)), self.cv2(x)], dim=1))


class C3(CSP):
    """CSP over n bottlenecks."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [Bottleneck(hidden, hidden, shortcut, g, 1.0) for _ in range(n)])


class SPPF(nn.Module):
    """Three max pools in a row, each result kept: cv2(cat(x, p(x), p(p(x)), p(p(p(x)))))."""

    def __init__(self, c1, c2, k=5):
        super().__init__()
        self.cv1 = Conv(c1, c1 // 2)
        self.cv2 = Conv(c1 // 2 * 4, c2)
        self.m = nn.MaxPool2d(k, stride=1, padding=k // 2)

    def forward(self, x):
        stages = [self.cv1(x)]
        for _ in range(3):
            stages.append(self.m(stages[-1]))
        return self.cv2(torch.cat(stages, dim=1))


class Concat(nn.Module):
    """Concatenation of several layers' outputs."""

    def __init__(self, dimension=1):
        super().__init__()
        self.d = dimension

    def forward(self, xs):
        return torch.cat(xs, dim=self.d)


class GroupBatchnorm2d(nn.Module):
    """Group normalisation with the unbiased standard deviation (n-1) and eps added to it, outside the root.

    The parameters are called gamma and beta in the author's first code, weight and bias in the later one.
    """

    def __init__(self, channels, groups, names=("gamma", "beta")):
        super().__init__()
        if channels % groups:
            raise ValueError(f"GroupBatchnorm2d: {channels} channels do not form {groups} equal groups")
        self.group_num, self.eps = groups, 1e-10
        self.register_parameter(names[0], nn.Parameter(torch.randn(channels, 1, 1)))
        self.register_parameter(names[1], nn.Parameter(torch.zeros(channels, 1, 1)))

    def forward(self, x):
        n, c, h, w = x.shape
        v = x.reshape(n, self.group_num, -1)
        v = (v - v.mean(dim=2, keepdim=True)) / (v.std(dim=2, keepdim=True) + self.eps)
        scale, shift = self.parameters()
        return v.reshape(n, c, h, w) * scale + shift


class SRU(nn.Module):
    """Spatial reconstruction: an informative and a redundant part, crossed. The formulas that are met differ in the gates.

    softmax: a channel is informative where softmax(gamma) is over the gate. The others gate element by element, by the
    sigmoid of the normalised map weighed by each channel's share of the sum of gamma: mask gates the input, normmask the
    normalised map (and calls the parameters weight and bias); where sets what is over the gate to 1 and 0 (and
    normalises with nn.GroupNorm).
    """

    flavour = "softmax"

    def __init__(self, channels, groups, gate):
        super().__init__()
        if groups is None:
            groups = 4 if self.flavour in ("normmask", "where") else 16
        if self.flavour == "where":
            self.gn = nn.GroupNorm(groups, channels)
        else:
            self.gn = GroupBatchnorm2d(channels, groups, ("weight", "bias") if self.flavour == "normmask" else ("gamma", "beta"))
        self.gate_treshold = gate
        self.sigomid = nn.Sigmoid()

    def forward(self, x):
        normal, scale, gate = self.gn(x), next(self.gn.parameters()).reshape(-1, 1, 1), self.gate_treshold
        share = torch.softmax(scale, dim=0) if self.flavour == "softmax" else scale / scale.sum()
        weighed = self.sigomid(normal * share)
        if self.flavour == "softmax":
            rich, poor = (share > gate) * weighed * x, (share <= gate) * weighed * x
        elif self.flavour == "where":
            rich, poor = (torch.where(weighed > gate, torch.full_like(weighed, v), weighed) * x for v in (1, 0))
        else:
            gated = x if self.flavour == "mask" else normal
            rich, poor = (weighed >= gate) * gated, (weighed < gate) * gated
        (a, b), (c, d) = rich.chunk(2, dim=1), poor.chunk(2, dim=1)
        return torch.cat([a + d, b + c], dim=1)


class CRU(nn.Module):
    """Channel reconstruction: two squeezed parts, one transformed richly, one cheaply; weighed by global averages."""

    def __init__(self, channels, alpha, squeeze, groups, kernel):
        super().__init__()
        self.up_channel = int(alpha * channels)
        self.low_channel = channels - self.up_channel
        up, low = self.up_channel // squeeze, self.low_channel // squeeze
        self.squeeze1 = nn.Conv2d(self.up_channel, up, 1, bias=False)
        self.squeeze2 = nn.Conv2d(self.low_channel, low, 1, bias=False)
        self.GWC = nn.Conv2d(up, channels, kernel, padding=kernel // 2, groups=groups)
        self.PWC1 = nn.Conv2d(up, channels, 1, bias=False)
        self.PWC2 = nn.Conv2d(low, channels - low, 1, bias=False)
        self.advavg = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        up, low = torch.split(x, [self.up_channel, self.low_channel], dim=1)
        up, low = self.squeeze1(up), self.squeeze2(low)
        both = torch.cat([self.GWC(up) + self.PWC1(up), self.PWC2(low), low], dim=1)
        both = torch.softmax(self.advavg(both), dim=1) * both
        first, second = both.split(x.shape[1], dim=1)
        return first + second


class ScConv(nn.Module):
    """CRU(SRU(x)): [N, C, H, W] -> [N, C, H, W] (Li et al., CVPR 2023). The argument names are the published ones.

    group_num is 16 by default, and 4 in the flavours normmask and where.
    """

    def __init__(self, op_channel, group_num=None, gate_treshold=0.5, alpha=0.5, squeeze_radio=2, group_size=2,
                 group_kernel_size=3):
        super().__init__()
        self.SRU = SRU(op_channel, group_num, gate_treshold)
        self.CRU = CRU(op_channel, alpha, squeeze_radio, group_size, group_kernel_size)

    def forward(self, x):
        return self.CRU(self.SRU(x))


class C3_ScConv(CSP):
    """CSP over n ScConv blocks of 16 groups; shortcut and g are accepted and do nothing, as in the published module."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [ScConv(hidden) for _ in range(n)])


class Bottleneck_ScConv(nn.Module):
    """A Conv, then an ScConv, then a 1x1 Conv if squeeze is set; added to the input where asked."""

    def __init__(self, channels, shortcut=True, k=1, squeeze=False):
        super().__init__()
        self.cv1 = Conv(channels, channels, k)
        self.cv2 = ScConv(channels)
        self.cv3 = Conv(channels, channels) if squeeze else None
        self.add = bool(shortcut)

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        y = self.cv3(y) if self.cv3 else y
        return x + y if self.add else y


class C3_S(CSP):
    """CSP over n bottlenecks of a 1x1 Conv and an ScConv."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [Bottleneck_ScConv(hidden, shortcut) for _ in range(n)])


class C3_ScSCConv(CSP):
    """CSP over n bottlenecks of a 1x1 Conv, an ScConv and a 1x1 Conv."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [Bottleneck_ScConv(hidden, shortcut, squeeze=True) for _ in range(n)])


class SCConv(nn.Module):
    """Self-calibrated convolution (Liu et al., CVPR 2020): a map of lower resolution, added to the input, gates one of three.

    The convolutions and batch norms stand in a Sequential, as published, or in YOLOv5's Conv, as in forks.
    """

    wrapped = False

    def __init__(self, c1, c2, s=1, d=1, g=1, pooling_r=4):
        super().__init__()

        def conv(stride=1):
            made = Conv(c1, c2, 3, stride, d=d, g=g, act=False)
            return [made] if self.wrapped else [made.conv, made.bn]

        self.k2 = nn.Sequential(nn.AvgPool2d(pooling_r), *conv())
        self.k3, self.k4 = (made[0] if self.wrapped else nn.Sequential(*made) for made in (conv(), conv(s)))

    def forward(self, x):
        low = nn.functional.interpolate(self.k2(x), x.shape[2:])
        return self.k4(self.k3(x) * torch.sigmoid(x + low))


class Bottleneck_SCConv(nn.Module):
    """A Conv and a self-calibrated convolution, added to the input where asked."""

    def __init__(self, channels, shortcut=True, k=1, g=1):
        super().__init__()
        self.cv1 = Conv(channels, channels, k)
        self.cv2 = SCConv(channels, channels, g=g)
        self.add = bool(shortcut)

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.add else y


class C3_SCConv(CSP):
    """CSP over n bottlenecks of a 1x1 Conv and a self-calibrated convolution."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [Bottleneck_SCConv(hidden, shortcut, g=g) for _ in range(n)])


class C2f(nn.Module):
    """YOLOv8's CSP: the halves of cv1(x) and what each block makes of the one before, side by side."""

    def __init__(self, c1, c2, hidden, blocks):
        super().__init__()
        self.cv1 = Conv(c1, 2 * hidden)
        self.cv2 = Conv((2 + len(blocks)) * hidden, c2)
        self.m = nn.ModuleList(blocks)

    def forward(self, x):
        parts = list(self.cv1(x).chunk(2, dim=1))
        for block in self.m:
            parts.append(block(parts[-1]))
        return self.cv2(torch.cat(parts, dim=1))


class C2f_ScConv(C2f):
    """C2f over n bottlenecks of a 3x3 Conv and an ScConv."""

    def __init__(self, c1, c2, n=1, shortcut=False, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [Bottleneck_ScConv(hidden, shortcut, 3) for _ in range(n)])


class C2f_SCConv(C2f):
    """C2f over n bottlenecks of a 3x3 Conv and a self-calibrated convolution."""

    def __init__(self, c1, c2, n=1, shortcut=False, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [Bottleneck_SCConv(hidden, shortcut, 3, g) for _ in range(n)])


class Detect(nn.Module):
    """Decode one map per scale: list of [N, c_i, h_i, w_i] -> [N, na * sum(h_i * w_i), 5 + nc], boxes as xywh in pixels.

    Rows go scale by scale, anchor by anchor, then row-major over the map. Anchors are kept divided by the stride.
    """

    def __init__(self, nc, anchors, channels):
        super().__init__()
        self.no = nc + 5
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float32).reshape(len(anchors), -1, 2))
        self.na = self.anchors.shape[1]
        self.m = nn.ModuleList(nn.Conv2d(c, self.no * self.na, 1) for c in channels)
        self.stride = None

    def set_stride(self, stride):
        """Order the anchors as the strides are ordered, by area, and bring them to cells."""
        area = self.anchors.prod(-1).mean(-1)
        if (area[-1] - area[0]) * (stride[-1] - stride[0]) < 0:
            self.anchors.copy_(self.anchors.flip(0))
        self.stride = stride
        self.anchors /= torch.tensor(stride, dtype=torch.float32).reshape(-1, 1, 1)

    def forward(self, maps):
        return torch.cat([self.decode(i, conv(x)) for i, (conv, x) in enumerate(zip(self.m, maps))], dim=1)

    def decode(self, i, x):
        n, _, h, w = map(int, x.shape)  # numbers, and arrays below, so that an export of this class has constants there
        cell = np.stack(np.meshgrid(np.arange(w), np.arange(h)), axis=-1).astype(np.float32) - np.float32(0.5)
        size = self.anchors.numpy()[i].reshape(self.na, 1, 1, 2) * np.float32(self.stride[i])
        p = torch.sigmoid(x.reshape(n, self.na, self.no, h, w).permute(0, 1, 3, 4, 2))
        xy, wh, scores = p.split([2, 2, self.no - 4], dim=-1)
        xy, wh = (xy * 2 + torch.from_numpy(cell)) * self.stride[i], (wh * 2) ** 2 * torch.from_numpy(size)
        return torch.cat([xy, wh, scores], dim=-1).reshape(n, -1, self.no)


# C3_ScConv and its kin, which take the number of repeats as their third argument.
SCCONV_BLOCKS = {C3_ScConv, C3_S, C3_ScSCConv, C3_SCConv, C2f_ScConv, C2f_SCConv}
