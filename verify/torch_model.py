"""From the rows of a YAML to a model in PyTorch, of the modules of torch_modules.py and of those that forks add to them.

parse_model's arithmetic (widths, depths, indices) is written once more here, on purpose: ysc2onnx is checked against it too.
What a YAML asks for and cannot be had is a ValueError that says where and why.
"""
import ast
import math
import re

import fork_attention
import fork_backbones
import fork_blocks
import fork_contexts
import fork_transformers
import torch_modules
from torch_modules import C3, SPPF, Bottleneck, Concat, Conv, Detect, SCConv, ScConv, nn, torch

# What the parser hands over. Scaled: (c1, c2, ...), c2 scaled by the width. Repeating: the number of repeats after these, too.
REPEATING = {C3, *torch_modules.SCCONV_BLOCKS, *fork_attention.BLOCKS, *fork_blocks.REPEATING, *fork_backbones.REPEATING, *fork_transformers.REPEATING}
SCALED = REPEATING | {Conv, Bottleneck, SPPF, ScConv, SCConv, *fork_attention.ATTENTION, *fork_blocks.SCALED, *fork_backbones.SCALED, *fork_contexts.SCALED}
SCALED -= {fork_attention.SimAM}  # which takes no channels
JOINING = {Concat, *fork_blocks.JOINING}  # of several inputs, whose channels add up
FUSING = {*fork_blocks.FUSING}  # of several inputs, called with the row's own (c1, c2)
MODULES = {cls.__name__: cls for cls in SCALED | JOINING | FUSING | {
    Detect, nn.Upsample, fork_attention.SimAM, fork_contexts.TripletAttention, fork_blocks.CARAFE, fork_blocks.space_to_depth}}
MODULES["nn.Upsample"] = MODULES.pop("Upsample")


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
        raise ValueError(f"cannot read the argument {text!r}: expected a literal, nc, anchors or a torch.nn call") from None


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
            raise ValueError(f"{where}: known are {', '.join(sorted(MODULES))}; for others pass your training code with --yolov5 DIR")
        cls, args = MODULES[kind], [argument(a, names) for a in args]
        incoming = [(channels or [config.get("ch", 3)])[j] for j in ([source] if isinstance(source, int) else source)]
        width = sum(incoming) if cls in JOINING else incoming[0]
        repeats = max(round(n * config["depth_multiple"]), 1) if n > 1 else n
        if cls in SCALED and not args:  # a row of forks whose parser hands over the channels of the input alone
            args = [width]
        elif cls in FUSING:
            width = args[1]
        elif cls is fork_blocks.space_to_depth:
            width *= 4
        elif cls is fork_blocks.CARAFE:
            args = [width, *args]
        elif cls in SCALED:
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
            raise ValueError(f"{where}: {kind}{tuple(args)}: {err}") from err
        layers.append(made[0] if repeats <= 1 else nn.Sequential(*made))
        sources.append(source if source == -1 else source % i if isinstance(source, int) else [j % i for j in source])
        channels.append(width)
    model, side = Model(layers, sources).eval(), 256
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.eps = 1e-3  # YOLOv5 sets it on all of a model
    if not isinstance(layers[-1], Detect):
        raise ValueError(f"row {len(layers) - 1}: the last row must be Detect")
    with torch.no_grad():
        maps = model.run(torch.zeros(1, config.get("ch", 3), side, side))
        layers[-1].set_stride([side / x.shape[2] for x in maps])
    return model
