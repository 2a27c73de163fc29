#!/usr/bin/env python3
"""Write forms.json: what PyTorch counts for the YAMLs of ../forms, forms of writing a model that are met in published files.

    record_forms.py --yolov5 DIR

DIR is a checkout of YOLOv5 v7.0. Nothing here depends on weights, so there is no seed. Each YAML has `layers`, `parameters` and
`rows` (parameters, class and arguments of each row, as parse_model prints them), or `error`, the exception that it raises.
YAMLs named before_7.0_* are built with Conv and DWConv whose arguments have the order of releases before 7.0: no dilation; those
named plain_* by a parser that does not give C3_ScConv the number of repeats.

Readings that the cases tell apart: a comment right after a bracket from an error; the last of equal keys from the first; channels
given to Detect that are used from such that are passed over; an activation from a dilation; so many C3_ScConv from
one with so many ScConv inside, and an argument taken as shortcut from one taken as that number.
"""
import argparse
import json
from pathlib import Path

import training_code as code


def before_7(yolo):
    """Conv and DWConv as they were called before 7.0; gives what undoes it."""
    conv, dwconv = yolo.common.Conv.__init__, yolo.common.DWConv.__init__
    yolo.common.Conv.__init__ = lambda self, c1, c2, k=1, s=1, p=None, g=1, act=True: conv(self, c1, c2, k, s, p, g, act=act)

    def depthwise(self, c1, c2, k=1, s=1, act=True):
        yolo.common.Conv.__init__(self, c1, c2, k, s, g=yolo.common.math.gcd(c1, c2), act=act)

    yolo.common.DWConv.__init__ = depthwise

    def undo():
        yolo.common.Conv.__init__, yolo.common.DWConv.__init__ = conv, dwconv

    return undo


def describe(yolo, log, path):
    """Everything forms.json says of one YAML."""
    log.lines.clear()
    undo = before_7(yolo) if path.name.startswith("before_7.0_") else lambda: None
    try:
        model = yolo.DetectionModel(str(path)).eval()
    except Exception as error:
        return {"yaml": path.name, "error": type(error).__name__}
    finally:
        undo()
    printed = [line for line in log.lines if line[:3].strip().isdigit()]
    rows = [{"params": layer.np, "type": layer.type, "args": line[76:].rstrip()}
            for layer, line in zip(model.model, printed, strict=True)]
    return {"yaml": path.name, "layers": len(list(model.modules())), "parameters": sum(p.numel() for p in model.parameters()), "rows": rows}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--yolov5", required=True, type=Path)
    args = ap.parse_args()
    plain, yolo = code.load(args.yolov5, repeats=False), code.load(args.yolov5)
    log = code.Lines()
    here = Path(__file__).parent
    forms = [describe(plain if path.name.startswith("plain_") else yolo, log, path) for path in sorted((here.parent / "forms").glob("*.yaml"))]
    (here / "forms.json").write_text("[" + ",\n ".join(json.dumps(f) for f in forms) + "]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
