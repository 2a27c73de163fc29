#!/usr/bin/env python3
"""Write a checkpoint of each of YOLOv5's models as training leaves it: whole, in float16, with weights that are drawn and fitted.

    stock_models.py YOLOV5 FOLDER [--classifier] FILE.yaml...

YOLOV5 is a checkout of v7.0, FOLDER where FILE.pt and FILE-fused.pt go. With --classifier they are of the classifier that
classify/train.py cuts from the model, with another number of classes than it was cut with, and with its transforms. Weights come from NumPy's PCG64 generator, seeded with the
file's name, and the batch norms' statistics are those of what they read, so that every layer counts.
"""
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(sys.argv[1]).resolve()), str(ROOT / "modules" / "testdata" / "oracle")]

import numpy as np  # noqa: E402
import training_code as code  # noqa: E402
import parity_model  # noqa: E402 - beside the classes that training_code imports
import yaml  # noqa: E402

torch, nn = code.torch, code.nn


def main():
    _, checkout, folder, *files = sys.argv
    classifier = "--classifier" in files
    files = [file for file in files if file != "--classifier"]
    parity_model.without_plots()
    from models.common import Conv
    from models.yolo import ClassificationModel, DetectionModel, SegmentationModel
    from utils.augmentations import classify_transforms
    from utils.torch_utils import reshape_classifier_output
    for file in map(Path, files):
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        Conv.default_act = nn.SiLU()  # which the parser replaces, for all models after
        model = (SegmentationModel if config["head"][-1][2] == "Segment" else DetectionModel)(config)
        torch.manual_seed(0)
        if classifier:
            model = ClassificationModel(model=model, nc=1000)
            reshape_classifier_output(model, config["nc"])
            model.transforms = classify_transforms(224)
        draw = np.random.Generator(np.random.PCG64(zlib.crc32(file.stem.encode())))
        code.draw_weights(model, draw)
        code.calibrate(model, torch.from_numpy(draw.uniform(0, 1, (8, 3, 256, 256)).astype(np.float32)))
        model.names = [f"class {i}" for i in range(config["nc"])]
        for name in "", "-fused":
            if name:
                model.float().fuse()
            torch.save({"model": model.half(), "ema": None, "epoch": -1}, Path(folder) / f"{file.stem}{name}.pt")


main()
