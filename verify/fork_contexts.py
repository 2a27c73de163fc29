"""Modules of forks that look around a pixel or at where it is, in PyTorch, written from the papers and from what is met.

Each doc string says what was read. Parameters carry their state_dict names; [N, c1, H, W] -> [N, c2, H', W'].
"""
import torch_modules
from fork_backbones import named
from fork_blocks import conv

torch, nn = torch_modules.torch, torch_modules.nn


class BasicConv(nn.Module):
    """Convolution without bias, batch norm, perhaps ReLU."""

    def __init__(self, c1, c2, kernel, stride=1, dilation=1, relu=True):
        super().__init__()
        self.out_channels = c2
        self.conv = nn.Conv2d(c1, c2, kernel, stride, dilation * (kernel - 1) // 2, dilation, bias=False)
        self.bn = nn.BatchNorm2d(c2)
        self.relu = nn.ReLU(inplace=True) if relu else None

    def forward(self, x):
        y = self.bn(self.conv(x))
        return self.relu(y) if self.relu else y


class ZPool(nn.Module):
    """Maximum and mean of the second axis."""

    def forward(self, x):
        return torch.stack([x.amax(1), x.mean(1)], 1)


class AttentionGate(nn.Module):
    """A 7x7 convolution of both weighs each place."""

    def __init__(self):
        super().__init__()
        self.compress, self.conv = ZPool(), BasicConv(2, 1, 7, relu=False)

    def forward(self, x):
        return x * torch.sigmoid(self.conv(self.compress(x)))


class TripletAttention(nn.Module):
    """Attention across each two axes (Misra et al., WACV 2021; repositories landskape-ai/triplet-attention,
    z1069614715/objectdetection_script)."""

    def __init__(self, no_spatial=False):
        super().__init__()
        self.cw, self.hc, self.no_spatial = AttentionGate(), AttentionGate(), no_spatial
        if not no_spatial:
            self.hw = AttentionGate()

    def forward(self, x):
        parts = [self.cw(x.transpose(1, 2)).transpose(1, 2), self.hc(x.transpose(1, 3)).transpose(1, 3)]
        return sum(parts if self.no_spatial else [self.hw(x), *parts]) / (2 if self.no_spatial else 3)


class SKAttention(nn.Module):
    """Selective kernels (Li et al., CVPR 2019; repositories iscyy/yoloair, z1069614715/objectdetection_script)."""

    def __init__(self, c1, c2=None, kernels=(1, 3, 5, 7), reduction=16, group=1, L=32):
        super().__init__()
        self.d = max(L, c1 // reduction)
        self.convs = nn.ModuleList(named(conv=nn.Conv2d(c1, c1, k, padding=k // 2, groups=group), bn=nn.BatchNorm2d(c1), relu=nn.ReLU()) for k in kernels)
        self.fc, self.fcs = nn.Linear(c1, self.d), nn.ModuleList(nn.Linear(self.d, c1) for _ in kernels)
        self.softmax = nn.Softmax(dim=0)

    def forward(self, x):
        maps = torch.stack([f(x) for f in self.convs])
        z = self.fc(maps.sum(0).mean((2, 3)))
        return (self.softmax(torch.stack([f(z) for f in self.fcs])[..., None, None]) * maps).sum(0)


class AddCoords(nn.Module):
    """Appends rows and columns from -1 to 1, and perhaps their distance from (0.5, 0.5)."""

    def __init__(self, with_r=False):
        super().__init__()
        self.with_r = with_r

    def forward(self, x):
        n, _, h, w = x.shape
        rows, columns = (torch.arange(size).to(x.dtype) / (size - 1) * 2 - 1 for size in (h, w))
        grids = [rows[:, None].expand(n, 1, h, w), columns.expand(n, 1, h, w)]
        if self.with_r:
            grids.append(sum((g - 0.5) ** 2 for g in grids).sqrt())
        return torch.cat([x, *grids], 1)


class CoordConv(nn.Module):
    """A convolution that knows where it is (Liu et al., NeurIPS 2018; repository z1069614715/objectdetection_script)."""

    def __init__(self, c1, c2, kernel_size=1, stride=1, with_r=False):
        super().__init__()
        self.addcoords, self.conv = AddCoords(with_r), conv(c1 + (3 if with_r else 2), c2, kernel_size, stride)

    def forward(self, x):
        return self.conv(self.addcoords(x))


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling (Chen et al., 2017; repository iscyy/yoloair): no batch norms."""

    def __init__(self, c1, c2):
        super().__init__()
        self.mean, self.conv, self.atrous_block1 = nn.AdaptiveAvgPool2d(1), nn.Conv2d(c1, c2, 1), nn.Conv2d(c1, c2, 1)
        for d in (6, 12, 18):
            self.add_module(f"atrous_block{d}", nn.Conv2d(c1, c2, 3, padding=d, dilation=d))
        self.conv_1x1_output = nn.Conv2d(5 * c2, c2, 1)

    def forward(self, x):
        mean = nn.functional.interpolate(self.conv(self.mean(x)), x.shape[2:], mode="bilinear")
        return self.conv_1x1_output(torch.cat([mean, self.atrous_block1(x), self.atrous_block6(x), self.atrous_block12(x), self.atrous_block18(x)], 1))


class BasicRFB(nn.Module):
    """Receptive field block (Liu et al., ECCV 2018; repository iscyy/yoloair)."""

    def __init__(self, c1, c2, stride=1, scale=0.1, map_reduce=8, vision=1):
        super().__init__()
        self.scale, self.out_channels, c = scale, c2, c1 // map_reduce
        wide = c // 2 * 3
        first, second = ([BasicConv(c1, c, 1, relu=False), BasicConv(c, 2 * c, 3, stride)] for _ in range(2))
        third = [BasicConv(c1, c, 1, relu=False), BasicConv(c, wide, 3), BasicConv(wide, 2 * c, 3, stride)]
        for i, (branch, more) in enumerate(((first, 1), (second, 2), (third, 4))):
            self.add_module(f"branch{i}", nn.Sequential(*branch, BasicConv(2 * c, 2 * c, 3, dilation=vision + more, relu=False)))
        self.ConvLinear, self.shortcut = BasicConv(6 * c, c2, 1, relu=False), BasicConv(c1, c2, 1, stride, relu=False)
        self.relu = nn.ReLU()

    def forward(self, x):
        y = self.ConvLinear(torch.cat([self.branch0(x), self.branch1(x), self.branch2(x)], 1))
        return self.relu(self.scale * y + self.shortcut(x))


SCALED = (SKAttention, CoordConv, ASPP, BasicRFB)
