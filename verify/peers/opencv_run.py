#!/usr/bin/env python3
"""Run an ONNX file in OpenCV's DNN module and compare with recorded values.

    opencv_run.py FILE --npz ref.npz [--box-tolerance 1e-2] [--score-tolerance 1e-4]

ref.npz holds `input` (1,3,H,W) and `output0` (1,N,5+nc), as verify/parity.py writes them, from PyTorch or from another
runtime. Boxes are in pixels. Exit codes: 0 equal, 1 OpenCV cannot read or run the file, 2 usage, 3 different.
"""
import argparse
import sys
from pathlib import Path

import cv2
import numpy as np


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("file", type=Path)
    ap.add_argument("--npz", type=Path, required=True)
    ap.add_argument("--box-tolerance", type=float, default=1e-2, help="pixels (default 1e-2)")
    ap.add_argument("--score-tolerance", type=float, default=1e-4, help="default 1e-4")
    args = ap.parse_args()
    who = f"{args.file}: OpenCV {cv2.__version__}"
    try:
        reference = np.load(args.npz)
        x, expected = reference["input"], reference["output0"]
    except (OSError, ValueError, KeyError) as err:
        ap.error(f"{args.npz}: {err}")
    if x.shape[0] != 1:
        ap.error(f"{args.npz}: the input is {x.shape}, expected a batch of 1")
    try:
        net = cv2.dnn.readNetFromONNX(str(args.file))
        net.setInput(x)
        names = net.getUnconnectedOutLayersNames()
        got = net.forward(names[0] if len(names) == 1 else "output0")
    except cv2.error as err:
        print(f"{who}: failed: {' '.join(str(err).split())}")
        return 1
    if got.shape != expected.shape:
        print(f"{who}: DIFFERENT: output0 is {got.shape}, expected {expected.shape}")
        return 3
    error = np.abs(got.astype(np.float64) - expected)
    boxes, scores = error[..., :4].max(), error[..., 4:].max()
    same = boxes <= args.box_tolerance and scores <= args.score_tolerance  # false for NaN as well
    print(f"{who}: {'equal' if same else 'DIFFERENT'}: boxes within {boxes:.3g} px, scores within {scores:.3g}")
    return 0 if same else 3


if __name__ == "__main__":
    sys.exit(main())
