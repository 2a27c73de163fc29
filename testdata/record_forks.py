#!/usr/bin/env python3
"""Write forks.pt, a state_dict of the model of forks.yaml, and forks.npz, what PyTorch computes with it, layer by layer.

The classes are those of verify/torch_modules.py. The rows C3_ScConv hold bottlenecks, of a Conv and an ScConv in layer 2, with a
third Conv in layer 4, as forks have them under that name; ScConv is of the flavour where. Batch norms have the statistics
of a batch of noise.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "verify"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch_model  # noqa: E402
import torch_modules  # noqa: E402
import yaml  # noqa: E402

torch.manual_seed(3)
torch_modules.SRU.flavour = "where"
config = yaml.safe_load((HERE / "forks.yaml").read_text(encoding="utf-8"))
for row, kind in ((2, "C3_S"), (4, "C3_ScSCConv")):
    config["backbone"][row][2] = kind
model = torch_model.build(config)
for m in model.modules():
    if isinstance(m, torch.nn.BatchNorm2d):
        m.momentum = 1.0
recorded = {}
with torch.no_grad():
    model.train()
    model.run(torch.rand(8, 3, 32, 64))
    model.eval()
    for i, layer in enumerate(model.model):
        name = "output0" if i == len(model.model) - 1 else f"layer.{i}"
        layer.register_forward_hook(lambda _, __, y, name=name: recorded.__setitem__(name, y.numpy()))
    x = torch.rand(2, 3, 32, 64)
    model(x)
np.savez_compressed(HERE / "forks.npz", input=x.numpy(), **recorded)
torch.save(dict(model.state_dict()), HERE / "forks.pt")
