"""Heads that YOLOv5's forks put in the place of Detect, in PyTorch, written from what their code computes and their checkpoints hold.

Each doc string says what was read. All give one tensor, [N, na * sum(h_i * w_i), columns], decoded as Detect's is: scale by scale,
anchor by anchor, then row-major over the map. They have Detect's attributes; anchors are kept divided by the stride, which is set
from outside.
"""
import torch_modules
from torch_modules import torch

nn = torch.nn


class Anchored(nn.Module):
    """What these heads share: anchors, strides and the form of the outcome. `extra` columns come between objectness and
    scores, and so many behind them."""

    extra = behind = 0

    def __init__(self, nc, anchors, channels):
        super().__init__()
        self.nc, self.no, self.nl, self.na = nc, nc + 5 + self.extra + self.behind, len(anchors), len(anchors[0]) // 2
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


class Classify(nn.Module):
    """YOLOv5's own classification head (release 7.0): a Conv to 1280 channels, their means, a linear map."""

    def __init__(self, c1, c2, k=1, s=1, p=None, g=1):
        super().__init__()
        self.conv = conv(c1, 1280, k, s, p, g)
        self.pool, self.drop, self.linear = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.2), nn.Linear(1280, c2)

    def forward(self, x):
        x = torch.cat(x, 1) if isinstance(x, list) else x
        return self.linear(self.drop(self.pool(self.conv(x)).flatten(1)))


class LandmarkDetect(Anchored):
    """The Detect of yolov5-face (repository deepcam-cn/yolov5-face): five points an anchor, from the cell's corner in its anchor's sizes."""

    extra = 10


class QuadrangleDetect(LandmarkDetect):
    """The same with four points, as several repositories made of it."""

    extra = 8


def conv(*args, **kwargs):
    """A Conv of the class that torch_modules has at the moment."""
    return torch_modules.Conv(*args, **kwargs)


class RotatedDetect(Anchored):
    """The Detect of yolov5_obb (repository hukaixuan19970627/yolov5_obb): 180 scores of angles behind those of classes."""

    behind = 180


class DecoupledHead(nn.Module):
    """A level's branches in the form most forks have (repository iscyy/yoloair): 256 hidden channels there."""

    hidden = 256

    def __init__(self, c1, nc, na):
        super().__init__()
        c = self.hidden
        self.merge = conv(c1, c)
        self.cls_convs1, self.cls_convs2, self.reg_convs1, self.reg_convs2 = (conv(c, c, 3) for _ in range(4))
        self.cls_preds, self.reg_preds, self.obj_preds = (nn.Conv2d(c, k * na, 1) for k in (nc, 4, 1))

    def forward(self, x):
        y = self.merge(x)
        r = self.reg_convs2(self.reg_convs1(y))
        return torch.cat([self.reg_preds(r), self.obj_preds(r), self.cls_preds(self.cls_convs2(self.cls_convs1(y)))], 1)


class Decoupled_Detect(Anchored):
    """Detect over DecoupledHeads. Their channels are not in the order of anchors, and decoded as if they were."""

    def branch(self, channels):
        return DecoupledHead(channels, self.nc, self.na)


def side_by_side(na, *maps):
    """The channels of maps, anchor by anchor."""
    n, _, h, w = maps[0].shape
    return torch.cat([x.reshape(n, na, -1, h, w) for x in maps], 2).reshape(n, -1, h, w)


class Decouple(nn.Module):
    """A level's branches in the form of a branch of YOLOv5's own repository: 5 columns for boxes, nc for scores."""

    def __init__(self, c1, nc, na):
        super().__init__()
        self.na, c = na, min(c1, 256)
        self.a = conv(c1, c)
        inner = ((c - na * 5) * torch.linspace(1, 0, 4) + na * 5).int().tolist()
        self.b1, self.b2, self.b3 = conv(c, inner[1], 3), conv(inner[1], inner[2], 3), nn.Conv2d(inner[2], na * 5, 1)
        self.c1, self.c2, self.c3 = conv(c, c), conv(c, c), nn.Conv2d(c, na * nc, 1)

    def forward(self, x):
        y = self.a(x)
        return side_by_side(self.na, self.b3(self.b2(self.b1(y))), self.c3(self.c2(self.c1(y))))


class DescentDetect(Anchored):
    """Detect over Decouples."""

    def branch(self, channels):
        return Decouple(channels, self.nc, self.na)


