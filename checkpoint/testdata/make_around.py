#!/usr/bin/env python3
"""Make the checkpoints of around/: one small model inside of what wraps models, its state_dict under the names that wrappers give,
and small checkpoints of others' models, other-*.pt. Write around.json: the model's own tensors, as PyTorch names and reads them.

Needs PyTorch (1.13 was used). DataParallel is PyTorch's own; the other wrappers are empty classes of the real ones' names, since only
their names and children are read. What the cases tell apart: the tensors' names inside of a wrapper from the model's own.
"""
import json

import torch
from make import HERE, describe, module
from torch import nn

AROUND = HERE / "around"


def wrapped(path, child, inner, bases=(nn.Module,)):
    m = module(path, bases)()
    m.add_module(child, inner)
    return m


def main():
    torch.manual_seed(4)
    model = module("models.yolo.DetectionModel")()
    model.model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.Conv2d(2, 1, 1))
    own = model.state_dict()
    backend = wrapped("models.common.DetectMultiBackend", "model", model)
    objects = {
        "DataParallel": nn.DataParallel(model),
        "DistributedDataParallel": wrapped("torch.nn.parallel.distributed.DistributedDataParallel", "module", model),
        "compiled": wrapped("torch._dynamo.eval_frame.OptimizedModule", "_orig_mod", nn.DataParallel(model)),
        "AutoShape": wrapped("models.common.AutoShape", "model", backend),
        "Ensemble": wrapped("models.experimental.Ensemble", "0", model, (nn.ModuleList,)),
    }
    for name, m in objects.items():
        torch.save({"epoch": 1, "model": m}, AROUND / f"{name}.pt")
    pair = wrapped("models.experimental.Ensemble", "0", model, (nn.ModuleList,))
    pair.append(model)
    torch.save(pair, AROUND / "pair.pt")
    for name, prefix in {"module": "module.", "orig_mod": "_orig_mod.", "model": "model.", "two": "module._orig_mod.", "ema": "ema.model."}.items():
        torch.save({"state_dict": {prefix + k: v for k, v in own.items()}}, AROUND / f"names-{name}.pt")
    torch.save(model.model.state_dict(), AROUND / "names-bare.pt")
    torch.save({"model.0.weight": own["model.0.weight"], "module.model.1.weight": own["model.1.weight"]}, AROUND / "names-mixed.pt")
    later = module("ultralytics.nn.tasks.DetectionModel")()
    later.model = model.model
    torch.save({"epoch": -1, "model": later, "train_args": {"task": "detect"}, "version": "8.3.0"}, AROUND / "other-ultralytics.pt")
    torch.save({**own, "model.22.dfl.conv.weight": torch.arange(16.0).view(1, 16, 1, 1)}, AROUND / "other-dfl.pt")
    resnet = module("torchvision.models.resnet.ResNet")()
    resnet.conv1 = nn.Conv2d(3, 2, 1)
    torch.save(resnet, AROUND / "other-torchvision.pt")
    (HERE / "around.json").write_text(json.dumps(describe(own)) + "\n")


if __name__ == "__main__":
    main()
