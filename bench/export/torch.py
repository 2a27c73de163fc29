#!/usr/bin/env python3
"""What the benchmark needs of a checkout of YOLOv5: a checkpoint to export, and an export by its own export.py.

    torch.py DIR make MODEL.yaml OUT.pt    the model of DIR/models/MODEL.yaml as training saves it: float16, in `model`
    torch.py DIR export WEIGHTS.pt SIDE    DIR/export.py --include onnx, which writes beside the checkpoint

DIR is a checkout of v7.0; its code is run, none of it is here. It imports packages for plots and notebooks that an export does
not use; where they are not installed, empty modules stand for them.
"""
import os
import runpy
import sys
import types

os.environ["YOLOv5_AUTOINSTALL"] = "false"  # nothing is installed while time is measured
for name in ("seaborn", "IPython", "IPython.display"):
    try:
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
sys.modules["IPython"].__dict__.setdefault("get_ipython", lambda: None)
sys.modules["IPython.display"].__dict__.setdefault("display", lambda *_: None)

folder, task, source, target = sys.argv[1:]
sys.path[0] = folder
if task == "make":
    import torch
    from models.yolo import DetectionModel

    torch.manual_seed(0)
    torch.save({"epoch": -1, "model": DetectionModel(os.path.join(folder, "models", source)).half(), "ema": None}, target)
else:
    sys.argv = ["export.py", "--weights", source, "--include", "onnx", "--imgsz", target, "--opset", "12"]
    runpy.run_path(os.path.join(folder, "export.py"), run_name="__main__")
