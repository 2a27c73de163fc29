#!/usr/bin/env python3
"""Write models.json, or stock.json: what PyTorch counts for the models of examples/ and ../stock, row by row.

    record_models.py --yolov5 DIR [--stock]

DIR is a checkout of YOLOv5 v7.0; for models.json thop (pytorch-OpCounter 0.1.1) must be importable, or YOLOv5 prints no
GFLOPs. stock.json has the stock models that models.json has not, and no GFLOPs. Nothing here depends on weights, so there is
no seed. Each model has:

    yaml, nc, width_multiple   the file's name, and the two values that replace the file's
    rows[].from, n             as in the YAML; n after the depth gain
    rows[].params              parameters of the row, unfused
    rows[].type, args          as parse_model prints them
    rows[].line                the whole line that parse_model prints
    rows[].shape               the row's output for an input of 2x3x96x128, or 2x3x128x256 in stock.json (heads: output0)
    rows[].macs640             multiply-accumulates of the row for 1x3x640x640, as thop counts
    layers, parameters         as YOLOv5 prints them; *_fused after folding the batch norms
    strides                    of the head
    macs_stride                thop's total for an input of one stride by one stride, which YOLOv5 scales up
    gflops                     the number that YOLOv5 prints, before rounding: 2 * macs_stride * (640 / stride)^2 / 1e9
    summary                    the line that YOLOv5 prints

Two readings that models.json tells apart: GFLOPs at 640 directly (2 * sum of macs640) and scaled up from one stride
differ where an operation's count does not grow with the area, as adaptive average pooling's does not.
"""
import argparse
import json
from copy import deepcopy
from pathlib import Path

import torch
import training_code as code
import yaml

SMALL = {"nc": 3, "width_multiple": 0.25}
SCCONV = "yolov5s_ScConv.yaml", "yolov5s_ScConv_replace.yaml", "yolov5s_C3ScConv.yaml"
MODELS = [(f"yolov5{size}.yaml", {}) for size in "nsmlx"] + [(f, {}) for f in SCCONV] + [(f, SMALL) for f in SCCONV]

STOCK = Path(__file__).parents[1] / "stock"


def stock():
    """The stock models that are not in MODELS."""
    known = {name for name, _ in MODELS}
    return [p for folder in (code.ROOT / "examples", STOCK) for p in sorted(folder.glob("*.yaml")) if p.name not in known]


def describe(yolo, thop, log, name, changes):
    """Everything models.json says of one model."""
    path = next(p for p in (code.ROOT / "examples" / name, STOCK / name) if p.exists())
    config = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    log.lines.clear()
    yolo.Conv.default_act = torch.nn.SiLU()  # which the parser replaces, for all models after
    model = yolo.DetectionModel(deepcopy(config)).eval()
    printed = [line for line in log.lines if line[:3].strip().isdigit()]
    summary = next(line for line in log.lines if " summary: " in line)

    shapes = {}
    for i, layer in enumerate(model.model):
        layer.register_forward_hook(lambda _, __, y, i=i: shapes.__setitem__(i, list((y if torch.is_tensor(y) else y[0]).shape)))
    with torch.no_grad():
        model(torch.zeros(2, 3, *((96, 128) if thop else (128, 256))))
    for layer in model.model:
        layer._forward_hooks.clear()
    rows = []
    for i, (layer, line) in enumerate(zip(model.model, printed, strict=True)):
        wide = max(len(str(layer.f)) - 18, 0)  # of a column of 18
        rows.append({"from": layer.f, "n": int(line[21 + wide:24 + wide]), "params": layer.np, "type": layer.type, "args": line[76 + wide:].rstrip(),
                     "shape": shapes[i], "line": line})
    found = {"yaml": name, "nc": config["nc"], "width_multiple": config["width_multiple"], "layers": len(list(model.modules())),
             "parameters": sum(p.numel() for p in model.parameters()), "strides": [int(s) for s in model.stride], "rows": rows}
    if thop:
        found |= operations(thop, model, rows, summary)
    return found


def operations(thop, model, rows, summary):
    """What thop and fusing say of a model, whose rows get their own."""
    stride = int(model.stride.max())
    at_stride = thop.profile(deepcopy(model), inputs=(torch.zeros(1, 3, stride, stride),), verbose=False)[0]
    by_row = thop.profile(deepcopy(model), inputs=(torch.zeros(1, 3, 640, 640),), verbose=False, ret_layer_info=True)[2]["model"][2]
    for i, row in enumerate(rows):
        row["macs640"] = int(by_row[str(i)][0])
    model.fuse()
    return {"layers_fused": len(list(model.modules())), "parameters_fused": sum(p.numel() for p in model.parameters()),
            "macs_stride": int(at_stride), "gflops": at_stride / 1e9 * 2 * 640 / stride * 640 / stride, "summary": summary}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--yolov5", required=True, type=Path)
    ap.add_argument("--stock", action="store_true")
    args = ap.parse_args()
    name, models, thop = "stock.json", [(p.name, {}) for p in stock()], None
    if not args.stock:
        name, models = "models.json", MODELS
        import thop
    yolo = code.load(args.yolov5)
    log = code.Lines()
    models = [describe(yolo, thop, log, *model) for model in models]
    text = json.dumps(models, indent=1)
    for model in models:  # one row of a model, one line of the file
        for row in model["rows"]:
            text = text.replace(json.dumps(row, indent=1).replace("\n", "\n   "), json.dumps(row))
    (Path(__file__).parent / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
