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
import importlib
import inspect
import json
import mmap
import os
import pickle
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import traceback
import types
from pathlib import Path

try:
    import numpy as np
    import torch
    import torch.nn as nn
except ImportError as err:
    sys.exit(f"parity: not checked: {err}; this script needs numpy and torch, the ones that your training runs with")
try:
    from torch.utils._python_dispatch import TorchDispatchMode  # of torch 1.13 on, one can enter it
    CAN_REPLAY = hasattr(TorchDispatchMode, "__enter__")
except ImportError:
    TorchDispatchMode, CAN_REPLAY = object, False


class Failure(Exception):
    """A check that could not be made; its text says what was wrong, where, and what to do."""


def note(text):
    print(f"parity: note: {text}", file=sys.stderr)


# ---------------------------------------------------------------------------------------------------------------
# Reading an ONNX file: just enough of protobuf for its weights, its shapes and its values' names.


def varint(data, at):
    """The varint at an offset, and the offset behind it."""
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise Failure("not an ONNX file, or a truncated one (bad varint)")


def fields(data):
    """Yield (field number, value) of one protobuf message: an int for varints, a memoryview for everything else."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
            yield number, value
            continue
        size, at = varint(data, at) if wire == 2 else ({1: 8, 5: 4}.get(wire), at)
        if size is None or size > len(data) - at:
            raise Failure(f"not an ONNX file, or a truncated one (field {number})")
        yield number, data[at:at + size]
        at += size


def every(data, *path):
    """All values at a path of field numbers below a message."""
    for number, value in fields(data):
        if number == path[0]:
            yield from every(value, *path[1:]) if len(path) > 1 else [value]


DTYPES = {1: "<f4", 2: "u1", 3: "i1", 6: "<i4", 7: "<i8", 9: "?", 10: "<f2", 11: "<f8"}


def tensor(data, folder):
    """Decode a TensorProto with raw or external data to (name, array)."""
    name, dims, dtype, raw, outside = "", [], 0, None, {}
    for number, value in fields(data):
        if number == 1:  # dims, packed or one by one
            dims += [value] if isinstance(value, int) else unpack(value)
        elif number == 2:
            dtype = value
        elif number == 8:
            name = bytes(value).decode()
        elif number in (4, 9):  # float_data is packed little-endian too
            raw = value
        elif number == 13:
            entry = {k: bytes(v).decode() for k, v in fields(value)}
            outside[entry.get(1)] = entry.get(2, "")
    if outside:
        path = (folder / outside["location"]).resolve()
        if folder.resolve() not in path.parents:
            raise Failure(f"tensor {name}: its external data {outside['location']!r} is outside the model's folder")
        start = int(outside.get("offset", 0))
        whole = view(path)
        raw = whole[start:start + int(outside.get("length", len(whole) - start))]
    if dtype not in DTYPES or raw is None and 0 not in dims:
        return name, None
    try:
        return name, np.frombuffer(raw or b"", DTYPES[dtype]).reshape(dims)
    except ValueError as err:
        raise Failure(f"tensor {name}: {err}") from err


def unpack(data):
    """The varints of a packed field."""
    values, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def view(path):
    """A read-only view of a file, paged in as it is used."""
    try:
        with open(path, "rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as err:
        raise Failure(f"cannot read {path.name}: {getattr(err, 'strerror', None) or err}") from err


@contextlib.contextmanager
def naming(path):
    """Put the file's path before a Failure's text."""
    try:
        yield
    except Failure as err:
        raise Failure(f"{path}: {err}") from None
    except (ValueError, KeyError, TypeError) as err:
        raise Failure(f"{path}: not an ONNX file, or a broken one ({err})") from None


def initializers(path):
    """Every initializer of an ONNX file, by name; None for one whose type or storage no weight uses."""
    with naming(path):
        return dict(tensor(data, Path(path).parent) for data in every(view(path), 7, 5))


def shapes(path):
    """The shapes of the first input that is not an initializer and of the first output; None for each symbolic dimension."""
    with naming(path):
        data = view(path)
        weights = set(every(data, 7, 5, 8))
        inputs = [info for info in every(data, 7, 11) if next(every(info, 1), b"") not in weights]
        both = [info for infos in (inputs, every(data, 7, 12)) for info in list(infos)[:1]]
        if len(both) != 2:
            raise Failure("not an ONNX file, or the graph has no input or no output")
        return [[next(every(dim, 1), None) for dim in every(info, 2, 1, 2, 1)] for info in both]


def exposed(path):
    """The names of the values that a file says its layers give, by the layers' indices."""
    with naming(path):
        data = view(path)
        made = {bytes(value).decode() for value in every(data, 7, 1, 2)}
        texts = (bytes(next(every(entry, 2), b"[]")) for entry in every(data, 14) if next(every(entry, 1), b"") == b"layers")
        rows = enumerate(json.loads(next(texts, b"[]")))
        return {i: row[2] for i, row in rows if len(row) == 3 and row[2] in made}


