"""Backbone blocks that YOLOv5's forks took from other networks, in PyTorch, written from the papers and from what is met.

Each doc string says what was read. Parameters carry their state_dict names; [N, c1, H, W] -> [N, c2, H', W'].
"""
import torch_modules
from fork_attention import SELayer, h_sigmoid, h_swish
from fork_blocks import RepVGGBlock, conv, plain

torch, nn = torch_modules.torch, torch_modules.nn


def named(**modules):
    """A Sequential of modules with names."""
    made = nn.Sequential()
    for name, module in modules.items():
        made.add_module(name, module)
    return made


class Hswish(h_sigmoid):
    """The same under the name of the other (repositories ppogg/YOLOv5-Lite, iscyy/yoloair)."""


class conv_bn_hswish(nn.Module):
    """MobileNetV3's first convolution (Howard et al., ICCV 2019; repository iscyy/yoloair and many forks)."""

    def __init__(self, c1, c2, stride):
        super().__init__()
        self.conv, self.bn = plain(c1, c2, 3, stride)
        self.act = h_swish()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class SeBlock(nn.Module):
    """Squeeze and excitation, a quarter of the channels between, by convolutions with names, and a sigmoid."""

    def __init__(self, channels):
        super().__init__()
        self.Squeeze = nn.AdaptiveAvgPool2d(1)
        self.Excitation = named(FC1=nn.Conv2d(channels, channels // 4, 1), ReLU=nn.ReLU(), FC2=nn.Conv2d(channels // 4, channels, 1),
                                Sigmoid=nn.Sigmoid())

    def forward(self, x):
        return x * self.Excitation(self.Squeeze(x))


class MobileNetV3_InvertedResidual(nn.Module):
    """MobileNetV3's block (Howard et al., ICCV 2019; repository iscyy/yoloair): what it attends with, and its h-swish, differ."""

    def __init__(self, c1, c2, hidden, kernel, stride, use_se, use_hs):
        super().__init__()
        self.identity = stride == 1 and c1 == c2
        depthwise = plain(hidden, hidden, kernel, stride, hidden)
        attention, narrow = self.attention(hidden) if use_se else nn.Sequential(), plain(hidden, c2)
        if c1 == hidden:
            parts = [*depthwise, self.activation(use_hs), attention, *narrow]
        else:
            parts = [*plain(c1, hidden), self.activation(use_hs), *depthwise, attention, self.activation(use_hs), *narrow]
        self.conv = nn.Sequential(*parts)

    def attention(self, channels):
        return SeBlock(channels)

    def activation(self, use_hs):
        return nn.Hardswish() if use_hs else nn.ReLU()

    def forward(self, x):
        y = self.conv(x)
        return x + y if self.identity else y


class MobileNetV3(MobileNetV3_InvertedResidual):
    """With linear maps, and h_sigmoid and h_swish written out."""

    def attention(self, channels):
        return SELayer(channels)

    def activation(self, use_hs):
        return h_swish() if use_hs else nn.ReLU(inplace=True)


class mobilev3_bneck(MobileNetV3):
    """With relu6(x + 3) / 6 where others have h-swish (repositories ppogg/YOLOv5-Lite, iscyy/yoloair)."""

    def activation(self, use_hs):
        return Hswish() if use_hs else nn.ReLU(inplace=True)


class QARepVGGBlock(RepVGGBlock):
    """RepVGG's block for quantisation (Chu et al., 2022; repository meituan/YOLOv6): one batch norm for the sum of the branches."""

    def __init__(self, c1, c2, kernel_size=3, stride=1, padding=1, dilation=1, groups=1):
        super().__init__(c1, c2, kernel_size, stride, padding, dilation, groups)
        self.bn = nn.BatchNorm2d(c2)
        self.rbr_1x1 = nn.Conv2d(c1, c2, 1, stride, groups=groups, bias=False)
        self.rbr_identity = nn.Identity() if c1 == c2 and stride == 1 else None

    def activate(self, x):
        return self.nonlinearity(self.bn(self.se(x)))


class QARepVGGBlock_fused(RepVGGBlock):
    """After its branches were made one convolution."""

    def __init__(self, c1, c2, kernel_size=3, stride=1, padding=1, dilation=1, groups=1):
        nn.Module.__init__(self)
        self.rbr_reparam = nn.Conv2d(c1, c2, kernel_size, stride, padding, groups=groups)
        self.set_act(True)

    def forward(self, x):
        return self.activate(self.rbr_reparam(x))


class LayerNorm_s(nn.Module):
    """Layer norm over the last axis, or over axis 1 (Liu et al., CVPR 2022; repository iscyy/yoloair)."""

    def __init__(self, channels, eps=1e-6, data_format="channels_last"):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.eps, self.data_format, self.normalized_shape = eps, data_format, (channels,)

    def forward(self, x):
        if self.data_format == "channels_last":
            return nn.functional.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)
        return self.weight[:, None, None] * (x - x.mean(1, keepdim=True)) / (x.var(1, unbiased=False, keepdim=True) + self.eps).sqrt() + self.bias[:, None, None]


class HorLayerNorm(LayerNorm_s):
    """The name that it has beside HorBlock."""


class DropPath(nn.Module):
    """Stochastic depth, which does nothing after training."""

    def __init__(self, drop_prob=None):
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x):
        return x


