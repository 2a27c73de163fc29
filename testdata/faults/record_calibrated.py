#!/usr/bin/env python3
"""Write insert.pt, replace.pt and c3.pt, checkpoints of the YAMLs beside them, and what PyTorch computes with each, as .npz.

    record_calibrated.py --yolov5 DIR

DIR is a checkout of YOLOv5 v7.0. The npz holds input, layer.<i> and output0 of two images, and how far they are
from float64. The images are small; insert's are so wide that SPPF's second pool sees more than its first. Weights, biases and statistics are those of training_code.py: each layer passes its signal on at full
strength, so that a fault behind or inside an ScConv shows. One channel of insert's ScConv, and of most of c3's, is
over its gate; of replace's none is.

The checkpoints are in half precision, as YOLOv5 strips them. All numbers come from NumPy's PCG64 generator with fixed seeds.
"""
import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "modules" / "testdata" / "oracle"))

import numpy as np  # noqa: E402
import training_code as code  # noqa: E402
import yaml  # noqa: E402
import parity_record  # noqa: E402 - beside the classes that training_code imports

torch = code.torch
MODELS = {"insert": (64, 160), "replace": (64, 96), "c3": (64, 96)}  # height, width


def images(draw, count, height, width):
    """Pictures in [0, 1), [count, 3, height, width]: plain noise and coloured squares below noise, in turn."""
    x = draw.random((count, 3, height, width), dtype=np.float32)
    x[1::2] = (x[1::2] + draw.random((count // 2, 3, height // 16, width // 16), dtype=np.float32).repeat(16, 2).repeat(16, 3)) / 2
    return torch.from_numpy(x)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--yolov5", required=True)
    yolo = code.load(args.parse_args().yolov5)
    code.Lines()
    for seed, (name, size) in enumerate(MODELS.items()):
        draw = np.random.Generator(np.random.PCG64(2026 + seed))
        model = yolo.DetectionModel(yaml.safe_load((HERE / f"{name}.yaml").read_text(encoding="utf-8")))
        code.draw_weights(model, draw)
        norms = [m for m in model.modules() if isinstance(m, code.torch_modules.GroupBatchnorm2d)]
        for m in norms[::2] if name != "replace" else []:
            m.gamma.data[len(m.gamma) // 3] = m.gamma.max() + 2.5
        gates = [bool((torch.softmax(m.gamma, 0) > 0.5).any()) for m in norms]
        assert set(gates) == {"insert": {True}, "replace": {False}, "c3": {True, False}}[name], gates
        code.calibrate(model, images(draw, 96, *size))
        model.half()
        torch.save({"epoch": -1, "model": model, "ema": None, "optimizer": None}, HERE / f"{name}.pt")
        values = parity_record.record(model.float(), images(draw, 2, *size))
        assert all(np.isfinite(v).all() for v in values.values())
        np.savez_compressed(HERE / f"{name}.npz", **values)
        print(name, *(f"{k} {v.std():.2g}" for k, v in values.items()))


if __name__ == "__main__":
    main()
