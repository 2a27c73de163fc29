#!/usr/bin/env python3
"""Run an ONNX file in OpenCV's DNN module and compare with recorded values.

    opencv_run.py FILE --npz ref.npz [--box-tolerance 1e-2] [--score-tolerance 1e-4] [--layer-tolerance 1e-3]

ref.npz holds `input` (B,3,H,W) and `output0` (B,N,5+nc), as verify/parity.py writes them, from PyTorch or from another
runtime. Boxes are in pixels, and so are landmarks; a classifier's logits, (B,nc), count as scores. Where it holds `layer.<i>` too and the file says which value that layer gives, the layer is
compared as well, relative to its largest magnitude: with untrained weights a head's biases outweigh all that comes
before them, so that output0 alone would show little. Exit codes: 0 equal, 1 OpenCV cannot read or run the file, 2 usage,
3 different.
"""
import argparse
import re
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import parity_files  # noqa: E402


def producers(path):
    """The name of the node that makes each value of a file."""
    made = {}
    for node in parity_files.every(parity_files.view(path), 7, 1):
        name = bytes(next(parity_files.every(node, 3), b"")).decode()
        made |= {bytes(value).decode(): name for value in parity_files.every(node, 2)}
    return made


def run(path, x, layers):
    """output0 as OpenCV computes it undisturbed, and each of the layers (index -> node name) from a second run."""
    net = cv2.dnn.readNetFromONNX(str(path))
    net.setInput(x)
    names = net.getUnconnectedOutLayersNames()
    output = net.forward(names[0] if len(names) == 1 else "output0").copy()
    if not layers:
        return output, {}
    net = cv2.dnn.readNetFromONNX(str(path))
    net.setInput(x)
    return output, dict(zip(layers, net.forward([f"onnx_node!{name}" for name in layers.values()])))


def difference(got, expected):
    """Absolute errors, or None where the shapes differ; a NaN counts as infinitely wrong."""
    if got.shape != expected.shape:
        return None
    return np.nan_to_num(np.abs(got.astype(np.float64) - expected), nan=np.inf)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("file", type=Path)
    ap.add_argument("--npz", type=Path, required=True)
    ap.add_argument("--box-tolerance", type=float, default=1e-2, help="pixels (default 1e-2)")
    ap.add_argument("--score-tolerance", type=float, default=1e-4, help="default 1e-4")
    ap.add_argument("--layer-tolerance", type=float, default=1e-3, help="relative to the layer's largest value (default 1e-3)")
    args = ap.parse_args()
    who = f"{args.file}: OpenCV {cv2.__version__}"
    try:
        reference = dict(np.load(args.npz))
        x, expected = reference["input"], reference["output0"]
    except (OSError, ValueError, KeyError) as err:
        ap.error(f"{args.npz}: {err}")
    who += f", batch {len(x)}"
    try:
        made = producers(args.file)
        recorded = {int(k[6:]): v for k, v in reference.items() if re.fullmatch(r"layer\.\d+", k)}
        values = parity_files.exposed(args.file)
        layers = {i: made[values[i]] for i in sorted(recorded) if i in values}
        got, values = run(args.file, x, layers)
    except (cv2.error, parity_files.Failure) as err:
        print(f"{who}: failed: {' '.join(str(err).split())}")
        return 1
    error = difference(got, expected)
    if error is None:
        print(f"{who}: DIFFERENT: output0 is {got.shape}, expected {expected.shape}")
        return 3
    worst = 0.0
    for i, value in values.items():
        off = difference(value, recorded[i])
        if off is None:
            print(f"{who}: DIFFERENT: layer {i} is {value.shape}, expected {recorded[i].shape}")
            return 3
        off = off.max() / np.abs(recorded[i]).max()
        worst = max(worst, off)
        if off > args.layer_tolerance:
            print(f"{who}: DIFFERENT: layer {i} first, by {off:.3g} of its largest value")
            return 3
    pixels = (np.abs(expected) > 1.001).reshape(-1, expected.shape[-1]).any(0)  # boxes, and landmarks
    pixels[:4] = expected.ndim == 3  # a classifier has none
    boxes, scores = (error[..., columns].max(initial=0) for columns in (pixels, ~pixels))
    same = boxes <= args.box_tolerance and scores <= args.score_tolerance
    print(f"{who}: {'equal' if same else 'DIFFERENT'}: boxes within {boxes:.3g} px, scores within {scores:.3g}, "
          f"{len(values)} layers within {worst:.3g}")
    return 0 if same else 3


if __name__ == "__main__":
    sys.exit(main())
