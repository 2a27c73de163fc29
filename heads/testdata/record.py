#!/usr/bin/env python3
"""Write NAME.npz: maps as a head's convolutions give them, and what PyTorch decodes from them, in float64.

    record.py --yolov5 DIR

DIR is a checkout of YOLOv5 v7.0: its own Detect and Segment decode, with their convolutions left out. Landmarks are decoded by
LandmarkDetect of verify/fork_heads.py. Each file holds `x`, [N, na * no, H, W]; `anchors`, a row of w and h for each level, in
pixels; `strides`; `counts`, the numbers of classes, masks and landmark columns; and `output0`. The map of level 0 is x, that of
level 1 x[:, :, 1:4, 2:8]. So these readings are told apart:

    rows and columns of the grid (the maps are not square); the batch and the channels (2 images); one level's anchors and stride
    and another's; anchor by anchor, then row-major, against cell by cell; xy, wh, objectness, scores (sigmoid), coefficients of
    masks and landmarks (none).
"""
import argparse
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "verify"), str(HERE.parents[1] / "modules" / "testdata" / "oracle")]
import fork_heads  # noqa: E402
import training_code  # noqa: E402

torch, nn = training_code.torch, training_code.nn
ANCHORS, STRIDES, CLASSES, MASKS = [[10, 13, 33, 23], [30, 61, 116, 90]], [8, 16], 3, 4


def bare(head):
    """The head in float64, without its convolutions and prototypes."""
    head.stride = torch.tensor(STRIDES, dtype=torch.float64)
    head.anchors /= head.stride.reshape(-1, 1, 1)
    head.m = nn.ModuleList(nn.Identity() for _ in STRIDES)
    if hasattr(head, "proto"):
        head.proto = nn.Identity()
    return head.double().eval()


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--yolov5", required=True)
    yolo = training_code.load(ap.parse_args().yolov5)
    heads = {
        "detect": (yolo.Detect(CLASSES, ANCHORS, (8, 8)), 0, 0),
        "segment": (yolo.Segment(CLASSES, ANCHORS, MASKS, 8, (8, 8)), MASKS, 0),
        "landmarks": (fork_heads.LandmarkDetect(CLASSES, ANCHORS, (8, 8)), 0, 10),
    }
    for seed, (name, (head, masks, landmarks)) in enumerate(heads.items()):
        columns = 2 * (5 + CLASSES + masks + landmarks)
        x = (2 * np.random.default_rng(seed).standard_normal((2, columns, 6, 10))).astype(np.float32)
        maps = torch.from_numpy(x).double()
        with torch.no_grad():
            y = bare(head)([maps, maps[:, :, 1:4, 2:8].contiguous()])
        y = y if torch.is_tensor(y) else y[0]
        np.savez_compressed(HERE / f"{name}.npz", x=x, anchors=np.float32(ANCHORS), strides=np.int64(STRIDES),
                            counts=np.int64([CLASSES, masks, landmarks]), output0=y.numpy())


if __name__ == "__main__":
    main()
