#!/usr/bin/env python3
"""Make the checkpoints of these tests with PyTorch, and record what PyTorch reads in them.

    make.py                       write the .pt and .safetensors files beside this script, and synthetic.json
    make.py --record FILE... > x  record the tensors of other checkpoints, as trained.json is

Needs PyTorch (1.13 was used); the files come out the same each time, but for the keys in legacy.pt and torchscript.pt. Classes of a checkpoint that are not at hand are replaced by empty nn.Modules.
A record is one tensor a line: name, dtype, shape, the first 16 digits of the SHA-256 of its elements in C order as
little-endian float32 (floating point) or int64 (others).
"""
import argparse
import collections
import hashlib
import io
import json
import pathlib
import struct
import sys
import types
import zipfile

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


def digest(t):
    t = t.detach()
    a = t.float().numpy().astype("<f4") if t.is_floating_point() else t.to(torch.int64).numpy().astype("<i8")
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:16]


def describe(tensors):
    return [{"name": n, "dtype": str(t.dtype)[6:], "shape": list(t.shape), "sha": digest(t)} for n, t in tensors.items()]


class Stubs(types.ModuleType):
    """A module in which every name is an empty nn.Module."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, type(name, (nn.Module,), {"__module__": self.__name__}))
        return self.__dict__[name]


def record(path):
    for name in ("models", "models.yolo", "models.common"):
        sys.modules.setdefault(name, Stubs(name))
    top = torch.load(path, map_location="cpu")
    model = top.get("ema") or top["model"]
    return describe(model.state_dict())


def dump(records, out):
    out.write("{\n")
    for i, (key, tensors) in enumerate(records.items()):
        lines = ",\n".join(json.dumps(t) for t in tensors)
        out.write(f"{json.dumps(key)}: [\n{lines}\n]{',' if i + 1 < len(records) else ''}\n")
    out.write("}\n")


def tensors():
    """Every dtype, and every way in which a tensor lies in its storage."""
    g = torch.Generator().manual_seed(1)
    base = torch.randn(6, 8, 5, generator=g)
    big = torch.randn(160, 130, generator=g)
    d = collections.OrderedDict()
    d["f32"] = base
    for name, dtype in [("f16", torch.float16), ("bf16", torch.bfloat16), ("f64", torch.float64)]:
        d[name] = (base * 100).to(dtype)
    for name, dtype in [("i64", torch.int64), ("i32", torch.int32), ("i16", torch.int16), ("i8", torch.int8)]:
        d[name] = (base * 30).to(dtype)
    d["u8"] = (base * 60).abs().to(torch.uint8)
    d["bool"] = base > 0
    d["special"] = torch.tensor([0.0, -0.0, float("inf"), float("-inf"), 65504.0, 6e-8, -6.1e-5, 1.0]).half()
    d["shared"] = base[2:4]                       # a view of f32's storage
    d["offset"] = base.flatten()[17:50]           # begins inside the storage
    d["transposed"] = base.permute(2, 0, 1)
    d["column"] = base[:, 3, :]
    d["step"] = base.flatten()[3::7]
    d["channels_last"] = torch.randn(4, 16, 3, 3, generator=g).to(memory_format=torch.channels_last)
    d["large"] = big
    d["large_transposed"] = big.t()               # more than one block, in the worst order
    d["half"] = big.half()
    d["half_transposed"] = big.half().t()
    d["expanded"] = base[:, :1, :].expand(6, 9, 5)
    d["scalar"] = torch.tensor(2.5)
    d["empty"] = torch.zeros(0, 3)
    d["int_transposed"] = d["i64"].permute(1, 2, 0)
    return d


def module(name, bases=(nn.Module,)):
    """An empty class of YOLOv5's, importable while this script runs."""
    package, _, cls = name.rpartition(".")
    for i in range(1, package.count(".") + 2):
        part = ".".join(package.split(".")[:i])
        sys.modules.setdefault(part, types.ModuleType(part))
    made = type(cls, bases, {"__module__": package})
    setattr(sys.modules[package], cls, made)
    return made