# ---------------------------------------------------------------------------------------------------------------
# Weights as plain tensors, name -> array, from files that are data and run nothing.

STATE_NAME = re.compile(r"model\.\d+\..*\b(weight|bias|running_mean|running_var|gamma|beta)")
NO_WEIGHTS = ("num_batches_tracked", ".anchor_grid", ".stride")  # in a state_dict, and no part of what is computed
SAFE_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}


def safetensors(path):
    """Every tensor of a safetensors file: a length, a JSON header with types, shapes and offsets, then the data."""
    data, tensors = view(path), {}
    try:
        start = 8 + int.from_bytes(data[:8], "little")
        for name, entry in json.loads(bytes(data[8:start])).items():
            if name != "__metadata__":
                first, end = entry["data_offsets"]
                array = np.frombuffer(data[start + first:start + end], SAFE_DTYPES[entry["dtype"]]).reshape(entry["shape"])
                wide = entry["dtype"] == "BF16"  # the upper half of a float32
                tensors[name] = (array.astype("<u4") << 16).view("<f4") if wide else array
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise Failure(f"{path}: not a safetensors file, or a truncated one ({type(err).__name__}: {err})") from None
    return tensors


def write_safetensors(path, model):
    """Write a model's state_dict as float32."""
    arrays = {k: np.ascontiguousarray(v.numpy(), "<f4") for k, v in model.state_dict().items() if not k.endswith(NO_WEIGHTS)}
    header, end = {}, 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path.write_bytes(b"".join([struct.pack("<Q", len(text)), text, *arrays.values()]))


def state_dict(path):
    """The tensors of a .pt that holds nothing else, alone or under model or ema; None for one with Python objects in it."""
    if "weights_only" not in inspect.signature(torch.load).parameters:
        return None
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError, TypeError):
        return None
    if isinstance(held, dict):
        held = next((held[key] for key in ("ema", "model", "state_dict") if isinstance(held.get(key), dict)), held)
    if not isinstance(held, dict) or not held or not all(torch.is_tensor(v) for v in held.values()):
        return None
    return {name: value.float().numpy() for name, value in held.items()}


def plain_weights(path):
    """The weights in a file of tensors, by state_dict name; None for a checkpoint that only its training code can load."""
    if not path.is_file():
        raise Failure(f"{path}: no such file; weights were expected")
    if path.suffix == ".onnx":
        return {name: array for name, array in initializers(path).items() if STATE_NAME.fullmatch(name)}
    return safetensors(path) if path.suffix == ".safetensors" else state_dict(path)


def load_weights(model, path, given=None):
    """Copy a file's weights (or the given ones of it) into a model by state_dict name: all of both sides, or a Failure.

    Anchors are taken where the file has them: a state_dict does, in an ONNX file they are constants without a name.
    """
    given = plain_weights(path) if given is None else given
    given = {k: v for k, v in given.items() if not k.endswith(NO_WEIGHTS)}
    state = {k: v for k, v in model.state_dict().items() if not k.endswith(NO_WEIGHTS)}
    state = {k: v for k, v in state.items() if k in given or not k.endswith(".anchors")}
    missing, unused = [k for k in state if k not in given], [k for k in given if k not in state]
    problems = [f"missing in the file: {k} {tuple(state[k].shape)}" for k in missing]
    problems += [f"unknown to the model: {k} {() if given[k] is None else given[k].shape}" for k in unused]
    for k in state:
        if k in given and (given[k] is None or given[k].shape != tuple(state[k].shape)):
            shape = "no readable data" if given[k] is None else given[k].shape
            problems.append(f"shape differs: {k} is {shape} in the file, {tuple(state[k].shape)} in the model")
    if problems:
        lines = [f"{path}: {len(problems)} tensors do not match the model", *problems[:40]]
        lines += [f"... and {len(problems) - 40} more"] * (len(problems) > 40)
        if any(".bn." in k for k in missing) and any(k.endswith("conv.bias") for k in unused):
            lines.append("the file has its batch norms folded into the convolutions: export once more with --no-optimize "
                         "and pass that file as --weights")
        raise Failure("\n  ".join(lines))
    with torch.no_grad():
        for k, v in state.items():
            v.copy_(torch.from_numpy(given[k].astype(np.float32)))
    return model


