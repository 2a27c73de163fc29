"""Import a YOLOv5 checkout (v7.0 was used) with ScConv and C3_ScConv added to it, for the recorders beside this file.

The ScConv family comes from verify/torch_modules.py. Each of its classes is made to look like one of models/common.py, and
parse_model is edited in memory as the published tutorial edits it: both names join the set of modules that are
called with (c1, c2, ...), and C3_ScConv joins the set that takes the number of repeats.
"""
import logging
import re
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "verify"))

import numpy as np  # noqa: E402
import fork_attention  # noqa: E402
import parity_model  # noqa: E402
import torch_modules  # noqa: E402

torch, nn = torch_modules.torch, torch_modules.nn


def load(folder, repeats=True):
    """The module models.yolo of a checkout; its models.common is reachable as yolo.common. Without repeats, C3_ScConv is not in the
    set that takes their number, as in many forks."""
    parity_model.without_plots()
    sys.path.insert(0, str(Path(folder).resolve()))
    import models.common as common

    torch_modules.Conv = common.Conv  # so that C3_ScConv is built on the checkout's own Conv, and fuses with it
    for name in ("GroupBatchnorm2d", "SRU", "CRU", "ScConv", "Bottleneck_ScConv", "SCConv", "Bottleneck_SCConv",
                 *sorted(cls.__name__ for cls in torch_modules.SCCONV_BLOCKS)):
        cls = getattr(torch_modules, name)
        cls.__module__ = "models.common"  # parse_model prints it
        setattr(common, name, cls)
    for cls in fork_attention.ATTENTION + fork_attention.BLOCKS:
        setattr(common, cls.__name__, cls)

    path = Path(folder).resolve() / "models" / "yolo.py"
    added = iter(["C3x, ScConv, C3_ScConv}", "C3x, C3_ScConv}" if repeats else "C3x}"])
    source, hits = re.subn(r"C3x,?\s*}", lambda _: next(added), path.read_text(encoding="utf-8"))
    if hits != 2:
        sys.exit(f"{path}: expected two sets of modules that end with C3x, found {hits}; use YOLOv5 v7.0")
    yolo = types.ModuleType("models.yolo")
    yolo.__file__, yolo.common = str(path), common
    sys.modules["models.yolo"] = yolo
    exec(compile(source, str(path), "exec"), vars(yolo))
    return yolo


def draw_weights(model, draw):
    """Give weights and biases values that all matter, from a NumPy generator; those of statistics are calibrate's.

    The scale of ScConv's normalisation is drawn so wide that its softmax prefers some channels.
    """
    def put(target, scale, centre=0.0):
        target.data.copy_(torch.from_numpy((centre + scale * draw.standard_normal(tuple(target.shape))).astype(np.float32)))

    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            put(m.weight, 0.5 / m.weight[0].numel() ** 0.5)
            if m.bias is not None:
                put(m.bias, 0.3)
        elif isinstance(m, nn.BatchNorm2d):
            put(m.weight, 0.2, 1)
            put(m.bias, 0.3)
        elif isinstance(m, torch_modules.GroupBatchnorm2d):
            scale, shift = m.parameters()
            put(scale, 2)
            put(shift, 0.5)


def calibrate(model, images):
    """Fit a model's convolutions and batch-norm statistics to its own activations on images, [N, 3, H, W], or a head's on maps.

    A model with drawn statistics passes hardly anything on behind an ScConv, which divides what it gives by its number of
    channels: a fault there moves nothing. So the weights of each convolution are divided by the root mean square of the
    channel that they read, as if they had been trained to it, and each batch norm gets the statistics of what it reads.
    """
    def scale(conv, inputs):
        rms = inputs[0].square().mean((0, 2, 3)).sqrt().reshape(conv.groups, 1, -1, 1, 1)
        rms[rms == 0] = 1  # an open gate leaves nothing of the channel that it is crossed with
        conv.weight.copy_((conv.weight.unflatten(0, (conv.groups, -1)) / rms).flatten(0, 1))

    hooks = [m.register_forward_pre_hook(scale) for m in model.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 1.0
    model.train()
    with torch.no_grad():
        model(images)
    model.eval()
    for m, momentum in zip(norms, momenta, strict=True):
        m.momentum = momentum
    for hook in hooks:
        hook.remove()


class Lines(logging.Handler):
    """Collects what YOLOv5 logs, in place of showing it."""

    def __init__(self):
        super().__init__()
        logger = logging.getLogger("yolov5")
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.addHandler(self)
        self.lines = []

    def emit(self, event):
        self.lines += event.getMessage().splitlines()