def training_checkpoint():
    """A checkpoint as train.py leaves it before stripping: ema, model, optimizer, options; with a parent link."""
    torch.manual_seed(2)
    Conv, Detect, Model = (module(n) for n in ("models.common.Conv", "models.yolo.Detect", "models.yolo.DetectionModel"))
    Trace = module("somewhere.Trace", ())

    def conv(i, c1, c2):
        m = Conv()
        m.conv = nn.Conv2d(c1, c2, 3, bias=False)
        m.bn = nn.BatchNorm2d(c2, eps=1e-3, momentum=0.03)
        m.bn.running_mean.normal_()
        m.act = nn.SiLU(inplace=True)
        m.i, m.f, m.type = i, -1, "models.common.Conv"
        return m

    def model():
        m = Model()
        head = Detect()
        head.nc, head.no, head.nl, head.na = 2, 7, 1, 3
        head.stride = torch.tensor([8.0])
        head.register_buffer("anchors", torch.rand(1, 3, 2))
        head.register_buffer("scratch", torch.rand(4), persistent=False)
        head.m = nn.ModuleList([nn.Conv2d(16, 21, 1)])
        head.i, head.f, head.type = 2, [-1], "models.yolo.Detect"
        m.model = nn.Sequential(conv(0, 3, 8), conv(1, 8, 16), head)
        object.__setattr__(head, "parent", m)     # a cycle
        m.yaml = {"nc": 2, "backbone": [[-1, 1, "Conv", [8, 3]]], "anchors": ((10, 13, 16, 30, 33, 23),)}
        m.names, m.stride, m.save = ["cat", "dog's"], torch.tensor([8.0]), []
        m.tags = {"x"}
        m.trace = Trace()                         # a class of neither PyTorch nor YOLOv5
        m.half()
        m.train(False)
        return m

    live, ema = model(), model()
    optimizer = torch.optim.SGD(live.parameters(), lr=0.01, momentum=0.9)
    options = argparse.Namespace(weights=pathlib.PosixPath("/data/yolov5n.pt"), epochs=3)
    return {
        "epoch": 2, "best_fitness": np.float64(0.25), "model": live, "ema": ema, "updates": 2**70, "optimizer": optimizer.state_dict(),
        "opt": options, "date": "2024-01-01", "git": {"commit": None}, "fitness": np.array([[0.5, 1.5], [2.5, 3.5]], dtype=">f4", order="F"),
        "flags": np.bool_(True), "count": np.int64(-7), "raw": b"\x00\xff", "z": complex(1, 2), "frozen": frozenset([3]),
    }, ema.state_dict()


def rezip(source, target, method=zipfile.ZIP_STORED, change=lambda name, b: b, extra=()):
    """The same records, zipped by Python."""
    with zipfile.ZipFile(source) as src, zipfile.ZipFile(target, "w", method) as dst:
        names = src.namelist()
        root = next(n for n in names if n.endswith("data.pkl"))[: -len("data.pkl")]
        for n, b in [(n, change(n, src.read(n))) for n in names] + [(root + n, b) for n, b in extra]:
            dst.writestr(zipfile.ZipInfo(n, (1980, 1, 1, 0, 0, 0)), b, method)


def safetensors(path, named):
    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64",
             torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}
    header, data = {"__metadata__": {"format": "pt", "by": "make.py"}}, b""
    for n, t in named.items():
        t = t.contiguous()
        b = (t.view(torch.int16) if t.dtype == torch.bfloat16 else t).numpy().tobytes()
        header[n] = {"dtype": names[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(b)]}
        data += b
    h = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(h)) + h + data)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--record", nargs="+", type=pathlib.Path)
    paths = args.parse_args().record
    if paths:
        return dump({p.name: record(p) for p in paths}, sys.stdout)

    all_tensors = tensors()
    torch.save(all_tensors, HERE / "tensors.pt")
    torch.save(all_tensors, HERE / "protocol4.pt", pickle_protocol=4)
    rezip(HERE / "tensors.pt", HERE / "deflated.pt", zipfile.ZIP_DEFLATED)
    one = {k: v for k, v in all_tensors.items() if v.dtype == torch.float32 and v.numel() < 1000}
    buffer = io.BytesIO()
    torch.save(one, buffer)
    buffer.seek(0)
    swap = lambda name, b: np.frombuffer(b, "<f4").byteswap().tobytes() if "/data/" in name else b
    rezip(buffer, HERE / "bigendian.pt", change=swap, extra=[("byteorder", b"big")])
    safetensors(HERE / "tensors.safetensors", all_tensors)

    torch.manual_seed(3)
    plain = nn.Sequential(collections.OrderedDict(stem=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4), tail=nn.Sequential(nn.Conv2d(4, 2, 1))))
    torch.save(plain.state_dict(), HERE / "statedict.pt")
    torch.save(plain.state_dict(), HERE / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(plain.eval()).save(str(HERE / "torchscript.pt"))
    checkpoint, ema = training_checkpoint()
    torch.save(checkpoint, HERE / "training.pt")

    with open(HERE / "synthetic.json", "w") as out:
        dump({
            "tensors.pt": describe(all_tensors), "protocol4.pt": describe(all_tensors), "deflated.pt": describe(all_tensors),
            "bigendian.pt": describe(one), "tensors.safetensors": describe(all_tensors),
            "statedict.pt": describe(plain.state_dict()), "training.pt": describe(ema),
        }, out)


if __name__ == "__main__":
    main()
