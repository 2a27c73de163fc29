#!/usr/bin/env python3
"""Record the names that PyTorch's exporter gives the nodes and values of small.yaml, as YOLOv5's export.py calls it.

    YOLOV5=DIR record.py > small.txt

DIR is a checkout of YOLOv5 v7.0; recorded with PyTorch 1.13. Each line is an operator, its node and its first value. Two
readings are told apart: scopes by state_dict paths (/model.3/m/0/cv1) and by the modules that are called (/model.3/m/m.0/cv1).
"""
import logging
import os
import sys
import tempfile
import types
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
for name in ("seaborn", "IPython", "IPython.display"):  # which no model needs
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
sys.modules["IPython"].__dict__.setdefault("get_ipython", lambda: None)
sys.modules["IPython.display"].__dict__.setdefault("display", print)
sys.path.insert(0, os.environ["YOLOV5"])

import onnx  # noqa: E402
import torch  # noqa: E402
from models.yolo import Detect, Model  # noqa: E402

logging.disable(logging.CRITICAL)
model = Model(Path(__file__).with_name("small.yaml"), ch=3).fuse().eval()
for module in model.modules():
    if isinstance(module, Detect):
        module.export = True
x = torch.zeros(1, 3, 64, 64)
model(x), model(x)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "small.onnx")
    torch.onnx.export(model, x, path, opset_version=12, do_constant_folding=True, input_names=["images"], output_names=["output0"])
    for node in onnx.load(path).graph.node:
        if node.op_type not in ("Constant", "Identity"):
            print(node.op_type, node.name, node.output[0])
