#!/usr/bin/env python3
"""Record what OpenCV, torchvision and YOLOv5 make of pictures, for the tests of package detect.

    oracle.py OUT [--seed 0] [--large] [--jpeg] [--yolov5 DIR]

OUT gets resize.npz, letterbox.json, suppress.npz and pictures/ with pictures.npz. --jpeg makes the JPEG files too, which
needs a C compiler and libjpeg; --large makes more and larger cases, for comparing at once. With --yolov5 each letterbox,
each scaled box and each suppression is checked against the functions of that checkout (v7.0 was used for what is committed).

What the cases tell apart:
  resize     fixed-point weights from exact ones, halving from interpolating, the edges' weights
  letterbox  round to even from round half up, the odd pixel of padding, minimal padding from full, gain from ratio
  suppress   float32 from float64, > from >=, offset by class from none, the order of equal scores, limits
  pictures   smooth chroma from repeated, libjpeg's transform from others, dropped alpha from blended, 16 bits cut from
             rounded, each of the eight orientations
"""
import argparse
import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np

ap = argparse.ArgumentParser()
ap.add_argument("out", type=Path)
ap.add_argument("--seed", type=int, default=0)
ap.add_argument("--large", action="store_true")
ap.add_argument("--jpeg", action="store_true")
ap.add_argument("--yolov5")
a = ap.parse_args()
a.out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(a.seed)

theirs = None
if a.yolov5:
    import types
    for name in ("seaborn", "IPython", "IPython.display"):
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["IPython"].get_ipython = lambda: None
    sys.modules["IPython.display"].display = lambda *x: None
    sys.path.insert(0, a.yolov5)
    from utils import augmentations, general
    theirs = augmentations.letterbox, general.scale_boxes, general.non_max_suppression
import torch  # noqa: E402
import torchvision  # noqa: E402


def noise(h, w):
    return rng.integers(0, 256, (h, w, 3), dtype=np.uint8)


def resize():
    top = 300 if a.large else 24
    arrays = {}
    for k in range(60 if a.large else 16):
        h, w, H, W = (int(v) for v in rng.integers(1, top, 4))
        h, w = [(h, w), (2 * H, 2 * W), (2 * H, W), (H, w), (3 * H, 3 * W), (1, w), (h, 1), (H, W)][k % 8]
        im = noise(h, w)
        arrays[f"{k}.from"], arrays[f"{k}.to"] = im, cv2.resize(im, (W, H), interpolation=cv2.INTER_LINEAR)
    np.savez_compressed(a.out / "resize.npz", **arrays)


