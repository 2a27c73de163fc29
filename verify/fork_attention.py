"""Attention modules of YOLOv5's forks in PyTorch, written from their papers and from the formulas and state_dict names that are met.

Each keeps its channels, [N, C, H, W] -> [N, C, H, W]: c2 is taken, as the parser hands it over, and does nothing. Parameters carry
the names that most forks give them; where forks differ, a class of its own has the other names.
"""
import torch_modules

torch, nn = torch_modules.torch, torch_modules.nn


class h_sigmoid(nn.Module):
    """relu6(x + 3) / 6 (Howard et al., ICCV 2019)."""

    def __init__(self, inplace=True):
        super().__init__()
        self.relu = nn.ReLU6(inplace=inplace)

    def forward(self, x):
        return self.relu(x + 3) / 6


class h_swish(nn.Module):
    """x * h_sigmoid(x)."""

    def __init__(self, inplace=True):
        super().__init__()
        self.sigmoid = h_sigmoid(inplace)

    def forward(self, x):
        return x * self.sigmoid(x)


class ChannelAttention(nn.Module):
    """x * sigmoid(mlp(mean) + mlp(max)), the mean and the maximum of each channel; the mlp has one hidden layer, and no bias."""

    names = "f1", "f2"

    def __init__(self, channels, ratio):
        super().__init__()
        for name, (c1, c2) in zip(self.names, ((channels, channels // ratio), (channels // ratio, channels))):
            self.add_module(name, nn.Conv2d(c1, c2, 1, bias=False))
        self.relu = nn.ReLU()
        self.avg_pool, self.max_pool, self.sigmoid = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1), nn.Sigmoid()

    def mlp(self, v):
        first, second = (getattr(self, name) for name in self.names)
        return second(self.relu(first(v)))

    def forward(self, x):
        return x * self.sigmoid(self.mlp(self.avg_pool(x)) + self.mlp(self.max_pool(x)))


class ChannelAttentionFC(ChannelAttention):
    names = "fc1", "fc2"


class ChannelAttentionMLP(ChannelAttention):
    """The same with the mlp in a Sequential."""

    def __init__(self, channels, ratio):
        nn.Module.__init__(self)
        self.avg_pool, self.max_pool, self.sigmoid = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1), nn.Sigmoid()
        self.shared_MLP = nn.Sequential(nn.Conv2d(channels, channels // ratio, 1, bias=False), nn.ReLU(),
                                        nn.Conv2d(channels // ratio, channels, 1, bias=False))

    def mlp(self, v):
        return self.shared_MLP(v)


class SpatialAttention(nn.Module):
    """x * sigmoid(conv(cat(mean, max))), the mean and the maximum over the channels at each place."""

    def __init__(self, kernel, name="conv", bias=False):
        super().__init__()
        self.add_module(name, nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=bias))
        self.sigmoid = nn.Sigmoid()

    def forward(self, x):
        conv = next(self.children())
        return x * self.sigmoid(conv(torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)))


class CBAM(nn.Module):
    """Attention to channels, then to places (Woo et al., ECCV 2018; names as in ultralytics/yolov5's issue 11785)."""

    parts = "channel_attention", "spatial_attention"

    def __init__(self, c1, c2=None, ratio=16, kernel_size=7):
        super().__init__()
        self.channel_attention = ChannelAttention(c1, ratio)
        self.spatial_attention = SpatialAttention(kernel_size)

    def forward(self, x):
        for name in self.parts:
            x = getattr(self, name)(x)
        return x


class CBAM_FC(CBAM):
    """CBAM with the names fc1, fc2 and conv1."""

    def __init__(self, c1, c2=None, ratio=16, kernel_size=7):
        nn.Module.__init__(self)
        self.channel_attention = ChannelAttentionFC(c1, ratio)
        self.spatial_attention = SpatialAttention(kernel_size, "conv1")


class CBAM_CA(CBAM):
    """CBAM_FC with the names ca and sa of the two parts."""

    parts = "ca", "sa"

    def __init__(self, c1, c2=None, ratio=16, kernel_size=7):
        nn.Module.__init__(self)
        self.ca = ChannelAttentionFC(c1, ratio)
        self.sa = SpatialAttention(kernel_size, "conv1")


class CBAM_MLP(CBAM):
    """CBAM with the perceptron in a Sequential and a bias in the convolution over places."""

    def __init__(self, c1, c2=None, ratio=16, kernel_size=7):
        nn.Module.__init__(self)
        self.channel_attention = ChannelAttentionMLP(c1, ratio)
        self.spatial_attention = SpatialAttention(kernel_size, "conv2d", bias=True)


class CoordAtt(nn.Module):
    """Coordinate attention (Hou et al., CVPR 2021; houqb/CoordAttention): rows and columns, averaged, weigh the map by height and width."""

    heads = "conv_h", "conv_w"

    def __init__(self, c1, c2=None, reduction=32):
        super().__init__()
        hidden = max(8, c1 // reduction)
        self.conv1 = nn.Conv2d(c1, hidden, 1)
        self.bn1, self.act = nn.BatchNorm2d(hidden, eps=1e-3), h_swish()
        self.pool_h, self.pool_w = nn.AdaptiveAvgPool2d((None, 1)), nn.AdaptiveAvgPool2d((1, None))
        for name in self.heads:
            self.add_module(name, nn.Conv2d(hidden, c1, 1))

    def weigh(self, x, target):
        h, w = x.shape[2:]
        lines = torch.cat([self.pool_h(x), self.pool_w(x).transpose(2, 3)], 2)  # [N, C, H+W, 1]
        rows, columns = self.act(self.bn1(self.conv1(lines))).split([h, w], 2)
        by_row, by_column = (getattr(self, name) for name in self.heads)
        return target * by_row(rows).sigmoid() * by_column(columns.transpose(2, 3)).sigmoid()

    def forward(self, x):
        return self.weigh(x, x)


class CoordAtt23(CoordAtt):
    """CoordAtt with the names conv2 and conv3, as in the code of its authors' MobileNetV2."""

    heads = "conv2", "conv3"


class SE(nn.Module):
    """Squeeze and excitation (Hu et al., CVPR 2018; yin-qiyu/helmet-ablation-experiment): no biases."""

    def __init__(self, c1, c2=None, ratio=16):
        super().__init__()
        self.l1 = nn.Linear(c1, c1 // ratio, bias=False)
        self.l2 = nn.Linear(c1 // ratio, c1, bias=False)
        self.avgpool, self.relu, self.sig = nn.AdaptiveAvgPool2d(1), nn.ReLU(inplace=True), nn.Sigmoid()

    def weights(self, x):
        return self.sig(self.l2(self.relu(self.l1(self.avgpool(x).flatten(1)))))

    def forward(self, x):
        return x * self.weights(x)[..., None, None]


class SELayer(SE):
    """SE as MobileNetV3 has it (Howard et al., ICCV 2019; 273541643/202410): a quarter of the channels, biases, relu6(x + 3) / 6."""

    def __init__(self, c1, c2=None, reduction=4):
        nn.Module.__init__(self)
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Linear(c1, c1 // reduction), nn.ReLU(inplace=True), nn.Linear(c1 // reduction, c1), h_sigmoid())

    def weights(self, x):
        return self.fc(self.avg_pool(x).flatten(1))


class SEAttention(SELayer):
    """SE with its layers in a Sequential and no biases."""

    def __init__(self, c1, c2=None, reduction=16):
        nn.Module.__init__(self)
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Linear(c1, c1 // reduction, bias=False), nn.ReLU(), nn.Linear(c1 // reduction, c1, bias=False), nn.Sigmoid())


class ECA(nn.Module):
    """Efficient channel attention (Wang et al., CVPR 2020; BangguWu/ECANet): a convolution along the channels' means."""

    def __init__(self, c1, c2=None, k_size=3):
        super().__init__()
        self.conv = nn.Conv1d(1, 1, k_size, padding=k_size // 2, bias=False)
        self.avg_pool, self.sigmoid = nn.AdaptiveAvgPool2d(1), nn.Sigmoid()

    def weights(self, x):
        return self.sigmoid(self.conv(self.avg_pool(x).flatten(2).transpose(1, 2))).squeeze(1)

    def forward(self, x):
        return x * self.weights(x)[..., None, None]


class SimAM(nn.Module):
    """Attention without parameters (Yang et al., ICML 2021): sigmoid of the inverse of each pixel's energy."""

    def __init__(self, *args):
        super().__init__()
        self.e_lambda = next((a for a in args if a < 1), 1e-4)  # forks hand over channels, the lambda, or both
        self.activaton = nn.Sigmoid()  # so spelled

    def forward(self, x):
        d = (x - x.mean((2, 3), keepdim=True)) ** 2
        variance = d.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3] - 1)
        return x * self.activaton(d / (4 * (variance + self.e_lambda)) + 0.5)


class GAM(nn.Module):
    """Global attention (Liu et al., 2021): a perceptron over the channels of each pixel, as it comes out; then 7x7 convolutions."""

    def __init__(self, c1, c2=None, rate=4):
        super().__init__()
        hidden = c1 // rate
        self.channel_attention = nn.Sequential(nn.Linear(c1, hidden), nn.ReLU(), nn.Linear(hidden, c1))
        self.spatial_attention = nn.Sequential(nn.Conv2d(c1, hidden, 7, padding=3), nn.BatchNorm2d(hidden), nn.ReLU(),
                                               nn.Conv2d(hidden, c1, 7, padding=3), nn.BatchNorm2d(c1))

    def forward(self, x):
        x = x * self.channel_attention(x.movedim(1, -1)).movedim(-1, 1)
        return x * torch.sigmoid(self.spatial_attention(x))


class Channel_Att(nn.Module):
    """x * sigmoid(w * bn2(x)), w the share of each scale of the batch norm, taken absolute, in the sum of all."""

    def __init__(self, channels):
        super().__init__()
        self.channels, self.bn2 = channels, nn.BatchNorm2d(channels)

    def forward(self, x):
        share = self.bn2.weight.abs() / self.bn2.weight.abs().sum()
        return x * torch.sigmoid(share.reshape(-1, 1, 1) * self.bn2(x))


class NAM(nn.Module):
    """Normalisation-based attention, of channels (Liu et al., 2021)."""

    def __init__(self, c1, c2=None):
        super().__init__()
        self.Channel_Att = Channel_Att(c1)

    def forward(self, x):
        return self.Channel_Att(x)


class ShuffleAttention(nn.Module):
    """Shuffle attention (Zhang and Yang, ICASSP 2021): half of each group weighed by channel, half by place, then mixed."""

    def __init__(self, c1, c2=None, reduction=16, G=8):
        super().__init__()
        self.G, half = G, c1 // (2 * G)
        self.channel, self.gn = c1, nn.GroupNorm(half, half)
        self.avg_pool, self.sigmoid = nn.AdaptiveAvgPool2d(1), nn.Sigmoid()
        for name in ("cweight", "cbias", "sweight", "sbias"):
            self.register_parameter(name, nn.Parameter(torch.full((1, half, 1, 1), float(name.endswith("bias")))))

    def forward(self, x):
        n, c, h, w = x.shape
        by_channel, by_place = x.reshape(n * self.G, -1, h, w).chunk(2, 1)
        by_channel = by_channel * self.sigmoid(self.cweight * self.avg_pool(by_channel) + self.cbias)
        by_place = by_place * self.sigmoid(self.sweight * self.gn(by_place) + self.sbias)
        y = torch.cat([by_channel, by_place], 1)
        return y.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class EMA(nn.Module):
    """Efficient multi-scale attention (Ouyang et al., ICASSP 2023; YOLOonMe/EMA-attention-module): two branches weigh each other."""

    def __init__(self, c1, c2=None, factor=8):
        super().__init__()
        self.groups, c = factor, c1 // factor
        self.gn = nn.GroupNorm(c, c)
        self.conv1x1 = nn.Conv2d(c, c, 1)
        self.conv3x3 = nn.Conv2d(c, c, 3, padding=1)
        self.softmax, self.agp = nn.Softmax(-1), nn.AdaptiveAvgPool2d(1)
        self.pool_h, self.pool_w = nn.AdaptiveAvgPool2d((None, 1)), nn.AdaptiveAvgPool2d((1, None))

    def forward(self, x):
        n, c, h, w = x.shape
        g = x.reshape(n * self.groups, -1, h, w)
        rows, columns = self.conv1x1(torch.cat([self.pool_h(g), self.pool_w(g).transpose(2, 3)], 2)).sigmoid().split([h, w], 2)
        one, three = self.gn(g * rows * columns.transpose(2, 3)), self.conv3x3(g)

        def pooled(v):
            return self.softmax(self.agp(v).flatten(2).transpose(1, 2))  # [N*G, 1, C/G]

        weights = pooled(one) @ three.flatten(2) + pooled(three) @ one.flatten(2)
        return (g * weights.sigmoid().reshape(-1, 1, h, w)).reshape(n, c, h, w)


class AttentiveBottleneck(nn.Module):
    """A 1x1 and a 3x3 Conv, attention to what they give, and the input added: the attention's parts are the bottleneck's own."""

    def __init__(self, channels, shortcut=True, e=0.5):
        nn.Module.__init__(self)
        self.cv1 = torch_modules.Conv(channels, int(channels * e))
        self.cv2 = torch_modules.Conv(int(channels * e), channels, 3)
        self.add = shortcut
        for name, child in self.attention(channels).named_children():
            self.add_module(name, child)

    def forward(self, x):
        y = self.attention.forward(self, self.cv2(self.cv1(x)))
        return x + y if self.add else y


def attentive(attention, name):
    """The bottleneck with an attention, under the name that it has in forks."""
    return type(name, (AttentiveBottleneck, attention), {"attention": attention})


class AttentiveC3(torch_modules.CSP):
    """C3 of such bottlenecks. Forks give the bottleneck e=0.5, or 1."""

    block, inner = None, 0.5

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [self.block(hidden, shortcut, self.inner) for _ in range(n)])


class C3CBAM(AttentiveC3):
    block = attentive(CBAM, "CBAMBottleneck")


class C3CBAM_Wide(C3CBAM):
    inner = 1.0


class C3SE(AttentiveC3):
    block = attentive(SE, "SEBottleneck")


class C3ECA(AttentiveC3):
    block = attentive(ECA, "ECABottleneck")


class C3CA(AttentiveC3):
    block = attentive(CoordAtt, "CABottleneck")


class CBAMC3(torch_modules.CSP):
    """C3 with CBAM behind it."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [torch_modules.Bottleneck(hidden, hidden, shortcut, g, 1.0) for _ in range(n)])
        self.channel_attention = ChannelAttention(c2, 16)
        self.spatial_attention = SpatialAttention(7)

    def forward(self, x):
        return self.spatial_attention(self.channel_attention(super().forward(x)))


ATTENTION = (CBAM, CBAM_FC, CBAM_CA, CBAM_MLP, CoordAtt, CoordAtt23, SE, SELayer, SEAttention, ECA, SimAM, GAM, NAM, ShuffleAttention, EMA)
BLOCKS = (C3CBAM, C3CBAM_Wide, C3SE, C3ECA, C3CA, CBAMC3)  # take the number of repeats as their third argument
