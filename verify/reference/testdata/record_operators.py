#!/usr/bin/env python3
"""Write operators.json: each operator with inputs and what PyTorch gives for them in float64, or NumPy where it has no such.

    record_operators.py

Inputs are float32 numbers from NumPy's PCG64 generator, seeded with the case's name, so that they are exact as initializers,
too. Shapes are not square, batches are 2 or 3. Each case says which two readings of the definition it tells apart.
"""
import json
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

CASES = []
RANDOM = {}


def case(name, tells, outputs, *inputs):
    """Add a case: inputs and outputs are arrays or tensors."""
    arrays = lambda list_: [{"shape": list(np.shape(a)), "data": np.asarray(a).astype(float).ravel().tolist()} for a in list_]
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    CASES.append({"name": name, "tells": tells, "inputs": arrays(inputs), "outputs": arrays(outputs)})


def rand(name, *shape):
    """Normal float32 numbers in float64, the next ones of the case."""
    if name not in RANDOM:
        RANDOM[name] = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    return torch.from_numpy(RANDOM[name].standard_normal(shape).astype(np.float32).astype(np.float64))


def exact(*numbers):
    """Float32 numbers in float64."""
    return torch.tensor(np.float32(numbers).astype(np.float64))


# Element-wise. a and b broadcast in three ways: an axis of 1 on either side, and one that is missing.
for name, f in {"Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Div": torch.div}.items():
    a, b = rand(name, 2, 3, 1, 4), rand(name, 3, 5, 1)
    case(name, "broadcasting of both sides from the last axis on, against from the first; the order of the operands", f(a, b), a, b)
a, b = exact(-1, 0, 0.5, 0.5, 2), exact(0, 0, 0.25, 0.5, 3)
case("Greater", "equal numbers are not greater", torch.gt(a, b), a, b)
case("LessOrEqual", "equal numbers count", torch.le(a, b), a, b)
x = exact(0, 1e-30, 0.09, 2, 1e30)
case("Sqrt", "the root, against its inverse", torch.sqrt(x), x)
x = exact(-1000, -30, -1.5, -0.0, 0.7, 30, 1000)
case("Sigmoid", "finite far out, against NaN", torch.sigmoid(x), x)
case("Relu", "0 below 0", torch.relu(x), x)
case("LeakyRelu", "slope 0.1 as float32, against 0.01", F.leaky_relu(x, float(np.float32(0.1))), x)
x = exact(-4, -3, -2.5, -0.1, 0, 1, 2.9, 3, 7)
case("HardSwish", "x times the gate, against the gate; straight beyond 3", F.hardswish(x), x)
x = exact(-2.7, -0.5, 0, 0.5, 2.7)
case("Cast to int", "cut off towards 0, against rounded or down", x.to(torch.int64), x)
case("Cast to bool", "whatever is not 0 is true, against above 0", x.to(torch.bool), x)

# Windows.
name = "Conv"
x, w, b = rand(name, 2, 3, 5, 7), rand(name, 6, 3, 3, 2), rand(name, 6)
case(name, "3x2 kernel in steps of 2x1, pads 1, 0, 2, 1 as top, left, bottom, right, against symmetric ones; weights as output, input channel, row, column",
     F.conv2d(F.pad(x, (0, 1, 1, 2)), w, b, stride=(2, 1)), x, w, b)
