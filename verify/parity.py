#!/usr/bin/env python3
"""Show that an exported ONNX file computes what PyTorch computes, layer by layer.

    parity.py MODEL.yaml MODEL.onnx -o ref.npz                         weights from an unfused file (--no-optimize)
    parity.py MODEL.yaml MODEL.onnx -o ref.npz --weights-from raw.onnx  MODEL.onnx is fused, raw.onnx is not
    parity.py MODEL.yaml MODEL.onnx -o ref.npz --yolov5 DIR             with the classes of your own training code
    parity.py MODEL.yaml MODEL.onnx -o ref.npz --yolov5 DIR --weights best.pt

PyTorch runs the model on a seeded random input and writes ref.npz: `input` (N,3,H,W float32 in 0..1), `layer.<i>`
for each YAML row that returns one tensor, and `output0`. Then `ysc2onnx verify MODEL.onnx --against ref.npz`
compares. Without --yolov5 the classes are the ones below, written from the modules' mathematical descriptions; with
it, they are those of DIR (a checkout of YOLOv5, with your edits). The weights are taken out of the ONNX file by
their state_dict names, all of them and nothing else, or from --weights, which is unpickled and so must be trusted.

Needs numpy, torch and PyYAML; not onnx. Exit codes: 0 equal, 1 could not be checked, 2 usage, 3 different.
"""
import argparse
import ast
import contextlib
import math
import mmap
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

try:
    import numpy as np
    import torch
    import torch.nn as nn
    import yaml
except ImportError as err:
    sys.exit(f"parity: {err}; this script needs numpy, torch and PyYAML")


class Failure(Exception):
    """A check that could not be made; its text says what was wrong, where, and what to do."""


# ---------------------------------------------------------------------------------------------------------------
# Modules. Shapes are N batch, C channels, H height, W width, all float32; parameters carry their state_dict names.


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
        self.residual = bool(shortcut) and c1 == c2

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.residual else y


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
        self.dimension = dimension

    def forward(self, xs):
        return torch.cat(xs, dim=self.dimension)


