#!/usr/bin/env python3
"""Compare a safetensors file with the state_dict that PyTorch loads from the checkpoint that it was extracted from.

    same_tensors.py best.pt weights.safetensors

Names, types, shapes and bytes have to be the same. The file is read as its specification says, without a library. YOLOv5's
classes are taken for an nn.Module with nothing of its own. Exit codes: 0, 1 where something differs.
"""
import json
import struct
import sys
import types

import torch

TYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64, "I64": torch.int64}


class Stub(types.ModuleType):
    """A module whose every class is an nn.Module."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (torch.nn.Module,), {"forward_fuse": None})  # which a fused Conv refers to


def main():
    for name in ("models", "models.common", "models.yolo"):  # where YOLOv5's classes are
        sys.modules[name] = Stub(name)
    saved = torch.load(sys.argv[1], map_location="cpu")
    want = (saved.get("ema") or saved["model"]).state_dict()
    with open(sys.argv[2], "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__")
    differ = sorted(set(want) ^ set(header))
    for name in set(want) & set(header):
        t, entry = want[name], header[name]
        begin, end = entry["data_offsets"]
        raw = t.contiguous().reshape(-1).numpy().tobytes()
        if TYPES[entry["dtype"]] != t.dtype or entry["shape"] != list(t.shape) or data[begin:end] != raw:
            differ.append(name)
    print(f"{len(want)} tensors, {len(differ)} differ: {differ[:9]}")
    return 1 if differ or not want else 0


if __name__ == "__main__":
    sys.exit(main())