name = "Conv in groups"
x, w = rand(name, 3, 6, 6, 5), rand(name, 10, 3, 3, 3)
case(name, "2 groups of 5 channels that read 3 each, dilation 1x2, no bias", F.conv2d(x, w, padding=(1, 2), dilation=(1, 2), groups=2), x, w)
name = "Conv 6x6"
x, w, b = rand(name, 2, 3, 8, 12), rand(name, 5, 3, 6, 6), rand(name, 5)
case(name, "padding 2 in steps of 2; 5 output channels", F.conv2d(x, w, b, stride=2, padding=2), x, w, b)
name = "MaxPool"
x = rand(name, 2, 3, 5, 7) - 4
case(name, "negative maps: padding does not count, against zeros", F.max_pool2d(x, 5, 1, 2), x)
name = "MaxPool 2x3"
x = rand(name, 2, 2, 7, 8)
case(name, "kernel 2x3 in steps of 2x1, dilation 2x1, rounded up: the last window hangs over", F.max_pool2d(x, (2, 3), (2, 1), (0, 1), (2, 1), True), x)
name = "GlobalAveragePool"
x = rand(name, 2, 3, 4, 5)
case(name, "the mean of a map, against that of a batch", F.adaptive_avg_pool2d(x, 1), x)

# Normalisation.
name = "BatchNormalization"
x, s, b, m, v = rand(name, 3, 4, 2, 5), rand(name, 4), rand(name, 4), rand(name, 4), rand(name, 4) ** 2
v = torch.from_numpy(v.numpy().astype(np.float32).astype(np.float64))
case(name, "epsilon 1e-3 inside the root, with the variance", F.batch_norm(x, m, v, s, b, eps=float(np.float32(1e-3))), x, s, b, m, v)
name = "InstanceNormalization"
x, s, b = rand(name, 3, 4, 2, 5), rand(name, 4), rand(name, 4)
case(name, "the biased variance of a map, per image", F.instance_norm(x, weight=s, bias=b, eps=float(np.float32(1e-5))), x, s, b)
for name, axis in {"Softmax": 1, "Softmax of the last axis": -1}.items():
    x = rand(name, 2, 3, 4) * 30
    case(name, "one axis alone, against all from it on (as before opset 13)", F.softmax(x, axis), x)
for name, f in {
    "ReduceMean": lambda x: x.mean((1, 3), keepdim=True),
    "ReduceSum": lambda x: x.sum((1, 3), keepdim=True),
    "ReduceL2": lambda x: torch.linalg.vector_norm(x, dim=(1, 3), keepdim=True),
}.items():
    x = rand(name, 2, 3, 4, 5)
    case(name, "axes 1 and -1, which stay with size 1", f(x), x)
case("ReduceProd", "the product, against the sum", np.prod([[3, 4, 5]], axis=1, keepdims=True), [[3, 4, 5]])

# Moving.
name = "Reshape"
x = rand(name, 2, 3, 4, 5)
case(name, "0 copies a size, -1 is what is left", x.reshape(2, 3, 2, -1), x)
name = "Transpose"
x = rand(name, 2, 3, 4, 5)
case(name, "output axis i is input axis perm[i], against the inverse", x.permute(0, 2, 3, 1), x)
x = rand("Shape", 2, 3, 5)
case("Shape", "sizes in order", np.array(x.shape), x)
name = "Slice"
x = rand(name, 2, 6, 3)
case(name, "from 1 up to and without 4 of axis 1", x[:, 1:4], x)
name = "Split"
x = rand(name, 2, 6, 3)
case(name, "unequal parts in order", torch.split(x, [1, 3, 2], 1), x)
name = "Concat"
x, y = rand(name, 2, 3, 4), rand(name, 2, 1, 4)
case(name, "axis 1 of two, in order", torch.cat([x, y], 1), x, y)
name = "Expand"
x = rand(name, 3, 1)
case(name, "a new axis in front, and an axis of 1", x.expand(2, 3, 4), x)
case("Range", "without the limit", np.arange(0, 5, 1))
name = "Resize"
x = rand(name, 2, 3, 3, 4)
case(name, "each pixel 2x3 times, height before width", F.interpolate(x, scale_factor=(2, 3), mode="nearest"), x)

path = Path(__file__).with_name("operators.json")
path.write_text("[\n" + ",\n".join(json.dumps(c) for c in CASES) + "\n]\n")
print(f"{len(CASES)} cases, {path.stat().st_size} bytes")