def randomise(model, seed):
    """Make untrained weights tell: zeros and ones would hide a dropped bias, a wrong epsilon or a swapped half."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.1, generator=generator)
                m.running_var.uniform_(0.5, 1.5, generator=generator)
        for name, p in model.named_parameters():
            if (p == p.flatten()[:1]).all():  # all zero or all one
                p.add_(0.1 * torch.randn(p.shape, generator=generator))
            if name.endswith("SRU.gn.gamma"):
                p[len(p) // 3] = 12  # its softmax opens ScConv's gate; drawn values alone never do
    return model


# ---------------------------------------------------------------------------------------------------------------
# The model: your training code's, or that of torch_modules.py.


@contextlib.contextmanager
def training_code(folder):
    """Run code of a YOLOv5 checkout, its output on stderr; whatever it raises becomes a Failure that says where."""
    if not (folder / "models" / "yolo.py").is_file():
        raise Failure(f"{folder}: there is no models/yolo.py in it; --yolov5 takes the folder of your training code")
    without_plots()
    os.environ.setdefault("YOLOv5_AUTOINSTALL", "false")  # install nothing
    os.environ.setdefault("YOLOv5_VERBOSE", "false")
    os.environ.setdefault("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # code older than torch 2.6 loads objects without asking
    sys.path.insert(0, str(folder.resolve()))
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except Failure:
        raise
    except (Exception, SystemExit) as err:  # whatever code that is not ours raises
        raise Failure(explain(err, folder)) from err


def without_plots():
    """Stand in for what YOLOv5 imports for plots and notebooks only, where it is not installed."""
    for name in ("seaborn", "IPython", "IPython.display"):
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(get_ipython=lambda: None, display=lambda *things: None)


def explain(err, folder):
    """Say what training code, or a checkpoint that it does not fit, lacks."""
    lost = re.search(r"Can't get attribute '(\w+)' on <module '([\w.]+)'", str(err))
    if lost:
        return (f"{folder}: the checkpoint needs the class {lost[1]} of {lost[2]}, which is not in this code; "
                "pass the code that it was trained with")
    if isinstance(err, ModuleNotFoundError) and err.name:
        if err.name.split(".")[0] in ("models", "utils"):
            return f"{folder}: the module {err.name} is needed and not in this code; pass the code that trained it"
        return f"{folder}: the Python package {err.name} is needed and not installed; see the code's requirements.txt"
    if isinstance(err, (pickle.UnpicklingError, EOFError)):
        return f"the checkpoint cannot be read: {err}"
    at = [f for f in traceback.extract_tb(err.__traceback__) if str(folder.resolve()) in f.filename]
    where = f" (line {at[-1].lineno} of {at[-1].filename})" if at else ""
    return f"{folder}: the training code failed: {type(err).__name__}: {err}{where}"


def from_checkpoint(folder, path):
    """The model in a checkpoint, unpickled and mended by its training code's attempt_load, with its batch norms unfused."""
    with training_code(folder):
        note(f"{path} is unpickled by {folder}, which runs whatever it holds: trust it first")
        from models.experimental import attempt_load
        if "fuse" in inspect.signature(attempt_load).parameters:
            return attempt_load(str(path), fuse=False).float().eval()
        held = torch.load(path, map_location="cpu")  # of older code, attempt_load always fuses
        model = held if isinstance(held, nn.Module) else held.get("ema") or held["model"]
        for m in model.modules():
            if isinstance(m, nn.Upsample) and not hasattr(m, "recompute_scale_factor"):
                m.recompute_scale_factor = None  # of checkpoints older than torch 1.11
        return model.float().eval()


