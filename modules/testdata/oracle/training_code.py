"""Import a YOLOv5 checkout (v7.0 was used) with ScConv and C3_ScConv added to it, for the recorders beside this file.

The ScConv family comes from verify/torch_modules.py. Each of its classes is made to look like one of models/common.py, and
parse_model is edited in memory as the published tutorial edits it: both names join the set of modules that are
called with (c1, c2, ...), and C3_ScConv joins the set that takes the number of repeats.
"""
import logging
import re
import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "verify"))

import parity  # noqa: E402
import torch_modules  # noqa: E402


def load(folder):
    """The module models.yolo of a checkout; its models.common is reachable as yolo.common."""
    parity.without_plots()
    sys.path.insert(0, str(Path(folder).resolve()))
    import models.common as common

    torch_modules.Conv = common.Conv  # so that C3_ScConv is built on the checkout's own Conv, and fuses with it
    for name in ("GroupBatchnorm2d", "SRU", "CRU", "ScConv", "C3_ScConv"):
        cls = getattr(torch_modules, name)
        cls.__module__ = "models.common"  # parse_model prints it
        setattr(common, name, cls)

    path = Path(folder).resolve() / "models" / "yolo.py"
    added = iter(["C3x, ScConv, C3_ScConv}", "C3x, C3_ScConv}"])
    source, hits = re.subn(r"C3x,?\s*}", lambda _: next(added), path.read_text(encoding="utf-8"))
    if hits != 2:
        sys.exit(f"{path}: expected two sets of modules that end with C3x, found {hits}; use YOLOv5 v7.0")
    yolo = types.ModuleType("models.yolo")
    yolo.__file__, yolo.common = str(path), common
    sys.modules["models.yolo"] = yolo
    exec(compile(source, str(path), "exec"), vars(yolo))
    return yolo


class Lines(logging.Handler):
    """Collects what YOLOv5 logs, in place of showing it."""

    def __init__(self):
        super().__init__()
        logger = logging.getLogger("yolov5")
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.addHandler(self)
        self.lines = []

    def emit(self, event):
        self.lines += event.getMessage().splitlines()
