"""Attention over places in the bottlenecks of YOLOv5's forks, in PyTorch, written from the papers and from what is met.

Each doc string says what was read. Parameters carry their state_dict names; all keep their channels but the C3s.
"""
import torch_modules
from fork_backbones import DropPath
from fork_blocks import conv, plain

torch, nn = torch_modules.torch, torch_modules.nn


class CoT(nn.Module):
    """Contextual attention (Li et al., 2021; repository iscyy/yoloair): one softmax over all places."""

    def __init__(self, dim, kernel_size=3):
        super().__init__()
        self.dim, self.kernel_size, hidden = dim, kernel_size, 2 * dim // 4
        self.key_embed = nn.Sequential(*plain(dim, dim, kernel_size, g=4, act=nn.ReLU()))
        self.value_embed = nn.Sequential(*plain(dim, dim))
        self.attention_embed = nn.Sequential(*plain(2 * dim, hidden, act=nn.ReLU()), nn.Conv2d(hidden, kernel_size**2 * dim, 1))

    def forward(self, x):
        keys = self.key_embed(x)
        windows = self.attention_embed(torch.cat([keys, x], 1)).unflatten(1, (self.dim, -1)).mean(2)
        weights = windows.flatten(2).softmax(-1)
        return keys + (weights * self.value_embed(x).flatten(2)).reshape(x.shape)


class CoTBottleneck(nn.Module):
    """A 1x1 convolution and CoT, added to the input where asked."""

    def __init__(self, channels, shortcut=True):
        super().__init__()
        self.cv1, self.cv2, self.add = conv(channels, channels), CoT(channels), bool(shortcut)

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.add else y


class CoT3(torch_modules.CSP):
    """C3 of such bottlenecks."""

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [CoTBottleneck(hidden, shortcut) for _ in range(n)])