def from_yaml(path, folder=None, seed=0):
    """The model of a YAML, of a training code's classes or, without a folder, of torch_modules.py's; freshly initialised."""
    if not path.is_file():
        raise Failure(f"{path}: no such file; a model's YAML was expected")
    torch.manual_seed(seed)
    if folder:
        with training_code(folder):
            from models.yolo import Model
            return Model(str(path)).float().eval()
    try:
        import torch_modules
        import yaml
    except ImportError as err:
        raise Failure(f"{err}: without --yolov5, parity.py needs torch_modules.py beside it, and PyYAML") from None
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise Failure(f"{path}: expected a mapping with nc, anchors, backbone and head")
        return torch_modules.build(config)
    except KeyError as err:
        raise Failure(f"{path}: the key {err} is missing") from None
    except (yaml.YAMLError, ValueError, TypeError, IndexError, RuntimeError) as err:
        raise Failure(f"{path}: {err}") from err


def load(args, folder):
    """The model with its weights, the words for them, and the arguments with which ysc2onnx exports the same."""
    given = args.weights and plain_weights(args.weights)
    if args.weights and given is None:
        if not args.yolov5:
            raise Failure(f"{args.weights}: not a file of tensors alone: a checkpoint holds objects of its training code's "
                          "classes; pass that code with --yolov5 DIR")
        if args.yaml:
            note(f"{args.yaml} is not used: {args.weights} carries its own")
        return from_checkpoint(args.yolov5, args.weights), str(args.weights), [args.weights]
    if not args.yaml:
        raise Failure(f"{args.weights}: holds tensors only, and no model: name its YAML too")
    model = from_yaml(args.yaml, args.yolov5, args.seed)
    if given is not None or args.onnx:
        path = args.weights or args.onnx
        load_weights(model, path, given)
        return model, f"{args.yaml}, weights of {path}", [args.yaml, "--weights", path]
    path = folder / "random.safetensors"
    write_safetensors(path, randomise(model, args.seed))
    return model, f"{args.yaml}, random weights", [args.yaml, "--weights", path]


# ---------------------------------------------------------------------------------------------------------------
# Recording and comparing.


def input_shape(args, model):
    """The reference input's [batch, channels, height, width]: as asked, else as the file says, else a small one."""
    step = int(max(getattr(model.model[-1], "stride", [32])))
    channels = model.yaml.get("ch", 3) if hasattr(model, "yaml") else next(model.parameters()).shape[1]
    fixed = shapes(args.onnx)[0] if args.onnx else [None] * 4
    if len(fixed) != 4 or fixed[1] not in (None, channels):
        raise Failure(f"{args.onnx}: the input has the shape {fixed}, expected batch, {channels} channels, height, width")
    asked = [args.batch, channels, *(args.imgsz or [None, None])]
    for name, f, a in zip(("batch", "channels", "height", "width"), fixed, asked):
        if f and a and f != a:
            raise Failure(f"{args.onnx}: its {name} is fixed at {f}, {a} was asked; export with --dynamic or ask for {f}")
    small = [len(args.image), channels, 640, 640] if args.image else [2, channels, 3 * step, 4 * step]
    n, c, h, w = (a or f or default for a, f, default in zip(asked, fixed, small))
    if h % step or w % step:
        raise Failure(f"{h}x{w}: height and width must be multiples of the largest stride, {step}")
    return n, c, h, w


def picture(path, height, width):
    """A picture as YOLOv5 feeds it: scaled to fit, centred on grey, RGB, [3, height, width] in 0..1."""
    try:
        import cv2
    except ImportError:
        cv2 = None
    if not path.is_file():
        raise Failure(f"{path}: no such file; a picture was expected")
    if cv2:
        pixels = cv2.imread(str(path))  # turned as its EXIF says
        if pixels is None:
            raise Failure(f"{path}: not a picture that OpenCV reads")
        pixels = np.ascontiguousarray(pixels[:, :, ::-1])
    else:
        try:
            from PIL import Image, ImageOps
        except ImportError:
            raise Failure("--image needs OpenCV (cv2) or Pillow (PIL), and neither is installed") from None
        pixels = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    h, w = (round(side * scale) for side in pixels.shape[:2])
    if (h, w) != pixels.shape[:2]:
        resized = cv2.resize(pixels, (w, h)) if cv2 else Image.fromarray(pixels).resize((w, h), Image.BILINEAR)
        pixels = np.asarray(resized)
    canvas = np.full((height, width, 3), 114, np.uint8)
    top, left = round((height - h) / 2 - 0.1), round((width - w) / 2 - 0.1)
    canvas[top:top + h, left:left + w] = pixels
    return canvas.transpose(2, 0, 1).astype(np.float32) / 255


