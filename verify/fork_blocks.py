"""Blocks that YOLOv5's forks add to it, in PyTorch, written from the papers and from what their checkpoints hold.

Each doc string says what was read. Parameters carry their state_dict names; shapes are as in torch_modules.py. Conv is
torch_modules' own, or that of a YOLOv5 checkout where a recorder puts it there.
"""
import torch_modules
from torch_modules import torch

nn = torch.nn


def conv(*args, **kwargs):
    """A Conv of the class that torch_modules has at the moment."""
    return torch_modules.Conv(*args, **kwargs)


def plain(c1, c2, k=1, s=1, g=1, act=None):
    """Convolution without bias that pads by half of its kernel, batch norm and perhaps an activation, as a list."""
    made = [nn.Conv2d(c1, c2, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(c2)]
    return made + ([act] if act is not None else [])


def shuffle(x, groups):
    """Channel i of group g to place i * groups + g."""
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


class conv_bn_relu_maxpool(nn.Module):
    """The stem of YOLOv5-Lite (repository ppogg/YOLOv5-Lite): stride 4 by a convolution and a pooling."""

    def __init__(self, c1, c2):
        super().__init__()
        self.conv = nn.Sequential(*plain(c1, c2, 3, 2, act=nn.ReLU()))
        self.maxpool = nn.MaxPool2d(3, 2, 1)

    def forward(self, x):
        return self.maxpool(self.conv(x))


class Shuffle_Block(nn.Module):
    """ShuffleNetV2's unit (Ma et al., ECCV 2018; repository ppogg/YOLOv5-Lite)."""

    def __init__(self, c1, c2, stride):
        super().__init__()
        self.stride, half = stride, c2 // 2
        inside = half if stride == 1 else c1
        if stride > 1:
            self.branch1 = nn.Sequential(*plain(c1, c1, 3, stride, c1), *plain(c1, half, act=nn.ReLU()))
        self.branch2 = nn.Sequential(*plain(inside, half, act=nn.ReLU()), *plain(half, half, 3, stride, half),
                                     *plain(half, half, act=nn.ReLU()))

    def forward(self, x):
        if self.stride > 1:
            parts = self.branch1(x), self.branch2(x)
        else:
            kept, changed = x.chunk(2, dim=1)
            parts = kept, self.branch2(changed)
        return shuffle(torch.cat(parts, dim=1), 2)


class SPPCSPC(nn.Module):
    """Spatial pyramid pooling in a CSP frame (Wang et al., CVPR 2023; repository WongKinYiu/yolov7)."""

    def __init__(self, c1, c2, n=1, shortcut=False, g=1, e=0.5, k=(5, 9, 13)):
        super().__init__()
        hidden = int(2 * c2 * e)
        self.cv1, self.cv2 = conv(c1, hidden), conv(c1, hidden)
        self.cv3, self.cv4 = conv(hidden, hidden, 3), conv(hidden, hidden)
        self.cv5, self.cv6 = conv(4 * hidden if isinstance(k, int) else (1 + len(k)) * hidden, hidden), conv(hidden, hidden, 3)
        self.cv7 = conv(2 * hidden, c2)
        self.m = self.pools(k)

    def pools(self, k):
        return nn.ModuleList(nn.MaxPool2d(size, 1, size // 2) for size in k)

    def pooled(self, y):
        return [y] + [pool(y) for pool in self.m]

    def forward(self, x):
        maps = self.pooled(self.cv4(self.cv3(self.cv1(x))))
        return self.cv7(torch.cat([self.cv6(self.cv5(torch.cat(maps, 1))), self.cv2(x)], 1))


class SPPFCSPC(SPPCSPC):
    """SPPCSPC whose one pooling is applied to what it gave (many forks; read in one of its copies)."""

    def __init__(self, c1, c2, n=1, shortcut=False, g=1, e=0.5, k=5):
        super().__init__(c1, c2, n, shortcut, g, e, k)

    def pools(self, k):
        return nn.MaxPool2d(k, 1, k // 2)

    def pooled(self, y):
        maps = [y]
        for _ in range(3):
            maps.append(self.m(maps[-1]))
        return maps


class Fusion(nn.Module):
    """Fast normalised fusion of BiFPN (Tan et al., CVPR 2020), with no ReLU on the weights, as in the forks."""

    maps = 2
    epsilon = 1e-4

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(self.maps))

    def weighed(self, xs, w):
        total = w.sum() + self.epsilon
        return [x * (part / total) for x, part in zip(xs, w, strict=True)]


class BiFPN_Concat2(Fusion):
    """Maps side by side, each times its weight (many forks, under this name)."""

    def __init__(self, dimension=1):
        super().__init__()
        self.d = dimension

    def forward(self, xs):
        return torch.cat(self.weighed(xs, self.w), dim=self.d)


class BiFPN_Concat3(BiFPN_Concat2):
    """Of three maps."""

    maps = 3


class BiFPN_Add2(Fusion):
    """Maps added by their weights, SiLU, and a 1x1 convolution with bias (many forks, under this name)."""

    def __init__(self, c1, c2):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, 1)
        self.silu = nn.SiLU()

    def forward(self, xs):
        return self.conv(self.silu(sum(self.weighed(xs, self.w))))


class BiFPN_Add3(BiFPN_Add2):
    """Of three maps."""

    maps = 3


class Concat_bifpn(Fusion):
    """Two or three maps added by weights of their own, ReLU and a Conv (many forks, under this name)."""

    ending = ""

    def __init__(self, c1, c2):
        nn.Module.__init__(self)
        for name, count in (("w1", 2), ("w2", 3)):
            self.register_parameter(name + self.ending, nn.Parameter(torch.ones(count)))
        self.conv = conv(c1, c2, 1, 1, 0)
        self.act = nn.ReLU()

    def forward(self, xs):
        w = getattr(self, f"w{len(xs) - 1}{self.ending}")
        return self.conv(self.act(sum(self.weighed(xs, w))))


class Concat_bifpn_weight(Concat_bifpn):
    """The same with other names of the parameters."""

    ending = "_weight"


class C2fBottleneck(nn.Module):
    """A k x k and a 3x3 convolution, added to the input where asked."""

    def __init__(self, channels, shortcut, g, k):
        super().__init__()
        self.cv1, self.cv2 = conv(channels, channels, k), conv(channels, channels, 3, g=g)
        self.add = bool(shortcut)

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.add else y


class C2f(torch_modules.C2f):
    """YOLOv8's C2f (repository ultralytics/ultralytics): its bottlenecks have two 3x3 convolutions."""

    k = 3

    def __init__(self, c1, c2, n=1, shortcut=False, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [C2fBottleneck(hidden, shortcut, g, self.k) for _ in range(n)])


class C2f_yolov5(C2f):
    """The same over YOLOv5's Bottleneck, which begins with a 1x1 convolution."""

    k = 1


class space_to_depth(nn.Module):
    """Pixels of 2x2 squares into channels, down before right (Sunkara and Luo, 2022; repository LabSAINT/SPD-Conv)."""

    def __init__(self, dimension=1):
        super().__init__()
        self.d = dimension

    def forward(self, x):
        n, c, h, w = x.shape
        squares = x.reshape(n, c, h // 2, 2, w // 2, 2)
        return squares.permute(0, 5, 3, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)


class ShuffleV2Block(Shuffle_Block):
    """Shuffle_Block with SiLU (repository deepcam-cn/yolov5-face)."""

    def __init__(self, c1, c2, stride):
        super().__init__(c1, c2, stride)
        for branch in self.children():
            for i, m in enumerate(branch):
                if isinstance(m, nn.ReLU):
                    branch[i] = nn.SiLU()


class StemBlock(nn.Module):
    """PeleeNet's stem (Wang et al., NeurIPS 2018; repository deepcam-cn/yolov5-face)."""

    def __init__(self, c1, c2, k=3, s=2, p=None, g=1, act=True):
        super().__init__()
        self.stem_1 = conv(c1, c2, k, s, p, g, act=act)
        self.stem_2a, self.stem_2b = conv(c2, c2 // 2), conv(c2 // 2, c2, 3, 2)
        self.stem_2p = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.stem_3 = conv(2 * c2, c2)

    def forward(self, x):
        y = self.stem_1(x)
        return self.stem_3(torch.cat([self.stem_2b(self.stem_2a(y)), self.stem_2p(y)], 1))


class GSConv(nn.Module):
    """A convolution, a depthwise one of it, and their channels in turn (Li et al., 2022; repository AlanLi1997/slim-neck-by-gsconv).

    Written as what the published code gives: the channels with even numbers, then those with odd ones.
    """

    def __init__(self, c1, c2, k=1, s=1, g=1, act=True):
        super().__init__()
        self.cv1 = conv(c1, c2 // 2, k, s, g=g, act=act)
        self.cv2 = conv(c2 // 2, c2 // 2, 5, g=c2 // 2, act=act)

    def forward(self, x):
        y = self.cv1(x)
        both = torch.cat([y, self.cv2(y)], 1)
        return torch.cat([both[:, 0::2], both[:, 1::2]], 1)


class GSBottleneck(nn.Module):
    """Two GSConvs beside a 1x1 convolution (the same repository)."""

    def __init__(self, c, hidden):
        super().__init__()
        self.conv_lighting = nn.Sequential(GSConv(c, hidden), GSConv(hidden, c, 3, act=False))
        self.shortcut = conv(c, c, act=False)

    def forward(self, x):
        return self.conv_lighting(x) + self.shortcut(x)


class VoVGSCSP(nn.Module):
    """CSP over n GSBottlenecks (the same repository); res has parameters and is never called."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        super().__init__()
        c = int(c2 * e)
        self.cv1, self.cv2, self.cv3 = conv(c1, c), conv(c1, c), conv(2 * c, c2)
        self.gsb = self.inside(c, n)
        self.res = conv(c, c, 3, act=False)

    def inside(self, c, n):
        return nn.Sequential(*(GSBottleneck(c, c) for _ in range(n)))

    def forward(self, x):
        return self.cv3(torch.cat([self.cv2(x), self.gsb(self.cv1(x))], 1))


class VoVGSCSP_single(VoVGSCSP):
    """The code of before: one GSBottleneck by itself, which halves the channels inside."""

    def inside(self, c, n):
        return GSBottleneck(c, c // 2)


class RepConv(nn.Module):
    """RepVGG's block (Ding et al., CVPR 2021) as in the repository WongKinYiu/yolov7."""

    def __init__(self, c1, c2, k=3, s=1, p=None, g=1, act=True):
        super().__init__()
        self.rbr_identity = nn.BatchNorm2d(c1) if c1 == c2 and s == 1 else None
        self.rbr_dense, self.rbr_1x1 = (self.branch(plain(c1, c2, size, s, g)) for size in (k, 1))
        self.set_act(act)

    def set_act(self, act):
        self.act = nn.SiLU() if act is True else act or nn.Identity()

    def branch(self, modules):
        return nn.Sequential(*modules)

    def activate(self, x):
        return self.act(x)

    def forward(self, x):
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return self.activate(y if self.rbr_identity is None else y + self.rbr_identity(x))


class RepConv_fused(RepConv):
    """RepConv after its branches were made one convolution."""

    def __init__(self, c1, c2, k=3, s=1, p=None, g=1, act=True):
        nn.Module.__init__(self)
        self.rbr_reparam = nn.Conv2d(c1, c2, k, s, k // 2, groups=g)
        self.set_act(act)

    def forward(self, x):
        return self.activate(self.rbr_reparam(x))


class RepVGGBlock(RepConv):
    """RepVGG's block as its authors' repository has it (DingXiaoH/RepVGG): other names, and ReLU."""

    def __init__(self, c1, c2, kernel_size=3, stride=1, padding=1, dilation=1, groups=1):
        super().__init__(c1, c2, kernel_size, stride, padding, groups)

    def set_act(self, act):
        self.nonlinearity, self.se = nn.ReLU(), nn.Identity()

    def branch(self, modules):
        made = nn.Sequential()
        for name, module in zip(("conv", "bn"), modules):
            made.add_module(name, module)
        return made

    def activate(self, x):
        return self.nonlinearity(self.se(x))


def reassemble(x, weights, k, scale):
    """Each pixel of the larger map: the k x k pixels around its place in x, by its own weights, [N, k*k, H*scale, W*scale]."""
    n, c, h, w = x.shape
    around = nn.functional.unfold(x, k, padding=k // 2).reshape(n, c * k * k, h, w)
    around = around.repeat_interleave(scale, 2).repeat_interleave(scale, 3).reshape(n, c, k * k, h * scale, w * scale)
    return (around * weights[:, None]).sum(2)


class CARAFE(nn.Module):
    """Content-aware reassembly (Wang et al., ICCV 2019), as an unofficial implementation that many forks took has it."""

    def __init__(self, c, k_enc=3, k_up=5, c_mid=64, scale=2):
        super().__init__()
        self.scale = scale
        self.comp, self.enc = conv(c, c_mid), conv(c_mid, (scale * k_up) ** 2, k_enc, act=False)
        self.pix_shf, self.upsmp = nn.PixelShuffle(scale), nn.Upsample(scale_factor=scale, mode="nearest")
        self.unfold = nn.Unfold(k_up, dilation=scale, padding=k_up // 2 * scale)

    def forward(self, x):
        n, c, h, w = x.shape
        weights = torch.softmax(self.pix_shf(self.enc(self.comp(x))), dim=1)
        around = self.unfold(self.upsmp(x)).reshape(n, c, -1, h * self.scale, w * self.scale)
        return (around * weights[:, None]).sum(2)


class CARAFE_down(nn.Module):
    """The other implementation that many forks took: plain convolutions, and a 1x1 one behind."""

    def __init__(self, c1, c2, kernel_size=3, up_factor=2):
        super().__init__()
        self.k, self.scale = kernel_size, up_factor
        self.down, self.out = nn.Conv2d(c1, c1 // 4, 1), nn.Conv2d(c1, c2, 1)
        self.encoder = nn.Conv2d(c1 // 4, (up_factor * kernel_size) ** 2, kernel_size, padding=kernel_size // 2)

    def forward(self, x):
        weights = torch.softmax(nn.functional.pixel_shuffle(self.encoder(self.down(x)), self.scale), dim=1)
        return self.out(reassemble(x, weights, self.k, self.scale))


def biased(c1, c2, k=1, s=1, g=1):
    """A convolution with bias that pads by half of its kernel, and a batch norm, as a list."""
    return [nn.Conv2d(c1, c2, k, s, k // 2, groups=g), nn.BatchNorm2d(c2)]


class BlazeBlock(nn.Module):
    """BlazeFace's block (Bazarevsky et al., 2019; repository deepcam-cn/yolov5-face)."""

    def __init__(self, c1, c2, mid_channels=None, stride=1):
        super().__init__()
        self.use_pool = stride > 1
        self.branch1 = nn.Sequential(*self.inside(c1, c2, mid_channels or c1, stride))
        if self.use_pool:
            self.shortcut = nn.Sequential(nn.MaxPool2d(stride, stride), *biased(c1, c2))
        self.relu = nn.SiLU()

    def inside(self, c1, c2, middle, stride):
        return [*biased(c1, middle, 5, stride, c1), *biased(middle, c2)]

    def forward(self, x):
        return self.relu(self.branch1(x) + (self.shortcut(x) if self.use_pool else x))


class DoubleBlazeBlock(BlazeBlock):
    """Its double block (the same repository), whose second 5x5 convolution is not depthwise."""

    def inside(self, c1, c2, middle, stride):
        return [*biased(c1, c1, 5, stride, c1), *biased(c1, middle), nn.SiLU(), *biased(middle, middle, 5), *biased(middle, c2)]


SCALED = (conv_bn_relu_maxpool, Shuffle_Block, ShuffleV2Block, StemBlock, GSConv, RepConv, RepVGGBlock, BlazeBlock, DoubleBlazeBlock)
REPEATING = (SPPCSPC, SPPFCSPC, C2f, VoVGSCSP)
JOINING, FUSING = (BiFPN_Concat2, BiFPN_Concat3), (BiFPN_Add2, BiFPN_Add3, Concat_bifpn)