class PerPixel(nn.Module):
    """What ConvNextBlock and HorBlock share: a perceptron of each pixel, scaled by channel."""

    def perceptron(self, channels, drop):
        self.pwconv1, self.act, self.pwconv2 = nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels)
        self.drop_path = DropPath(drop) if drop > 0 else nn.Identity()

    def per_pixel(self, x, norm, scale):
        y = self.pwconv2(self.act(self.pwconv1(norm(x.permute(0, 2, 3, 1)))))
        return self.drop_path((scale * y).permute(0, 3, 1, 2))


class ConvNextBlock(PerPixel):
    """ConvNeXt's block (Liu et al., CVPR 2022; repository iscyy/yoloair). Its parser gives c2 as the rate and n as the scale."""

    def __init__(self, dim, drop_path=0.0, layer_scale_init_value=1e-6):
        super().__init__()
        self.dwconv, self.norm = nn.Conv2d(dim, dim, 7, padding=3, groups=dim), LayerNorm_s(dim)
        self.gamma = nn.Parameter(layer_scale_init_value * torch.ones(dim))
        self.perceptron(dim, drop_path)

    def forward(self, x):
        return x + self.per_pixel(self.dwconv(x), self.norm, self.gamma)


class gnconv(nn.Module):
    """Recursive gated convolution (Rao et al., NeurIPS 2022; repository iscyy/yoloair)."""

    def __init__(self, dim, order=5, s=1.0):
        super().__init__()
        self.order, self.scale = order, s
        self.dims = [dim >> i for i in reversed(range(order))]
        total = sum(self.dims)
        self.proj_in, self.proj_out = nn.Conv2d(dim, 2 * dim, 1), nn.Conv2d(dim, dim, 1)
        self.dwconv = nn.Conv2d(total, total, 7, padding=3, groups=total)
        self.pws = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in zip(self.dims, self.dims[1:]))

    def forward(self, x):
        narrow, wide = self.proj_in(x).split([self.dims[0], sum(self.dims)], 1)
        first, *gates = (self.dwconv(wide) * self.scale).split(self.dims, 1)
        y = narrow * first
        for step, gate in zip(self.pws, gates, strict=True):
            y = step(y) * gate
        return self.proj_out(y)


class HorBlock(PerPixel):
    """HorNet's block (Rao et al., NeurIPS 2022; repository iscyy/yoloair). Its parser gives c2 as the rate and n as the scale."""

    def __init__(self, dim, drop_path=0.0, layer_scale_init_value=1e-6):
        super().__init__()
        self.norm1, self.norm2 = HorLayerNorm(dim, data_format="channels_first"), HorLayerNorm(dim)
        self.gnconv = gnconv(dim)
        self.gamma1, self.gamma2 = (nn.Parameter(layer_scale_init_value * torch.ones(dim)) for _ in range(2))
        self.perceptron(dim, drop_path)

    def forward(self, x):
        x = x + self.drop_path(self.gamma1[:, None, None] * self.gnconv(self.norm1(x)))
        return x + self.per_pixel(x, self.norm2, self.gamma2)


class C3HB(torch_modules.CSP):
    """C3 of HorBlocks."""

    block = HorBlock

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [self.block(hidden) for _ in range(n)])


class CNeB(C3HB):
    """C3 of ConvNextBlocks."""

    block = ConvNextBlock


class DCNv2(nn.Module):
    """Deformable convolution (Zhu et al., CVPR 2019; repository z1069614715/objectdetection_script), by torchvision's operator."""

    def __init__(self, c1, c2, kernel_size, stride=1, padding=1, dilation=1, groups=1, deformable_groups=1):
        super().__init__()
        pair = {name: (n, n) for name, n in dict(kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation).items()}
        vars(self).update(in_channels=c1, out_channels=c2, groups=groups, deformable_groups=deformable_groups, **pair)
        self.weight, self.bias = nn.Parameter(torch.empty(c2, c1, kernel_size, kernel_size)), nn.Parameter(torch.zeros(c2))
        nn.init.kaiming_uniform_(self.weight)
        self.conv_offset_mask = nn.Conv2d(c1, deformable_groups * 3 * kernel_size**2, kernel_size, stride, padding)
        self.bn, self.act = nn.BatchNorm2d(c2), torch_modules.Conv.default_act

    def forward(self, x):
        from torchvision.ops import deform_conv2d  # which nothing else here needs
        places = self.conv_offset_mask(x)
        offset, mask = places.tensor_split([places.shape[1] // 3 * 2], dim=1)
        return self.act(self.bn(deform_conv2d(x, offset, self.weight, self.bias, self.stride, self.padding, self.dilation, mask.sigmoid())))


class Bottleneck_DCN(nn.Module):
    """A 1x1 convolution and a deformable one, added to the input where asked."""

    def __init__(self, channels, shortcut=True):
        super().__init__()
        self.cv1, self.cv2, self.add = conv(channels, channels), DCNv2(channels, channels, 3), bool(shortcut)

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.add else y


class C3_DCN(torch_modules.CSP):
    """C3 of such bottlenecks."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [Bottleneck_DCN(hidden, shortcut) for _ in range(n)])


SCALED = (conv_bn_hswish, MobileNetV3_InvertedResidual, MobileNetV3, mobilev3_bneck, QARepVGGBlock, DCNv2)
REPEATING = (HorBlock, ConvNextBlock, C3HB, CNeB, C3_DCN)