def reference_input(args, model):
    """The input to record, float32 [N, C, H, W]; of several pictures, each in turn."""
    shape = input_shape(args, model)
    if not args.image:
        return np.random.default_rng(args.seed).random(shape, dtype=np.float32)
    return np.stack([picture(args.image[i % len(args.image)], *shape[2:]) for i in range(shape[0])])


class Decisions(TorchDispatchMode):
    """Keeps what comparisons of floating-point numbers decide, ScConv's r >= t, and decides the same in a second run.

    In float64 a number within rounding of its threshold may fall on the other side. What lies behind it would then differ by
    more than rounding, and say nothing of how exact float32 is.
    """
    comparisons = ("aten::ge", "aten::gt", "aten::le", "aten::lt")

    def __init__(self):
        super().__init__()
        self.made, self.replay = [], None

    def again(self):
        """Decide as before from here on."""
        self.replay = iter(self.made)
        return self

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function._schema.name not in self.comparisons or not args[0].is_floating_point():
            return result
        if self.replay is None:
            self.made.append(result)
            return result
        before = next(self.replay, None)
        if before is None or before.shape != result.shape:
            raise RuntimeError("it compares other values then")
        return before


def run(model, x):
    """Run x through a model: `layer.<i>` of each layer but the last that returns one tensor, and `output<k>`."""
    out, hooks = {}, []
    for i, layer in enumerate(model.model[:-1]):  # the head's results are the outputs
        def keep(_, __, y, key=f"layer.{i}"):
            if torch.is_tensor(y):
                out[key] = y.clone().numpy()  # a later layer may work in place
        hooks.append(layer.register_forward_hook(keep))
    try:
        with torch.no_grad():
            y = model(x)
    finally:
        for hook in hooks:
            hook.remove()
    results = [y] if torch.is_tensor(y) else [part for part in y if torch.is_tensor(part)]
    out.update((f"output{k}", part.numpy()) for k, part in enumerate(results))
    return out


def record(model, x):
    """Run x through a model and return what ref.npz holds. The model is in float64 afterwards."""
    decisions = Decisions() if CAN_REPLAY else contextlib.nullcontext()
    with decisions:
        out = run(model, x)
    for key, value in out.items():
        if not np.isfinite(value).all():
            raise Failure(f"{key} has values that are not finite in PyTorch already: there is nothing to compare with")
    if "output0" not in out:
        raise Failure("the model returns no tensor; parity.py reads models that end in a Detect or Segment head")
    if not CAN_REPLAY:
        note(f"float64 is not recorded beside float32: torch {torch.__version__} is older than 1.13")
        return {"input": x.numpy(), **out}
    usual = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)  # of tensors that a forward makes
        with decisions.again():
            exact = run(model.double(), x.double())
        return {"input": x.numpy(), **out, **rounding(out, exact)}
    except Exception as err:  # whatever code that is not ours raises
        note(f"float64 is not recorded beside float32, as the model does not run in it: {type(err).__name__}: {err}")
        return {"input": x.numpy(), **out}
    finally:
        torch.set_default_dtype(usual)


def rounding(out, exact):
    """Give `<name>.rounding` for each array: what has to be added to it to have what float64 gives.

    It has 8 significant bits: more say nothing, and so it takes half as much room in a compressed file.
    """
    more = {}
    for key, value in out.items():
        if exact[key].dtype != np.float64 or not np.isfinite(exact[key]).all():
            raise ValueError(f"{key} is not what float64 gives")
        bits = (exact[key] - value).astype(np.float32).view(np.uint32)
        more[f"{key}.rounding"] = (bits + 0x8000 & 0xFFFF0000).view(np.float32)
    return more


def save(path, arrays, small):
    """Write an .npz, whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            (np.savez_compressed if small else np.savez)(file, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def export(tool, arguments, shape, path):
    """Have ysc2onnx export a model at the size of the input."""
    size = ["--imgsz", f"{shape[2]}x{shape[3]}", "--batch-size", str(shape[0])]
    command = [tool, *map(str, arguments), "-o", str(path), *size, "--no-verify", "--quiet"]
    if subprocess.run(command, check=False).returncode:
        raise Failure(f"ysc2onnx did not export {arguments[0]}, see above; a module that it does not know cannot be compared")
    return path


def fits(path, columns):
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
    fits(path, out["output0"].shape[-1])
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