def letterbox():
    cases = []
    for k in range(120 if a.large else 40):
        h, w = (int(v) for v in rng.integers(8, 700 if a.large else 200, 2))
        H, W = (32 * int(v) for v in rng.integers(1, 12, 2))
        if k % 4 == 1:
            h, w = H, W + 1 + k % 3  # a pixel or so of padding
        if k % 4 == 2:
            h, w = 2 * H + 1, W
        auto = k % 3 == 0
        y, x = np.mgrid[:h, :w]
        im = np.stack([(x * 7 + y * 13 + c * 50) % 256 for c in range(3)], 2).astype(np.uint8)
        gain = min(H / h, W / w)
        inner = round(w * gain), round(h * gain)
        if min(inner) < 1:
            continue
        dw, dh = W - inner[0], H - inner[1]
        if auto:
            dw, dh = dw % 32, dh % 32
        out = im if inner == (w, h) else cv2.resize(im, inner, interpolation=cv2.INTER_LINEAR)
        edges = [round(dh / 2 - 0.1), round(dh / 2 + 0.1), round(dw / 2 - 0.1), round(dw / 2 + 0.1)]
        out = cv2.copyMakeBorder(out, *edges, cv2.BORDER_CONSTANT, value=(114, 114, 114))
        boxes = torch.tensor(rng.uniform(-20, 420, (3, 4)), dtype=torch.float32)
        back, g = boxes.clone(), min(out.shape[0] / h, out.shape[1] / w)
        back[:, [0, 2]] -= (out.shape[1] - w * g) / 2
        back[:, [1, 3]] -= (out.shape[0] - h * g) / 2
        back /= g
        back[:, [0, 2]] = back[:, [0, 2]].clamp(0, w)
        back[:, [1, 3]] = back[:, [1, 3]].clamp(0, h)
        if theirs:
            assert np.array_equal(out, theirs[0](im, (H, W), auto=auto, stride=32)[0]), (h, w, H, W)
            assert torch.equal(back, theirs[1](out.shape[:2], boxes.clone(), im.shape)), (h, w, H, W)
        cases.append({"height": h, "width": w, "input": [H, W], "auto": auto, "shape": out.shape[:2], "crc32": zlib.crc32(out.tobytes()),
                      "boxes": boxes.tolist(), "original": back.tolist()})
    (a.out / "letterbox.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


def suppressed(x, conf, iou, classes, agnostic, most):
    """[N, 5 + nc] -> [n, 6]: x1, y1, x2, y2, score, class."""
    x = x[x[:, 4] > conf].clone()
    x[:, 5:] *= x[:, 4:5]
    half = x[:, 2:4] / 2
    score, label = x[:, 5:].max(1, keepdim=True)
    x = torch.cat((x[:, :2] - half, x[:, :2] + half, score, label.float()), 1)[score.view(-1) > conf]
    if classes is not None:
        x = x[(x[:, 5:6] == torch.tensor(classes)).any(1)]
    x = x[x[:, 4].sort(descending=True, stable=True)[1][:30000]]
    offset = 0 if agnostic else 7680
    return x[torchvision.ops.nms(x[:, :4] + x[:, 5:6] * offset, x[:, 4], iou)[:most]]


def suppress():
    arrays, options = {}, []
    for k in range(40 if a.large else 12):
        rows, nc = (1000 if a.large else 150), [1, 3, 80][k % 3]
        if a.large and k == 7:
            rows = 31000  # more than are compared
        x = torch.tensor(np.concatenate([
            rng.uniform(0, 640, (rows, 2)), rng.uniform(5, 300, (rows, 2)), rng.uniform(0, 1, (rows, 1 + nc))], 1), dtype=torch.float32)
        if k % 4 == 1:  # scores that are equal, boxes that meet exactly
            x = (x * 16).round() / 16
            x[:, :4] = (x[:, :4] / 40).round() * 40
        o = {"conf": [0.25, 0.001, 0.6, 0][k % 4], "iou": [0.45, 0.6, 0.1, 0.5][(k // 2) % 4],
             "classes": [0, 2] if k % 6 == 4 else None, "agnostic": k % 5 == 3, "max": 5 if k % 7 == 2 else 1000}
        want = suppressed(x, o["conf"], o["iou"], o["classes"], o["agnostic"], o["max"])
        if theirs:
            got = theirs[2](x.clone()[None], o["conf"], o["iou"], o["classes"], o["agnostic"], max_det=o["max"])[0]
            scores = (x[:, 5:] * x[:, 4:5]).max(1)[0]
            tied = len(torch.unique(scores)) < rows  # they leave the order of equal scores open
            assert torch.equal(got, want) or tied, k
        arrays[f"{k}.rows"], arrays[f"{k}.kept"] = x.numpy(), want.numpy()
        options.append(o)
    np.savez_compressed(a.out / "suppress.npz", **arrays)
    (a.out / "suppress.json").write_text("[\n" + ",\n".join(json.dumps(o) for o in options) + "\n]\n")


def exif(orientation, order):
    return (b"MM\0*" if order == ">" else b"II*\0") + struct.pack(order + "IHHHIHHHHIHHI", 8, 2, 0x0100, 3, 1, 7, 0, 0x0112, 3, 1, orientation, 0, 0)


def png(w, h, depth, kind, lines, *extra):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    raw = b"".join(b"\0" + line for line in lines)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, kind, 0, 0, 0)) + b"".join(
        chunk(n, d) for n, d in extra) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def pictures():
    folder = a.out / "pictures"
    folder.mkdir(exist_ok=True)
    w, h = 13, 7
    for name, depth, kind, channels in (("grey8", 8, 0, 1), ("grey16", 16, 0, 1), ("grey4", 4, 0, 1), ("grey1", 1, 0, 1), ("greyalpha8", 8, 4, 2),
                                        ("rgb8", 8, 2, 3), ("rgb16", 16, 2, 3), ("rgba8", 8, 6, 4), ("rgba16", 16, 6, 4)):
        lines = [rng.bytes((w * channels * depth + 7) // 8) for _ in range(h)]
        (folder / f"{name}.png").write_bytes(png(w, h, depth, kind, lines))
    palette = (b"PLTE", rng.bytes(16 * 3))
    lines = [rng.bytes((w * 4 + 7) // 8) for _ in range(h)]
    (folder / "palette4.png").write_bytes(png(w, h, 4, 3, lines, palette))
    (folder / "palettealpha.png").write_bytes(png(w, h, 4, 3, lines, palette, (b"tRNS", rng.bytes(16))))
    lines = [rng.bytes(w * 3) for _ in range(h)]
    (folder / "turned6.png").write_bytes(png(w, h, 8, 2, lines, (b"eXIf", exif(6, ">"))))
    if a.jpeg:
        program = a.out / "encode"
        subprocess.run(["cc", "-O", Path(__file__).with_name("encode.c"), "-ljpeg", "-o", program], check=True)
        def encode(name, h, w, H, V, progressive=0, restart=0, quality=90, pixels=None):
            p = noise(-(-h // 3), -(-w // 3)).repeat(3, 0).repeat(3, 1)[:h, :w] if pixels is None else pixels
            subprocess.run([program, *map(str, (w, h, H, V, progressive, restart, quality)), folder / name], input=np.ascontiguousarray(p).tobytes(), check=True)
        for H, V in ((1, 1), (2, 1), (2, 2), (1, 2), (4, 1), (4, 2)):
            encode(f"sampled{H}{V}.jpg", 37, 45, H, V)
            encode(f"progressive{H}{V}.jpg", 35, 43, H, V, progressive=1, quality=95)
        for h, w in ((1, 1), (2, 5), (3, 3), (5, 4), (17, 6)):
            encode(f"small{h}x{w}.jpg", h, w, 2, 2)
        encode("restart.jpg", 40, 70, 2, 2, restart=2)
        encode("restartprogressive.jpg", 40, 70, 2, 1, progressive=1, restart=3)
        encode("extreme.jpg", 40, 40, 2, 2, quality=1)
        encode("finest.jpg", 40, 40, 1, 1, quality=100)
        program.unlink()
        cv2.imwrite(str(folder / "grey.jpg"), noise(20, 30)[:, :, 0])
        plain = cv2.imencode(".jpg", noise(11, 20).repeat(2, 0))[1].tobytes()
        for k in range(1, 9):
            block = b"Exif\0\0" + exif(k, "><"[k % 2])
            (folder / f"turned{k}.jpg").write_bytes(plain[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + plain[2:])
    arrays = {f.name: cv2.imread(str(f))[:, :, ::-1] for f in sorted(folder.iterdir()) if f.suffix in (".png", ".jpg")}
    np.savez_compressed(a.out / "pictures.npz", **{k: np.ascontiguousarray(v) for k, v in arrays.items()})


for make in (resize, letterbox, suppress, pictures):
    make()
print(f"recorded with OpenCV {cv2.__version__}, torch {torch.__version__}, torchvision {torchvision.__version__}" + (", YOLOv5 agrees" if theirs else ""))
