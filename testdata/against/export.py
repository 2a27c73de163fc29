#!/usr/bin/env python3
"""Write what other exporters make of ../changed.pt: YOLOv5's own, of its fused model (fused.onnx), and the same under names that
say nothing, as exporters of PyTorch 2 give them, with batch norms unfused (renamed.onnx).

    export.py --yolov5 DIR

DIR is a checkout of YOLOv5 v7.0; PyTorch 1.13 and onnx 1.12 were used. Images are 32x64 pixels, one at a time.
"""
import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "modules" / "testdata" / "oracle"))

import onnx  # noqa: E402
import training_code as code  # noqa: E402

torch = code.torch


def export(path, fuse, **options):
    model = torch.load(HERE.parent / "changed.pt")["model"].float().eval()
    if fuse:
        model.fuse()
    head = model.model[-1]
    head.export, head.inplace, head.dynamic = True, False, False
    x = torch.zeros(1, 3, 32, 64)
    model(x)
    torch.onnx.export(model, x, path, opset_version=12, input_names=["images"], output_names=["output0"], **options)


def rename(path):
    """Give values, initializers and nodes numbers of one length, in order."""
    model = onnx.load(path)
    graph = model.graph
    names = {"images": "images", "output0": "output0"}
    for t in graph.initializer:
        names[t.name] = f"w{len(names):04}"
        t.name = names[t.name]
    for node in graph.node:
        node.name = f"{node.op_type.lower()}_{len(names)}"
        node.input[:] = [names[v] if v else "" for v in node.input]
        for v in node.output:
            names.setdefault(v, f"v{len(names):04}")
        node.output[:] = [names[v] for v in node.output]
    del graph.value_info[:]
    onnx.save(model, path)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--yolov5", required=True)
    code.load(args.parse_args().yolov5)
    export(HERE / "fused.onnx", True)
    export(HERE / "renamed.onnx", False, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
    rename(HERE / "renamed.onnx")


if __name__ == "__main__":
    main()
