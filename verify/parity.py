#!/usr/bin/env python3
"""Show that an exported ONNX file computes what PyTorch computes, layer by layer.

With your own training code, a checkout of YOLOv5 with whatever modules you added:

    parity.py model.onnx --yolov5 DIR --weights best.pt   the file against the trained checkpoint
    parity.py --yolov5 DIR --weights best.pt              exports best.pt itself, and compares
    parity.py model.yaml --yolov5 DIR                     before training: random weights, exports, and compares

Without it, with torch_modules.py beside this script, YOLOv5's and ScConv's modules written from their descriptions:

    parity.py model.yaml                                  random weights, exports, and compares
    parity.py model.yaml raw.onnx                         weights out of the file: an unfused one (--no-optimize)
    parity.py model.yaml model.onnx --weights raw.onnx    or out of another: .onnx, .safetensors, a state_dict's .pt

PyTorch runs the model on a seeded random input, or on pictures (--image), and records `input` (N,3,H,W float32 in 0..1),
`layer.<i>` for each layer but the last that returns one tensor, `output0`, and `output1` of a Segment head. It runs once more
in float64, and records how far each of these is from that, `layer.<i>.rounding`. Then `ysc2onnx verify FILE --against ref.npz`
compares; -o keeps the record.

A checkpoint holds Python objects. Your training code unpickles it, which runs whatever is in it: trust it first.

Needs numpy and torch; PyYAML where a YAML is read, OpenCV or Pillow for --image. onnx and safetensors are not needed.
Exit codes: 0 equal, 1 could not be checked, 2 wrong usage, 3 different.
"""
import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import torch
    import torch.nn as nn

    from parity_files import Failure, exposed, shapes
    from parity_model import load, training_code
    from parity_record import record, reference_input, save
except ImportError as err:
    if (err.name or "").startswith("parity_"):
        sys.exit(f"parity: not checked: {err.name}.py is missing; parity.py needs the files parity_*.py beside it")
    sys.exit(f"parity: not checked: {err}; this script needs numpy and torch, the ones that your training runs with")


def export(tool, arguments, shape, path):
    """Have ysc2onnx export a model at the size of the input."""
    size = ["--imgsz", f"{shape[2]}x{shape[3]}", "--batch-size", str(shape[0])]
    command = [tool, *map(str, arguments), "-o", str(path), *size, "--no-verify", "--quiet"]
    if subprocess.run(command, check=False).returncode:
        raise Failure(f"ysc2onnx did not export {arguments[0]}, see above; a module that it does not know cannot be compared")
    return path


def check_columns(path, columns):
    """Refuse a file whose boxes have other columns than PyTorch's: it is of another model, not a wrong one of this."""
    found = shapes(path)[1][-1:]
    if found not in ([], [None], [columns]):
        raise Failure(f"{path}: gives {found[0]} values per box, for {found[0] - 5} classes; PyTorch gives {columns}, for "
                      f"{columns - 5}: it was exported from another model")


def compare(tool, path, reference, model):
    """Run ysc2onnx verify; its table goes to stdout. Returns this script's exit code and where the first difference is."""
    sys.stdout.flush()
    command = [tool, "verify", str(path), "--against", str(reference)]
    run = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(run.stderr)
    first = run.returncode == 3 and re.search(r"\b(model\.(\d+)|output\d+)\b", run.stderr.partition("first divergent")[2])
    if not first:
        return run.returncode if run.returncode in (0, 3) else 1, ""
    return 3, f", first at {first[1]} ({type(model.model[int(first[2] or -1)]).__name__})"


