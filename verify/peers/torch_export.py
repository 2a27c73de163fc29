#!/usr/bin/env python3
"""Export a model with PyTorch, with the weights of an unfused ONNX file of ours, to compare size and speed with.

    torch_export.py MODEL.yaml RAW.onnx -o torch.onnx [--imgsz 640 640] [--batch 1] [--opset 12]

The classes are those of verify/torch_modules.py, the weights come out of RAW.onnx (--no-optimize) by state_dict name, batch norms
are folded into the convolutions first, and constants are folded by PyTorch: what YOLOv5's export.py does.
PyTorch merges equal initializers behind Identity nodes; seeded biases, all zero, are equal where trained ones are not, so
those nodes are counted apart. Prints one line with the counts. Exit codes: 0, 1 failure, 2 usage.
"""
import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import parity_files  # noqa: E402
import parity_model  # noqa: E402
from torch_modules import Conv, nn, torch  # noqa: E402


def fuse(model):
    """Fold the batch norm of each Conv into its convolution."""
    for m in model.modules():
        if isinstance(m, Conv):
            m.conv = nn.utils.fusion.fuse_conv_bn_eval(m.conv, m.bn)
            m.bn = nn.Identity()
    return model


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("yaml", type=Path)
    ap.add_argument("onnx", type=Path)
    ap.add_argument("-o", "--output", type=Path, required=True)
    ap.add_argument("--imgsz", type=int, nargs="+", default=[640])
    ap.add_argument("--batch", type=int, default=1)
    ap.add_argument("--opset", type=int, default=12)
    args = ap.parse_args()
    try:
        model = fuse(parity_model.load_weights(parity_model.from_yaml(args.yaml), args.onnx))
    except (parity_files.Failure, OSError) as err:
        print(f"torch_export: {err}", file=sys.stderr)
        return 1
    x = torch.zeros(args.batch, next(model.parameters()).shape[1], args.imgsz[0], args.imgsz[-1])
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, x, str(args.output), opset_version=args.opset, do_constant_folding=True,
                          input_names=["images"], output_names=["output0"])
    kinds = [bytes(kind).decode() for kind in parity_files.every(parity_files.view(args.output), 7, 1, 4)]
    merged = kinds.count("Identity")
    print(f"{args.output}: PyTorch {torch.__version__}, opset {args.opset}, input {tuple(x.shape)}, "
          f"{len(kinds) - merged} nodes and {merged} Identity")
    return 0


if __name__ == "__main__":
    sys.exit(main())
