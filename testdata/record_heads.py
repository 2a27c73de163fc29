#!/usr/bin/env python3
"""Write heads/NAME.pt for each heads/NAME.yaml, a checkpoint as training code leaves it, and heads/NAME.npz, what PyTorch computes
with it, layer by layer: input, layer.<i> and output0 of two images of 64x96 pixels, and how far they are from float64.

The classes are those of verify/, pickled under the paths that they have in the fork's code, with the attributes that its Detect
keeps. Batch norms have the statistics of a batch of noise, biases are drawn. heads/face.onnx is what PyTorch's own exporter makes of the
face model, under the names that yolov5-face's export.py gives.
"""
import collections
import sys
import types
from copy import deepcopy
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "verify"))

import fork_blocks  # noqa: E402
import fork_heads  # noqa: E402
import numpy as np  # noqa: E402
import parity_record  # noqa: E402
import torch  # noqa: E402
import torch_modules  # noqa: E402
import yaml  # noqa: E402

nn = torch.nn

# What stands in the place of Detect and its like, by file.
HEADS = {"face": fork_heads.LandmarkDetect, "decoupled": fork_heads.Decoupled_Detect, "asff": fork_heads.ASFF_Detect, "iaux": fork_heads.IAuxDetect, "classify": fork_heads.Classify,
         "corners": fork_heads.QuadrangleDetect}
PATHS = {"LandmarkDetect": "models.yolo.Detect", "QuadrangleDetect": "models.yolo.Detect", "Classifier": "models.yolo.ClassificationModel"} | {name: f"models.yolo.{name}" for name in ("Model", "Decoupled_Detect", "DecoupledHead", "ASFF_Detect", "IAuxDetect")}