def check(args, tool, folder):
    """Record and compare; print the verdict line and return the exit code."""
    model, source, exporting = load(args, folder)
    if not isinstance(getattr(model, "model", None), nn.Sequential):
        raise Failure(f"{source}: a {type(model).__name__} has no layers in sequence; expected a detector")
    x = torch.from_numpy(reference_input(args, model))
    with training_code(args.yolov5) if args.yolov5 else contextlib.nullcontext():
        out = record(model, x)
    reference = args.output or folder / "ref.npz"
    save(reference, out, small=bool(args.output))
    recorded = {int(found[1]) for key in out if (found := re.fullmatch(r"layer\.(\d+)", key))}
    parts = f"output0{' and output1' * ('output1' in out)} of {source}, input {'x'.join(map(str, x.shape))}"
    if args.record_only:
        print(f"parity: recorded {reference}, not compared: {len(recorded)} layers and {parts}")
        return 0
    path = args.onnx or export(tool, exporting, x.shape, folder / "model.onnx")
    check_columns(path, out["output0"].shape[-1])
    code, where = compare(tool, path, reference, model)
    shown = recorded & exposed(path).keys()
    layers = f"{len(shown)}{f' of {len(recorded)}' * (shown != recorded)} layers"
    verdict = {0: "equal", 3: "DIFFERENT"}.get(code, "not checked") + where
    print(f"parity: {verdict}: {args.onnx or 'the export'} against PyTorch {torch.__version__}: {layers} and {parts}")
    return code


def arguments(argv):
    """Parse the command line; what cannot go together ends the program with code 2."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("files", type=Path, nargs="*", metavar="FILE", help="the model's YAML, the ONNX file to check, or both")
    ap.add_argument("-o", "--output", type=Path, metavar="ref.npz", help="keep the record here")
    ap.add_argument("--yolov5", type=Path, metavar="DIR", help="your training code: the model is built of its classes")
    ap.add_argument("--weights", "--weights-from", type=Path, metavar="FILE",
                    help="best.pt (with --yolov5), or tensors: .safetensors, .pt of a state_dict, an unfused .onnx")
    ap.add_argument("--imgsz", type=int, nargs="+", metavar="N", help="side, or height width (default: the file's, or 96 128)")
    ap.add_argument("--batch", type=int, metavar="N", help="default: the file's, else 2")
    ap.add_argument("--image", type=Path, nargs="+", default=[], help="pictures to run, letterboxed, in place of random input")
    ap.add_argument("--seed", type=int, default=0, help="of the random input and weights")
    ap.add_argument("--ysc2onnx", metavar="PROGRAM", help="the program to export and compare with (default: the one on PATH)")
    ap.add_argument("--record-only", action="store_true", help="write ref.npz and stop: the comparison happens elsewhere")
    args = ap.parse_args(argv)
    named = {".yaml": [], ".onnx": []}
    for path in args.files:
        kind = ".yaml" if path.suffix == ".yml" else path.suffix
        if kind not in named:
            ap.error(f"{path}: expected a .yaml or an .onnx file; weights go to --weights")
        named[kind].append(path)
        if len(named[kind]) > 1:
            ap.error(f"{path}: one {kind} file at a time, there is {named[kind][0]} too")
    args.yaml, args.onnx = (next(iter(paths), None) for paths in named.values())
    if not args.yaml and not (args.yolov5 and args.weights):
        ap.error("name the model's YAML; with --yolov5 DIR --weights best.pt it is in the checkpoint")
    if not args.onnx and args.weights and args.weights.suffix == ".onnx":
        ap.error("--weights is an ONNX file: name the one to check, too")
    if len(args.imgsz or []) > 2 or min(*(args.imgsz or [1]), args.seed + 1, 1 if args.batch is None else args.batch) < 1:
        ap.error("--imgsz takes one or two sizes of at least 1, --batch one, --seed a number that is not negative")
    if args.record_only and not args.output or args.output and args.output.suffix != ".npz":
        ap.error("-o names a file that ends in .npz; --record-only needs it")
    if args.record_only and not args.onnx and not args.weights:
        ap.error("--record-only is of weights that are kept: name an unfused ONNX file, or --weights")
    args.imgsz = args.imgsz and [args.imgsz[0], args.imgsz[-1]]
    return args


def main(argv=None):
    """The program; returns the exit code."""
    args = arguments(argv)
    tool = shutil.which(args.ysc2onnx or "ysc2onnx")
    try:
        if not tool and not args.record_only:
            raise Failure(f"{args.ysc2onnx or 'ysc2onnx'} was not found: pass --ysc2onnx PATH, or --record-only")
        with tempfile.TemporaryDirectory(prefix="parity") as folder:
            return check(args, tool, Path(folder))
    except (Failure, OSError) as err:
        print(f"parity: not checked: {err}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