class GroupBatchnorm2d(nn.Module):
    """Group normalisation with the unbiased standard deviation (n-1) and eps added to it, outside the root."""

    def __init__(self, channels, groups):
        super().__init__()
        if channels % groups:
            raise Failure(f"GroupBatchnorm2d: {channels} channels do not form {groups} equal groups")
        self.groups, self.eps = groups, 1e-10
        self.gamma = nn.Parameter(torch.randn(channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x):
        n, c, h, w = x.shape
        v = x.reshape(n, self.groups, -1)
        v = (v - v.mean(dim=2, keepdim=True)) / (v.std(dim=2, keepdim=True) + self.eps)
        return v.reshape(n, c, h, w) * self.gamma + self.beta


class SRU(nn.Module):
    """Spatial reconstruction, softmax flavour: a channel is informative where softmax(gamma) is over the gate."""

    def __init__(self, channels, groups, gate):
        super().__init__()
        self.gn = GroupBatchnorm2d(channels, groups)
        self.gate = gate
        self.sigomid = nn.Sigmoid()

    def forward(self, x):
        share = torch.softmax(self.gn.gamma, dim=0)
        weighed = self.sigomid(self.gn(x) * share)
        half = x.shape[1] // 2
        rich = ((share > self.gate) * weighed * x).split(half, dim=1)
        poor = ((share <= self.gate) * weighed * x).split(half, dim=1)
        return torch.cat([rich[0] + poor[1], rich[1] + poor[0]], dim=1)


class CRU(nn.Module):
    """Channel reconstruction: two squeezed parts, one transformed richly, one cheaply; weighed by global averages."""

    def __init__(self, channels, alpha, squeeze, groups, kernel):
        super().__init__()
        self.parts = [int(alpha * channels), channels - int(alpha * channels)]
        up, low = (part // squeeze for part in self.parts)
        self.squeeze1 = nn.Conv2d(self.parts[0], up, 1, bias=False)
        self.squeeze2 = nn.Conv2d(self.parts[1], low, 1, bias=False)
        self.GWC = nn.Conv2d(up, channels, kernel, padding=kernel // 2, groups=groups)
        self.PWC1 = nn.Conv2d(up, channels, 1, bias=False)
        self.PWC2 = nn.Conv2d(low, channels - low, 1, bias=False)
        self.advavg = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        up, low = torch.split(x, self.parts, dim=1)
        up, low = self.squeeze1(up), self.squeeze2(low)
        both = torch.cat([self.GWC(up) + self.PWC1(up), self.PWC2(low), low], dim=1)
        both = torch.softmax(self.advavg(both), dim=1) * both
        first, second = both.split(x.shape[1], dim=1)
        return first + second


class ScConv(nn.Module):
    """CRU(SRU(x)): [N, C, H, W] -> [N, C, H, W] (Li et al., CVPR 2023). The argument names are the published ones."""

    def __init__(self, op_channel, group_num=16, gate_treshold=0.5, alpha=0.5, squeeze_radio=2, group_size=2,
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


class Detect(nn.Module):
    """Decode one map per scale: list of [N, c_i, h_i, w_i] -> [N, na * sum(h_i * w_i), 5 + nc], boxes as xywh in pixels.

    Rows go scale by scale, anchor by anchor, then row-major over the map. Anchors are kept divided by the stride.
    """

    def __init__(self, nc, anchors, channels):
        super().__init__()
        self.columns = nc + 5
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float32).reshape(len(anchors), -1, 2))
        self.per_cell = self.anchors.shape[1]
        self.m = nn.ModuleList(nn.Conv2d(c, self.columns * self.per_cell, 1) for c in channels)
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
        size = self.anchors.numpy()[i].reshape(self.per_cell, 1, 1, 2) * np.float32(self.stride[i])
        p = torch.sigmoid(x.reshape(n, self.per_cell, self.columns, h, w).permute(0, 1, 3, 4, 2))
        xy, wh, scores = p.split([2, 2, self.columns - 4], dim=-1)
        xy, wh = (xy * 2 + torch.from_numpy(cell)) * self.stride[i], (wh * 2) ** 2 * torch.from_numpy(size)
        return torch.cat([xy, wh, scores], dim=-1).reshape(n, -1, self.columns)


# ---------------------------------------------------------------------------------------------------------------
# From the YAML's rows to a model.

MODULES = {cls.__name__: cls for cls in (Conv, Bottleneck, C3, SPPF, ScConv, C3_ScConv, Concat, Detect)}
MODULES["nn.Upsample"] = nn.Upsample
SCALED = {Conv, Bottleneck, C3, SPPF, ScConv, C3_ScConv}  # called with (c1, c2, ...), c2 scaled by the width
REPEATING = {C3, C3_ScConv}  # take the number of repeats as their third argument


class Model(nn.Module):
    """The layers of a YAML under `model.<i>`, each with the indices of the layers it reads."""

    def __init__(self, layers, sources):
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.sources = sources

    def forward(self, x):
        return self.model[-1](self.run(x))

    def run(self, x):
        """Run every layer but the last and return the last one's input."""
        kept = []
        for layer, source in zip(self.model, self.sources):
            x = x if source == -1 else kept[source] if isinstance(source, int) else [kept[j] for j in source]
            if len(kept) + 1 == len(self.sources):
                return x
            x = layer(x)
            kept.append(x)


def argument(text, names):
    """The value of one argument: a literal, a name of the parser's (nc, anchors), or a torch.nn activation call."""
    if not isinstance(text, str):
        return text
    if text in names:
        return names[text]
    call = re.fullmatch(r"(?:torch\.)?nn\.(\w+)\((.*)\)", text.strip())
    try:
        if call and isinstance(getattr(nn, call[1], None), type):
            node = ast.parse(f"f({call[2]})", mode="eval").body
            literal = ast.literal_eval
            return getattr(nn, call[1])(*map(literal, node.args), **{k.arg: literal(k.value) for k in node.keywords})
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):
        if text.isidentifier():
            return text  # a plain word such as nearest
        raise Failure(f"cannot read the argument {text!r}: expected a literal, nc, anchors or a torch.nn call") from None


def build(config):
    """Build a Model from a parsed YAML, in eval mode, with strides and anchors set and weights at their defaults."""
    nc, anchors = config["nc"], config["anchors"]
    per_cell = anchors if isinstance(anchors, int) else len(anchors[0]) // 2
    unit = config.get("channel_multiple") or 8
    names = {"nc": nc, "anchors": anchors}
    Conv.default_act = argument(config["activation"], names) if config.get("activation") else nn.SiLU()
    layers, sources, channels = [], [], []
    for i, (source, n, kind, args) in enumerate(config["backbone"] + config["head"]):
        where = f"row {i} ({kind})"
        if kind not in MODULES:
            raise Failure(f"{where}: parity.py knows {', '.join(MODULES)}; for other modules pass --yolov5 DIR, your training code")
        cls, args = MODULES[kind], [argument(a, names) for a in args]
        incoming = [(channels or [config.get("ch", 3)])[j] for j in ([source] if isinstance(source, int) else source)]
        width = sum(incoming) if cls is Concat else incoming[0]
        repeats = max(round(n * config["depth_multiple"]), 1) if n > 1 else n
        if cls in SCALED:
            width = args[0]
            if width != per_cell * (nc + 5):  # the head's own channel count is left alone
                width = math.ceil(width * config["width_multiple"] / unit) * unit
            args = [incoming[0], width, *args[1:]]
            if cls in REPEATING:
                args.insert(2, repeats)
                repeats = 1
        elif cls is Detect:
            if isinstance(args[1], int):  # a count of anchors: sizes are placeholders
                args[1] = [list(range(2 * args[1]))] * len(incoming)
            args.append(incoming)
        try:
            made = [cls(*args) for _ in range(max(repeats, 1))]
        except (TypeError, ValueError, RuntimeError) as err:
            raise Failure(f"{where}: {kind}{tuple(args)}: {err}") from err
        layers.append(made[0] if repeats <= 1 else nn.Sequential(*made))
        sources.append(source if source == -1 else source % i if isinstance(source, int) else [j % i for j in source])
        channels.append(width)
    model, side = Model(layers, sources).eval(), 256
    if not isinstance(layers[-1], Detect):
        raise Failure(f"row {len(layers) - 1}: the last row must be Detect")
    with torch.no_grad():
        maps = model.run(torch.zeros(1, config.get("ch", 3), side, side))
        layers[-1].set_stride([side / x.shape[2] for x in maps])
    return model


# ---------------------------------------------------------------------------------------------------------------
# Reading an ONNX file: just enough of protobuf for the initializers and the first input's shape.


def fields(data):
    """Yield (field number, value) of one protobuf message: an int for varints, a memoryview for everything else."""
    at, end = 0, len(data)

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            if at >= end or shift > 63:
                raise Failure("not an ONNX file, or a truncated one (bad varint)")
            byte = data[at]
            value |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                return value

    while at < end:
        key = varint()
        number, wire = key >> 3, key & 7
        if wire == 0:
            yield number, varint()
            continue
        size = {1: 8, 5: 4}.get(wire) if wire != 2 else varint()
        if size is None or size > end - at:
            raise Failure(f"not an ONNX file, or a truncated one (field {number})")
        yield number, data[at:at + size]
        at += size


def every(data, *path):
    """All values at a path of field numbers below a message."""
    for number, value in fields(data):
        if number == path[0]:
            yield from every(value, *path[1:]) if len(path) > 1 else [value]


DTYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8"}


def tensor(data, folder):
    """Decode a TensorProto with raw or external data to (name, array)."""
    name, dims, dtype, raw, outside = "", [], 0, None, {}
    for number, value in fields(data):
        if number == 1:  # dims, packed or one by one
            dims += [value] if isinstance(value, int) else unpack(value)
        elif number == 2:
            dtype = value
        elif number == 8:
            name = bytes(value).decode()
        elif number in (4, 9):  # float_data is packed little-endian too
            raw = value
        elif number == 13:
            entry = {k: bytes(v).decode() for k, v in fields(value)}
            outside[entry.get(1)] = entry.get(2, "")
    if outside:
        path = (folder / outside["location"]).resolve()
        if folder.resolve() not in path.parents:
            raise Failure(f"tensor {name}: its external data {outside['location']!r} is outside the model's folder")
        start = int(outside.get("offset", 0))
        whole = view(path)
        raw = whole[start:start + int(outside.get("length", len(whole) - start))]
    if dtype not in DTYPES or raw is None and 0 not in dims:
        return name, None
    try:
        return name, np.frombuffer(raw or b"", DTYPES[dtype]).reshape(dims)
    except ValueError as err:
        raise Failure(f"tensor {name}: {err}") from err


def unpack(data):
    values, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values, value, shift = values + [value], 0, 0
    return values


def view(path):
    """A read-only view of a file, paged in as it is used."""
    try:
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as err:
        raise Failure(f"cannot read {path.name}: {getattr(err, 'strerror', None) or err}") from err


@contextlib.contextmanager
def naming(path):
    """Put the file's path before a Failure's text."""
    try:
        yield
    except Failure as err:
        raise Failure(f"{path}: {err}") from None


def initializers(path):
    """Every initializer of an ONNX file, by name; None for one whose type or storage no weight uses."""
    with naming(path):
        return dict(tensor(data, Path(path).parent) for data in every(view(path), 7, 5))


def input_shape(path):
    """The shape of the first graph input that is no initializer; None for each symbolic dimension."""
    with naming(path):
        data = view(path)
        weights = {bytes(name).decode() for name in every(data, 7, 5, 8)}
        for info in every(data, 7, 11):
            if bytes(next(every(info, 1))).decode() not in weights:
                return [next(every(dim, 1), None) for dim in every(info, 2, 1, 2, 1)]
        raise Failure("the graph has no input")


STATE_NAME = re.compile(r"model\.\d+\..*\b(weight|bias|running_mean|running_var|gamma|beta)")


def load_weights(model, path):
    """Copy an unfused ONNX file's initializers into a model by state_dict name: all of both sides, or a Failure."""
    state = {k: v for k, v in model.state_dict().items() if not k.endswith(("num_batches_tracked", ".anchors"))}
    given = {k: v for k, v in initializers(path).items() if k in state or STATE_NAME.fullmatch(k)}
    missing, unused = [k for k in state if k not in given], [k for k in given if k not in state]
    problems = [f"missing in the file: {k} {tuple(state[k].shape)}" for k in missing]
    problems += [f"unknown to the model: {k} {() if given[k] is None else given[k].shape}" for k in unused]
    for k in state.keys() & given.keys():
        if given[k] is None or given[k].shape != tuple(state[k].shape):
            shape = "no readable data" if given[k] is None else given[k].shape
            problems.append(f"shape differs: {k} is {shape} in the file, {tuple(state[k].shape)} in the model")
    if problems:
        lines = [f"{path}: {len(problems)} tensors do not match the model of the YAML", *problems[:40]]
        lines += [f"... and {len(problems) - 40} more"] * (len(problems) > 40)
        if any(".bn." in k for k in missing) and any(k.endswith("conv.bias") for k in unused):
            lines.append("the file has its batch norms folded into the convolutions: export once more with --no-optimize "
                         "and pass that file as --weights-from")
        raise Failure("\n  ".join(lines))
    with torch.no_grad():
        for k, v in state.items():
            v.copy_(torch.from_numpy(given[k].astype(np.float32)))
    return model


# ---------------------------------------------------------------------------------------------------------------
# The user's own training code, recording, the verdict.


def without_plots():
    """Stand in for what YOLOv5 imports for plots and notebooks only, where it is not installed."""
    for name in ("seaborn", "IPython", "IPython.display"):
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(get_ipython=lambda: None, display=lambda *things: None)


def training_code(folder, yaml_path, checkpoint):
    """The model of a YOLOv5 checkout: from a checkpoint, or from the YAML with its weights still to be loaded."""
    without_plots()
    sys.path.insert(0, str(Path(folder).resolve()))
    try:
        if checkpoint:
            from models.experimental import attempt_load
            model = attempt_load(checkpoint, fuse=False)
        else:
            from models.yolo import Model as Training
            model = Training(str(yaml_path))
    except Exception as err:  # whatever the user's code raises
        raise Failure(f"{folder}: cannot build {checkpoint or yaml_path}: {type(err).__name__}: {err}") from err
    return model.float().eval()


def record(model, x):
    """Run x through a model and return what ref.npz holds."""
    out, hooks = {"input": x.numpy()}, []
    for i, layer in enumerate(model.model[:-1]):  # the head's result is output0
        def keep(_, __, y, key=f"layer.{i}"):
            if torch.is_tensor(y):
                out[key] = y.clone().numpy()  # a later layer may work in place
        hooks.append(layer.register_forward_hook(keep))
    with torch.no_grad():
        y = model(x)
    for hook in hooks:
        hook.remove()
    out["output0"] = (y if torch.is_tensor(y) else y[0]).numpy()
    return out


def input_size(path, imgsz, batch):
    """The reference input's (batch, height, width): as asked, else as the file says, else 2x96x128."""
    shape = input_shape(path)
    if len(shape) != 4:
        raise Failure(f"{path}: the input has the shape {shape}, expected [batch, channels, height, width]")
    fixed, asked = [shape[0], *shape[2:]], [batch, *(imgsz or [None, None])]
    for name, f, a in zip(("batch", "height", "width"), fixed, asked):
        if f and a and f != a:
            raise Failure(f"{path}: its {name} is fixed at {f}, {a} was asked; export with --dynamic or ask for {f}")
    return [a or f or default for a, f, default in zip(asked, fixed, (2, 96, 128))]


def compare(tool, path, reference):
    """Run ysc2onnx verify; its report goes to stdout. Returns the exit code of this script."""
    sys.stdout.flush()
    code = subprocess.run([tool, "verify", str(path), "--against", str(reference)], check=False).returncode
    return code if code in (0, 3) else 1


def main(argv=None):
    """Parse arguments, record, compare, print one verdict line; returns the exit code."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("yaml", type=Path, metavar="MODEL.yaml")
    ap.add_argument("onnx", type=Path, metavar="MODEL.onnx")
    ap.add_argument("-o", "--output", type=Path, required=True, metavar="ref.npz")
    ap.add_argument("--imgsz", type=int, nargs="+", help="one side, or height width (default: the file's, else 96 128)")
    ap.add_argument("--batch", type=int, help="default: the file's, else 2")
    ap.add_argument("--seed", type=int, default=0, help="of the random input")
    ap.add_argument("--weights-from", type=Path, metavar="ONNX", help="the unfused file to take the weights from")
    ap.add_argument("--yolov5", type=Path, metavar="DIR", help="use the classes of this checkout")
    ap.add_argument("--weights", metavar="best.pt", help="with --yolov5: a trained checkpoint")
    ap.add_argument("--ysc2onnx", help="the program to compare with (default: the one on PATH)")
    ap.add_argument("--record-only", action="store_true", help="write ref.npz and stop: the comparison happens elsewhere")
    args = ap.parse_args(argv)
    if args.imgsz and len(args.imgsz) > 2:
        ap.error("--imgsz takes one or two numbers")
    if args.weights and not args.yolov5:
        ap.error("--weights needs --yolov5: a checkpoint holds objects of its training code's classes")
    if args.weights and args.weights_from:
        ap.error("--weights and --weights-from exclude each other")
    tool = None if args.record_only else shutil.which(args.ysc2onnx or "ysc2onnx")
    try:
        if not tool and not args.record_only:
            raise Failure(f"{args.ysc2onnx or 'ysc2onnx'} was not found: pass --ysc2onnx PATH, or --record-only to compare later")
        imgsz = args.imgsz and [args.imgsz[0], args.imgsz[-1]]
        batch, height, width = input_size(args.onnx, imgsz, args.batch)
        weights = args.weights or args.weights_from or args.onnx
        if args.yolov5:
            model = training_code(args.yolov5, args.yaml, args.weights)
        else:
            config = yaml.safe_load(args.yaml.read_text(encoding="utf-8"))
            if not isinstance(config, dict):
                raise Failure(f"{args.yaml}: expected a mapping with nc, anchors, backbone and head")
            model = build(config)
        if not args.weights:
            load_weights(model, weights)
        step = int(max(model.model[-1].stride))
        if height % step or width % step:
            raise Failure(f"{height}x{width}: height and width must be multiples of the largest stride, {step}")
        channels = next(model.parameters()).shape[1]
        x = np.random.default_rng(args.seed).random((batch, channels, height, width), dtype=np.float32)
        out = record(model, torch.from_numpy(x))
        np.savez_compressed(args.output, **out)
        layers = sum(key.startswith("layer.") for key in out)
        what = f"{layers} layers and output0 of {args.yaml}, weights of {weights}, input {batch}x{channels}x{height}x{width}"
        code = 0 if args.record_only else compare(tool, args.onnx, args.output)
    except (Failure, OSError, yaml.YAMLError, KeyError, RuntimeError) as err:
        print(f"parity: not checked: {f'the key {err} is missing' if isinstance(err, KeyError) else err}", file=sys.stderr)
        return 1
    if args.record_only:
        print(f"parity: recorded {args.output}, not compared: {what}")
    else:
        verdict = {0: "equal", 3: "DIFFERENT"}.get(code, "not checked")
        print(f"parity: {verdict}: {args.onnx} against PyTorch {torch.__version__}: {what}")
    return code


if __name__ == "__main__":
    sys.exit(main())