class SPP(nn.Module):
    """Pools of several sizes beside their input."""

    def __init__(self, c1, c2, k=(5, 9, 13)):
        super().__init__()
        self.cv1, self.cv2 = torch_modules.Conv(c1, c1 // 2), torch_modules.Conv(c1 // 2 * (len(k) + 1), c2)
        self.m = nn.ModuleList(nn.MaxPool2d(size, 1, size // 2) for size in k)

    def forward(self, x):
        x = self.cv1(x)
        return self.cv2(torch.cat([x, *(m(x) for m in self.m)], 1))


class Focus(nn.Module):
    """The four pixels of 2x2 squares side by side, then a Conv."""

    def __init__(self, c1, c2, k=1):
        super().__init__()
        self.conv = torch_modules.Conv(4 * c1, c2, k)

    def forward(self, x):
        return self.conv(torch.cat([x[..., i::2, j::2] for j in range(2) for i in range(2)], 1))


class Model(nn.Module):
    """The rows of a YAML as training code builds them, with what its parser leaves on each layer."""

    def __init__(self, config, head):
        super().__init__()
        self.yaml, self.nc, self.names = config, config["nc"], [f"class{i}" for i in range(config["nc"])]
        layers, channels = [], []
        for i, (f, n, kind, args) in enumerate(config["backbone"] + config["head"]):
            last = i == len(config["backbone"] + config["head"]) - 1
            cls = head if last else {"SPP": SPP, "Focus": Focus, "nn.Upsample": nn.Upsample}.get(kind) or getattr(torch_modules, kind, None) or getattr(fork_blocks, kind)
            args = [{"None": None, "nc": self.nc, "anchors": config["anchors"]}.get(a, a) if isinstance(a, str) else a for a in args]
            incoming = [(channels or [3])[j] for j in ([f] if isinstance(f, int) else f)]
            if last and cls is fork_heads.Classify:
                c2, call = 0, args
            elif last:
                c2, call = 0, [*args, incoming]
            elif kind in ("nn.Upsample", "Concat"):
                c2, call = sum(incoming), args
            else:
                c2, call = args[0], [incoming[0], args[0], *([n] if kind == "C3" else []), *args[1:]]
            made = [cls(*call) for _ in range(1 if kind == "C3" else n)]
            layer = made[0] if len(made) == 1 else nn.Sequential(*made)
            layer.i, layer.f, layer.type, layer.np = i, f, path(cls), sum(p.numel() for p in layer.parameters())
            layers.append(layer)
            channels.append(c2)
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        kept = []
        for m in self.model:
            x = x if m.f == -1 else kept[m.f] if isinstance(m.f, int) else [x if j == -1 else kept[j] for j in m.f]
            x = m(x)
            kept.append(x)
        return x


class Classifier(Model):
    """As YOLOv5 cuts it from a detector: without a YAML, with the detector's strides, and with the number of classes from before it
    was trained for others. Its transforms are torchvision's."""

    def __init__(self, config, head):
        super().__init__(config, head)
        del self.yaml, self.model[-1].np
        self.nc, self.stride, self.save = 1000, torch.tensor([8.0, 16.0, 32.0]), []
        self.transforms = collections.OrderedDict(size=224)


def path(cls):
    """The class's path in the fork's code."""
    if cls.__module__.startswith("torch."):
        return f"{cls.__module__}.{cls.__name__}"
    return PATHS.get(cls.__name__, f"models.common.{cls.__name__}")


def pose(classes):
    """Let classes be pickled under their paths in the fork's code."""
    for cls in classes:
        package, _, name = path(cls).rpartition(".")
        for part in ("models", package):
            sys.modules.setdefault(part, types.ModuleType(part))
        cls.__module__, cls.__qualname__ = package, name
        setattr(sys.modules[package], name, cls)


def settle(model):
    """Weights and statistics that all matter: see calibrate in modules/testdata/oracle/training_code.py."""
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eps, m.momentum = 1e-3, 1.0
                m.weight.normal_(1, 0.2)
                m.bias.normal_(0, 0.3)
            elif getattr(m, "bias", None) is not None:
                m.bias.normal_(0, 0.5)
            if isinstance(m, nn.Conv2d):
                m.weight.mul_(2)
        model.train()
        model(torch.rand(8, 3, 64, 96))
    model.eval()


def main():
    fork_heads.DecoupledHead.hidden = 8  # 256 in forks
    for file in sorted((HERE / "heads").glob("*.yaml")):
        torch.manual_seed(len(file.stem))
        kind = Classifier if HEADS[file.stem] is fork_heads.Classify else Model
        model = kind(yaml.safe_load(file.read_text(encoding="utf-8")), HEADS[file.stem])
        if file.stem == "corners":
            for m in [m for m in model.modules() if isinstance(m, nn.Sequential)]:
                for i, act in enumerate(m):
                    if isinstance(act, nn.SiLU):
                        m[i] = nn.LeakyReLU(0.2)
        print(file.stem, sum(p.numel() for p in model.parameters()), "parameters")
        head = model.model[-1]
        if kind is Model:
            head.stride = model.stride = torch.tensor([8.0, 16.0, 32.0][:head.nl])
            head.anchors /= head.stride.view(-1, 1, 1)
        settle(model)
        if kind is Classifier:
            head.conv.bn.eps = 1e-5  # it was not there when YOLOv5 set all others
        model.half().float()  # what float16 holds
        record = parity_record.record(deepcopy(model), torch.rand(2, 3, 64, 96))
        np.savez_compressed(file.with_suffix(".npz"), **record)
        if file.stem == "face":
            torch.onnx.export(model, torch.zeros(1, 3, 64, 96), file.with_suffix(".onnx"), opset_version=12, input_names=["input"], output_names=["output"])
        pose({type(m) for m in model.modules() if not type(m).__module__.startswith("torch.")} - {type(None)})
        torch.save({"epoch": -1, "model": model.half()}, file.with_suffix(".pt"))
        print(file.stem, {k: v.shape for k, v in record.items() if k.startswith("output") and not k.endswith("rounding")})



if __name__ == "__main__":
    main()