class MHSA(nn.Module):
    """Self-attention of all places (Srinivas et al., CVPR 2021; repository iscyy/yoloair): no division by the root of d.

    Positions are a vector for each row and each column of a map of one size; the first places are taken of a smaller one.
    """

    def __init__(self, channels, width=20, height=20, heads=4, pos_emb=False):
        super().__init__()
        self.heads, self.pos = heads, pos_emb
        self.query, self.key, self.value = (nn.Conv2d(channels, channels, 1) for _ in range(3))
        if pos_emb:
            self.rel_h_weight = nn.Parameter(torch.randn(1, heads, channels // heads, 1, height))
            self.rel_w_weight = nn.Parameter(torch.randn(1, heads, channels // heads, width, 1))
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, x):
        q, k, v = (f(x).reshape(len(x), self.heads, -1, x.shape[2] * x.shape[3]) for f in (self.query, self.key, self.value))
        energy = torch.einsum("nhdi,nhdj->nhij", q, k)
        if self.pos:
            where = (self.rel_h_weight + self.rel_w_weight).flatten(3)[..., :energy.shape[-1]]
            energy = energy + torch.einsum("nhdi,mhdj->mhij", where, q)
        return torch.einsum("nhij,nhdj->nhdi", self.softmax(energy), v).reshape(x.shape)


class BottleneckTransformer(nn.Module):
    """A 1x1 convolution and MHSA, the input added; fc1 has parameters and is never called."""

    pos_emb = False

    def __init__(self, channels, w, h):
        super().__init__()
        self.cv1, self.cv2 = conv(channels, channels), nn.Sequential(MHSA(channels, w, h, pos_emb=self.pos_emb))
        self.shortcut, self.fc1 = True, nn.Linear(channels, channels)

    def forward(self, x):
        return x + self.cv2(self.cv1(x))


class BoT3(torch_modules.CSP):
    """C3 of such bottlenecks."""

    block = BottleneckTransformer

    def __init__(self, c1, c2, n=1, e=0.5, e2=1, w=20, h=20):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [self.block(hidden, w, h) for _ in range(n)])


class PlacedTransformer(BottleneckTransformer):
    pos_emb = True


class BoT3_placed(BoT3):
    """With positions, as in older copies."""

    block = PlacedTransformer


class WindowAttention(nn.Module):
    """Self-attention in windows, with a trained bias for how far two places lie apart (Liu et al., ICCV 2021)."""

    def __init__(self, dim, window_size, num_heads, bias=True):
        super().__init__()
        self.dim, self.window_size, self.num_heads, self.scale = dim, (window_size,) * 2, num_heads, (dim // num_heads) ** -0.5
        span = 2 * window_size - 1
        self.relative_position_bias_table = nn.Parameter(torch.zeros(span**2, num_heads))
        places = torch.stack(torch.meshgrid(torch.arange(window_size), torch.arange(window_size), indexing="ij")).flatten(1)
        apart = places[:, :, None] - places[:, None] + window_size - 1
        self.register_buffer("relative_position_index", apart[0] * span + apart[1])
        self.qkv, self.proj = nn.Linear(dim, 3 * dim, bias=bias), nn.Linear(dim, dim)
        self.softmax, self.attn_drop, self.proj_drop = nn.Softmax(dim=-1), nn.Dropout(0.0), nn.Dropout(0.0)

    def forward(self, x, mask=None):
        q, k, v = self.qkv(x).unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        scores = self.scale * q @ k.transpose(2, 3) + self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        if mask is not None:  # [windows, places, places]
            scores = (scores.unflatten(0, (-1, len(mask))) + mask[:, None]).flatten(0, 1)
        return self.proj_drop(self.proj((self.attn_drop(self.softmax(scores)) @ v).transpose(1, 2).flatten(2)))


class Mlp(nn.Module):
    """Two linear maps with GELU between."""

    def __init__(self, channels):
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels)
        self.drop = nn.Dropout(0.0)

    def forward(self, x):
        return self.drop(self.fc2(self.drop(self.act(self.fc1(x)))))


class SwinTransformerLayer(nn.Module):
    """Swin's layer (Liu et al., ICCV 2021; repository iscyy/yoloair): the map is padded first, and cut last."""

    bias, swapped = True, False

    def __init__(self, dim, num_heads, window_size=8, shift_size=0, drop=0.0):
        super().__init__()
        self.dim, self.num_heads, self.window_size, self.shift_size, self.mlp_ratio = dim, num_heads, window_size, shift_size, 4.0
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn, self.mlp = WindowAttention(dim, window_size, num_heads, self.bias), Mlp(dim)
        self.drop_path = DropPath(drop) if drop > 0 else nn.Identity()

    def windows(self, x):
        """[N, H, W, c] -> [N * windows, places, c]."""
        side = self.window_size
        return x.unflatten(2, (-1, side)).unflatten(1, (-1, side)).transpose(2, 3).flatten(3, 4).flatten(0, 2)

    def mask(self, h, w):
        """-100 where two places of a window are of different parts of the moved map."""
        def parts(size):
            line = torch.zeros(size)
            line[-self.window_size:], line[-self.shift_size:] = 1, 2
            return line

        part = self.windows((3 * parts(h)[:, None] + parts(w))[None, :, :, None]).squeeze(-1)
        return torch.where(part[:, None] == part[:, :, None], 0.0, -100.0)

    def attend(self, x):
        n, h, w, c = x.shape
        side, shift = self.window_size, self.shift_size
        x = self.windows(x.roll((-shift, -shift), (1, 2)))
        y = self.attn(x, self.mask(h, w) if shift else None)
        y = y.reshape(n, h // side, w // side, side, side, c).transpose(2, 3).reshape(n, h, w, c)
        return y.roll((shift, shift), (1, 2))

    def padded(self, x):
        below, right = (-size % self.window_size for size in x.shape[1:3])
        return nn.functional.pad(x, (0, 0, 0, right, 0, below))

    def forward(self, x):
        h, w = x.shape[2:]
        x = self.padded(x.permute(0, 2, 3, 1))
        x = x + self.drop_path(self.attend(self.norm1(x)))
        x = x + self.drop_path(self.mlp(self.norm2(x)))
        return x.permute(0, 3, 1, 2)[:, :, :h, :w]


class SwinTransformerLayer_tr(SwinTransformerLayer):
    """The same of the transposed map, padded for the attention alone, no bias (repository cv516Buaa/tph-yolov5)."""

    bias = False

    def forward(self, x):
        x = x.permute(0, 3, 2, 1)
        h, w = x.shape[1:3]
        x = x + self.drop_path(self.attend(self.padded(self.norm1(x)))[:, :h, :w])
        x = x + self.drop_path(self.mlp(self.norm2(x)))
        return x.permute(0, 3, 2, 1)


class SwinTransformerBlock(nn.Module):
    """Layers in a Sequential, every second one with shifted windows."""

    name, layer = "blocks", SwinTransformerLayer

    def __init__(self, channels, num_heads, n, window_size=8):
        super().__init__()
        self.conv = None
        self.add_module(self.name, nn.Sequential(*(self.layer(channels, num_heads, window_size, i % 2 * window_size // 2) for i in range(n))))

    def forward(self, x):
        return getattr(self, self.name)(x)


class SwinTransformerBlock_tr(SwinTransformerBlock):
    name, layer = "tr", SwinTransformerLayer_tr


class C3STR(torch_modules.CSP):
    """C3 of Swin's layers, in heads of 32 channels."""

    block = SwinTransformerBlock

    def __init__(self, c1, c2, n=1, shortcut=True, g=1, e=0.5):
        hidden = int(c2 * e)
        super().__init__(c1, c2, hidden, [])
        self.m = self.block(hidden, hidden // 32, n)


class C3STR_tr(C3STR):
    block = SwinTransformerBlock_tr


REPEATING = (CoT3, BoT3, C3STR)
