#!/usr/bin/env python3
"""Write blocks/NAME.pt for each blocks/NAME.yaml, a checkpoint as training code leaves it, and blocks/NAME.npz, what PyTorch
computes with it, layer by layer: input, layer.<i> and output0 of two images of 32x64 pixels, and how far they are from float64.

The classes are those of verify/, pickled as models.common.NAME, the path that they have in forks. Convolutions are fitted to
what they read, and batch norms have the statistics of a batch of noise. blocks/counts.json has what PyTorch counts of each model:
layers, parameters, and with thop (pytorch-OpCounter 0.1.1) on PYTHONPATH GFLOPs of one image of 32x64 pixels.
"""
import json
import sys
import types
from copy import deepcopy
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "verify"), str(HERE.parent / "modules" / "testdata" / "oracle")]

import numpy as np  # noqa: E402
import parity_record  # noqa: E402
import thop  # noqa: E402
import torch  # noqa: E402
import torch_model  # noqa: E402
import training_code as code  # noqa: E402
import yaml  # noqa: E402

nn = torch.nn


class Checkpoint(torch_model.Model):
    """The model with the attributes that training code leaves on it and on its layers."""

    def complete(self, config):
        self.yaml, self.nc, self.names = config, config["nc"], [f"class{i}" for i in range(config["nc"])]
        head = self.model[-1]
        head.nc, head.nl, head.stride = config["nc"], len(head.m), torch.tensor(head.stride)
        self.stride = head.stride
        rows = config["backbone"] + config["head"]
        for i, (layer, row, source) in enumerate(zip(self.model, rows, self.sources, strict=True)):
            layer.i, layer.f, layer.np, layer.type = i, row[0], sum(p.numel() for p in layer.parameters()), posed(type(layer))
        del self.sources

    def forward(self, x):
        kept = []
        for m in self.model:
            x = x if m.f == -1 else kept[m.f] if isinstance(m.f, int) else [x if j == -1 else kept[j] for j in m.f]
            x = m(x)
            kept.append(x)
        return x


def posed(cls):
    """The class's path in a fork's code."""
    if cls.__module__.startswith("torch."):
        return f"{cls.__module__}.{cls.__name__}"
    return ("models.yolo." if cls.__name__ in ("Model", "Checkpoint", "Detect") else "models.common.") + cls.__name__.replace("Checkpoint", "Model")


def pose(classes):
    """Let classes be pickled under their paths in a fork's code."""
    for cls in classes:
        package, _, name = posed(cls).rpartition(".")
        for part in ("models", package):
            sys.modules.setdefault(part, types.ModuleType(part))
        cls.__module__, cls.__qualname__, cls.__name__ = package, name, name
        setattr(sys.modules[package], name, cls)


def settle(model):
    """Weights and statistics that all matter, none of which saturates what follows."""
    draw = np.random.Generator(np.random.PCG64(len(model.model)))
    code.draw_weights(model, draw)
    for m in model.modules():
        for name, p in m.named_parameters(recurse=False):
            if not isinstance(m, (nn.Conv2d, nn.BatchNorm2d, nn.Linear, nn.GroupNorm, nn.LayerNorm)):
                p.data.copy_(torch.from_numpy((p.dim() == 1) * 0.5 + 0.3 * draw.standard_normal(tuple(p.shape))))
    code.calibrate(model, torch.from_numpy(draw.random((8, 3, 32, 64), dtype=np.float32)))


def count(model):
    """What YOLOv5 prints of a model: all of its modules, its parameters, and GFLOPs as it scales them up from one stride."""
    stride = int(max(model.stride.max(), 32))
    macs = thop.profile(deepcopy(model), inputs=(torch.zeros(1, 3, stride, stride),), verbose=False)[0]
    return {"layers": len(list(model.modules())), "parameters": sum(p.numel() for p in model.parameters()), "gflops": 2 * macs * 32 * 64 / stride**2 / 1e9}


def main():
    counts = {}
    for file in sorted((HERE / "blocks").glob("*.yaml")):
        torch.manual_seed(len(file.stem))
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        model = torch_model.build(deepcopy(config))
        model.__class__ = Checkpoint
        model.complete(config)
        settle(model)
        counts[file.stem] = count(model)
        model.half().float()  # what float16 holds
        np.savez_compressed(file.with_suffix(".npz"), **parity_record.record(deepcopy(model), torch.rand(2, 3, 32, 64)))
        pose({type(m) for m in model.modules() if not type(m).__module__.startswith("torch.")})
        torch.save({"epoch": -1, "model": model.half()}, file.with_suffix(".pt"))
        print(file.stem, counts[file.stem])
    (HERE / "blocks" / "counts.json").write_text(json.dumps(counts, indent=1) + "\n")


if __name__ == "__main__":
    main()
