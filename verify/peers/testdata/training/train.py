#!/usr/bin/env python3
"""Write a checkpoint as YOLOv5's train.py does, of weights that were drawn and not trained.

    train.py MODEL.yaml OUT.pt [state_dict]
"""
import sys
from pathlib import Path

import torch

import parity_files
import parity_model
from models.yolo import DetectionModel

cfg, path = map(Path, sys.argv[1:3])
torch.manual_seed(1)
model = parity_model.randomise(DetectionModel(cfg), 1).eval()
if sys.argv[3:] == ["state_dict"]:
    torch.save(model.state_dict(), path)
elif path.suffix == ".safetensors":
    parity_files.write_safetensors(path, model)
else:
    torch.save({"epoch": -1, "model": model, "ema": None, "optimizer": None}, path)
