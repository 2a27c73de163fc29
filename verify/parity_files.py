"""Files of weights, read as data: ONNX, safetensors, and the state_dict in a .pt. For parity.py.

Of protobuf there is just enough here for an ONNX file's weights, its shapes and its values' names.
"""
import contextlib
import inspect
import json
import mmap
import pickle
import re
import struct
import sys
from pathlib import Path

import numpy as np
import torch


class Failure(Exception):
    """A check that could not be made; its text says what was wrong, where, and what to do."""


def note(text):
    print(f"parity: note: {text}", file=sys.stderr)


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
