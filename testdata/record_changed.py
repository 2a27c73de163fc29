#!/usr/bin/env python3
"""Write changed.pt, a checkpoint that differs from its YAML in each value on which a checkpoint has the last word, and
changed.npz, what PyTorch computes with it, layer by layer. fused.pt is the same with its batch norms folded.

    record_changed.py --yolov5 DIR

DIR is a checkout of YOLOv5 v7.0 (PyTorch 1.13 was used). The npz holds input, layer.<i> and output0 of two images of
32x64 pixels, and how far they are from float64. Nothing is near its usual value: a wrong epsilon, slope, padding, group,
gate or stride shows.
"""
import argparse
import sys
from copy import deepcopy
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "modules" / "testdata" / "oracle"))

import numpy as np  # noqa: E402
import yaml  # noqa: E402
import training_code as code  # noqa: E402
import parity_record  # noqa: E402 - beside the classes that training_code imports

torch, nn = code.torch, code.nn


def change(model, common):
    """What training code, or a hand, may have changed since the model was built of its YAML."""
    rows = model.model
    scconv = common.ScConv(32, 8, 0.05, 0.25, 4, 1, 5)  # group_num, gate_treshold, alpha, squeeze_radio, group_size, group_kernel_size
    scconv.i, scconv.f, scconv.type, scconv.np = 2, -1, "models.common.ScConv", 0
    scconv.SRU.gn.eps = 0.25
    rows[2] = scconv
    rows[0].act, rows[1].act = nn.LeakyReLU(0.2), nn.Hardswish()
    rows[1].conv.dilation, rows[1].conv.padding = (2, 2), (2, 2)
    rows[3].m[0].add = False
    rows[4].m.kernel_size, rows[4].m.padding = 3, 1
    head = rows[5]
    head.anchors.copy_(torch.tensor([[[0.75, 1.5], [2.25, 1.125], [3.5, 5.0]]]))
    head.stride = model.stride = torch.tensor([8.0])
    for i, bn in enumerate(m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        bn.eps = 0.125 if i == 2 else 0.0625
    model.names = {0: "cat", 1: "dog's", 2: "owl"}


def randomize(model):
    """Statistics and weights that all matter."""
    generator = torch.Generator().manual_seed(7)
    for name, t in model.state_dict().items():
        if not t.is_floating_point() or name.endswith("anchors"):
            continue
        noise = torch.randn(t.shape, generator=generator)
        if name.endswith("running_var"):
            t.copy_(noise.abs() * 0.5 + 0.3)
        elif t.dim() == 4:
            t.copy_(noise * 0.7 / t[0].numel() ** 0.5)
        else:
            t.copy_(noise * 0.5 + (1 if name.endswith(("bn.weight", "gamma")) else 0))
    model.model[2].SRU.gn.gamma[3] = 4.0  # over the gate


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--yolov5", required=True)
    yolo = code.load(args.parse_args().yolov5)
    code.Lines()
    model = yolo.DetectionModel(yaml.safe_load((HERE / "changed.yaml").read_text()), nc=3)
    with torch.no_grad():
        change(model, yolo.common)
        randomize(model)
    model.eval().half()
    torch.save({"epoch": -1, "model": model, "ema": None, "optimizer": None}, HERE / "changed.pt")

    model.float()
    x = torch.rand(2, 3, 32, 64, generator=torch.Generator().manual_seed(8))
    record = parity_record.record(deepcopy(model), x)
    np.savez_compressed(HERE / "changed.npz", **record)
    torch.save({"epoch": -1, "model": model.fuse(), "ema": None}, HERE / "fused.pt")
    print({k: v.shape for k, v in record.items()})


if __name__ == "__main__":
    main()