class StemDetect(Anchored):
    """Decoupled_Detect with its convolutions in lists of its own (repository z1069614715/objectdetection_script)."""

    def __init__(self, nc, anchors, channels):
        super().__init__(nc, anchors, channels)
        self.m_stem, self.m_cls, self.m_reg_conf, self.m_reg, self.m_conf = (nn.ModuleList() for _ in range(5))
        for c in channels:
            self.m_stem.append(conv(c, c))
            self.m_cls.append(nn.Sequential(conv(c, c, 3), nn.Conv2d(c, self.na * nc, 1)))
            self.m_reg_conf.append(conv(c, c, 3))
            self.m_reg.append(nn.Conv2d(c, self.na * 4, 1))
            self.m_conf.append(nn.Conv2d(c, self.na, 1))
        del self.m

    def forward(self, maps):
        z = []
        for i, x in enumerate(maps):
            y = self.m_stem[i](x)
            both = self.m_reg_conf[i](y)
            z.append(self.decode(i, side_by_side(self.na, self.m_reg[i](both), self.m_conf[i](both), self.m_cls[i](y))))
        return torch.cat(z, 1)


class ASFFV5(nn.Module):
    """Fuses three maps, given from the finest, in the size of one (Liu et al., 2019; repositories iscyy/yoloair, yolov7_d2)."""

    plain = False

    def __init__(self, level, channels, rfb=False):
        super().__init__()
        self.level, coarse = level, channels[::-1]
        c, small = coarse[level], 8 if rfb else 16
        for k in range(3):
            if k < level:
                setattr(self, f"compress_level_{k}", conv(coarse[k], c))
            elif k > level:
                setattr(self, f"stride_level_{k}", conv(coarse[k], c, 3, 2))
            setattr(self, f"weight_level_{k}", conv(c, small))
        self.weight_levels = nn.Conv2d(3 * small, 3, 1) if self.plain else conv(3 * small, 3)
        self.expand = conv(c, c, 3)

    def forward(self, maps):
        xs = []
        for k, x in enumerate(maps[::-1]):
            if k < self.level:
                x = nn.functional.interpolate(getattr(self, f"compress_level_{k}")(x), scale_factor=2 ** (self.level - k))
            elif k > self.level:
                if k - self.level == 2:
                    x = nn.functional.max_pool2d(x, 3, 2, 1)
                x = getattr(self, f"stride_level_{k}")(x)
            xs.append(x)
        w = torch.softmax(self.weight_levels(torch.cat([getattr(self, f"weight_level_{k}")(x) for k, x in enumerate(xs)], 1)), 1)
        return self.expand(sum(x * w[:, k:k + 1] for k, x in enumerate(xs)))


class ASFF_Detect(Anchored):
    """Detect over three fused maps (the same repositories)."""

    def __init__(self, nc, anchors, channels, rfb=False):
        super().__init__(nc, anchors, channels)
        for level in range(3):
            setattr(self, f"l{level}_fusion", ASFFV5(level, channels, rfb))

    def forward(self, maps):
        return super().forward([getattr(self, f"l{2 - i}_fusion")(maps) for i in range(3)])


class Implicit(nn.Module):
    """A trained number for each channel."""

    def __init__(self, channels, mean):
        super().__init__()
        self.implicit = nn.Parameter(torch.full((1, channels, 1, 1), float(mean)))


class ImplicitA(Implicit):
    def forward(self, x):
        return x + self.implicit


class ImplicitM(Implicit):
    def forward(self, x):
        return x * self.implicit


class IDetect(Anchored):
    """Detect with numbers added before its convolutions, and multiplied behind them (repository WongKinYiu/yolov7)."""

    def __init__(self, nc, anchors, channels):
        super().__init__(nc, anchors, channels[:len(anchors)])
        self.ia = nn.ModuleList(ImplicitA(c, 0) for c in channels[:self.nl])
        self.im = nn.ModuleList(ImplicitM(self.no * self.na, 1) for _ in range(self.nl))

    def forward(self, maps):
        return torch.cat([self.decode(i, self.im[i](m(self.ia[i](x)))) for i, (m, x) in enumerate(zip(self.m, maps))], 1)


class IAuxDetect(IDetect):
    """IDetect whose other inputs, as many again, only training reads (the same repository)."""

    def __init__(self, nc, anchors, channels):
        super().__init__(nc, anchors, channels)
        self.m2 = nn.ModuleList(self.branch(c) for c in channels[self.nl:])
