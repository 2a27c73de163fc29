#!/usr/bin/env python3
"""Write pruned/NAME.pt, checkpoints of the model of pruned/model.yaml whose convolutions have fewer channels than the YAML gives, or
masks on their weights, and pruned/NAME.npz, what PyTorch computes with each, layer by layer.

    plain   the stock classes with other widths, as torch-pruning leaves them; class paths for names in the YAML, and the counters of
            the package thop among the buffers
    fork    the classes of pruning forks, C3Pruned and its kin, with the classes themselves in the YAML
    nores   more of them: SPPPruned, and C3PrunedNoRes, in which nothing is left of the inner blocks
    plain-legacy    plain, in the format from before PyTorch 1.6
    masked  torch.nn.utils.prune's weight_orig, weight_mask and hooks
"""
from copy import deepcopy

import numpy as np
import record_heads
import torch
import torch.nn.utils.prune as prune
import yaml
from record_heads import HERE, Model, parity_record, pose, settle, torch_modules

nn = torch.nn
PRUNED = {"C3": "C3Pruned", "Bottleneck": "BottleneckPruned", "SPPF": "SPPFPruned", "SPP": "SPPPruned", "NoRes": "C3PrunedNoRes"}


class NoRes(nn.Module):
    """A C3 without its inner blocks."""

    def __init__(self, c3):
        super().__init__()
        self.cv1, self.cv2, self.cv3 = c3.cv1, c3.cv2, c3.cv3
        self.i, self.f, self.type = c3.i, c3.f, c3.type

    def forward(self, x):
        return self.cv3(torch.cat((self.cv1(x), self.cv2(x)), 1))


def narrow(conv, c1, c2):
    """Give a Conv other channels."""
    old = conv.conv
    conv.conv = nn.Conv2d(c1, c2, old.kernel_size, old.stride, old.padding, groups=old.groups, dilation=old.dilation, bias=False)
    conv.bn = nn.BatchNorm2d(c2)
    return c2


def cut(model):
    """Prune: every convolution that may have a width of its own gets one."""
    m = model.model
    c = narrow(m[0], 3, 11)
    c = narrow(m[1], c, 19)
    for i, inner, (c1, c2, c3) in ((2, (7, 9), (13, 10, 23)), (8, (5,), (6, 9, 14))):
        block = m[i]
        incoming = c if i == 2 else channels
        narrow(block.cv1, incoming, c1)
        narrow(block.cv2, incoming, c2)
        for bottleneck, hidden in zip(getattr(block, "m", ()), inner):
            narrow(bottleneck.cv1, c1, hidden)
            narrow(bottleneck.cv2, hidden, c1)
        narrow(block.cv3, c1 + c2, c3)
        if i == 2:
            p2 = c3
            c = narrow(m[3], c3, 29)
            hidden = narrow(m[4].cv1, c, 8)
            p3 = narrow(m[4].cv2, (4 if hasattr(m[4].m, "kernel_size") else 3) * hidden, 26)
            channels = narrow(m[5], p3, 12) + p2
    for i, incoming in enumerate((14, p3)):
        m[9].m[i] = nn.Conv2d(incoming, m[9].m[i].out_channels, 1)


def finish(model, name):
    head = model.model[-1]
    head.stride = model.stride = torch.tensor([4.0, 8.0])
    head.anchors /= head.stride.view(-1, 1, 1)
    if name != "masked":
        cut(model)
    settle(model)
    model.half().float()
    if name == "masked":
        for i, m in enumerate(m for m in model.modules() if isinstance(m, nn.Conv2d)):
            if i % 2 == 0:
                prune.l1_unstructured(m, "weight", amount=0.4)
        model.half().float()
        model(torch.rand(1, 3, 32, 64))  # the weights are computed from their masks
    np.savez_compressed(HERE / "pruned" / f"{name}.npz", **parity_record.record(deepcopy(model) if name != "masked" else model, torch.rand(2, 3, 32, 64)))


def main():
    for seed, name in enumerate(("plain", "masked", "fork", "nores")):
        torch.manual_seed(seed)
        config = yaml.safe_load((HERE / "pruned" / "model.yaml").read_text(encoding="utf-8"))
        if name == "nores":
            config["backbone"][4] = [-1, 1, "SPP", [32, [5, 9]]]
        model = Model(config, torch_modules.Detect)
        if name == "nores":
            model.model[8] = NoRes(model.model[8])
        finish(model, name)
        rows = model.yaml["backbone"] + model.yaml["head"]
        if name in ("fork", "nores"):
            for m in model.modules():
                kind = PRUNED.get(type(m).__name__)
                if kind:
                    m.__class__ = type(kind, (type(m),), {})
            kinds = {}
            for m in model.modules():  # one class of each name
                m.__class__ = kinds.setdefault(type(m).__name__, type(m))
                if type(m).__name__ in PRUNED.values():
                    record_heads.PATHS[type(m).__name__] = f"models.pruned_common.{type(m).__name__}"
            record_heads.PATHS["Model"] = "models.yolo.ModelPruned"
            model.maskbndict = {"model.0.bn": torch.ones(16)}
        pose({type(m) for m in model.modules() if not type(m).__module__.startswith("torch.")})
        for row, m in zip(rows, model.model):
            m.type = record_heads.path(type(m))
            if name in ("fork", "nores"):
                row[2] = type(m)
            elif name == "plain":
                row[2] = f"{type(m).__module__}.{type(m).__name__}"
        if name == "plain":
            for m in model.modules():
                m.register_buffer("total_ops", torch.zeros(1, dtype=torch.float64))
                m.register_buffer("total_params", torch.zeros(1, dtype=torch.float64))
        torch.save({"epoch": -1, "model": model.half()}, HERE / "pruned" / f"{name}.pt")
        if name == "plain":
            torch.save({"epoch": -1, "model": model}, HERE / "pruned" / "plain-legacy.pt", _use_new_zipfile_serialization=False)
        if name == "masked":
            torch.save(model.state_dict(), HERE / "pruned" / "masked-state.pt")
        print(name, sum(p.numel() for p in model.parameters()), "parameters")


main()
