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
import torchvision

CASES = []
RANDOM = {}


def case(name, tells, outputs, *inputs):
    """Add a case: inputs and outputs are arrays or tensors."""
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    CASES.append({"name": name, "tells": tells, "inputs": [array(a) for a in inputs], "outputs": [array(a) for a in outputs]})


def array(a):
    """A tensor with the type that it has in a graph: floating point numbers are float32 there."""
    a = np.asarray(a)
    return {"dtype": {"f": "float32", "i": "int64", "b": "bool"}[a.dtype.kind], "shape": list(a.shape), "data": a.astype(float).ravel().tolist()}


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
case("Range", "without the limit, which is the length of the input", np.arange(0, 5, 1), torch.zeros(5))
name = "Resize"
x = rand(name, 2, 3, 3, 4)
case(name, "each pixel 2x3 times, height before width", F.interpolate(x, scale_factor=(2, 3), mode="nearest"), x)

# More element-wise operators.
name = "Pow"
a, b = rand(name, 2, 3, 1).abs(), rand(name, 4)
case(name, "the first to the power of the second, against the other way round", torch.pow(a, b), a, b)
for name, f in {"Min": torch.minimum, "Max": torch.maximum}.items():
    a, b, c = rand(name, 2, 1, 4), rand(name, 3, 1), rand(name, 4)
    case(name, "of three that broadcast, against of the first two", f(f(a, b), c), a, b, c)
x = exact(-2.5, -1.5, -0.5, -0.0, 0.5, 1.5, 2.5, 2.6, -2.6)
for name, f in {"Abs": torch.abs, "Neg": torch.neg, "Floor": torch.floor, "Ceil": torch.ceil}.items():
    case(name, "on both sides of 0", f(x), x)
case("Round", "halves to the even number, against away from 0", torch.round(x), x)
x = exact(-20, -1.5, 0, 0.5, 3)
case("Exp", "to the base e", torch.exp(x), x)
x = exact(1e-20, 0.5, 1, 2.718281828, 1e20)
case("Log", "natural, against to the base 2 or 10", torch.log(x), x)
x = exact(-5, -0.7, -1e-3, 0, 0.3, 2)
case("Erf", "the integral from 0 on, with 2/sqrt(pi), against the normal distribution's", torch.erf(x), x)
a, b = exact(-1, 0, 0.5, 0.5, 2), exact(0, 0, 0.25, 0.5, 3)
case("Less", "equal numbers are not less", torch.lt(a, b), a, b)
case("GreaterOrEqual", "equal numbers count", torch.ge(a, b), a, b)
case("Equal", "truth values by element, with broadcasting", torch.eq(a[:, None], b), a[:, None], b)
a, b = torch.tensor([[True, True], [False, False]]), torch.tensor([True, False])
case("Equal of truth values", "false is equal to false", torch.eq(a, b), a, b)
case("And", "both", torch.logical_and(a, b), a, b)
case("Or", "one or both, against one alone", torch.logical_or(a, b), a, b)
case("Not", "the other one", torch.logical_not(a), a)
name = "Where"
c, x, y = torch.tensor([[True], [False]]), rand(name, 3), rand(name, 2, 1)
case(name, "the second where true, with broadcasting of all three", torch.where(c, x, y), c, x, y)
case("Cast of integers", "int32, uint8 and int8 on the way do not change small numbers; to float16 and bfloat16, what they hold exactly",
     torch.tensor([0, 100, 7]).double(), torch.tensor([0, 100, 7]))
x = exact(-3, 0.5, 100, 1.0078125)
case("Cast to bfloat16", "eight bits of fraction, which these numbers keep", x.to(torch.bfloat16).double(), x)

# Activations.
name = "PRelu"
x, slope = rand(name, 2, 3, 2, 2), rand(name, 3)
case(name, "a slope for each channel, against for each column", F.prelu(x, slope), x, slope[:, None, None])
x = exact(-30, -2, -0.5, -0.0, 0.5, 2, 30)
case("Elu", "alpha 0.75 times exp(x) - 1 below 0", F.elu(x, 0.75), x)
case("HardSigmoid", "slope 0.25 and offset 0.5, held between 0 and 1, against the default slope 0.2", torch.clamp(x * 0.25 + 0.5, 0, 1), x)
case("Mish", "x times tanh of softplus", F.mish(x), x)
case("Softplus", "finite far out", F.softplus(x, threshold=1000), x)
case("Gelu", "by erf, against its approximation by tanh", F.gelu(x), x)
case("Tanh", "against the sigmoid", torch.tanh(x), x)
case("Clip", "to 0 ... 6", F.relu6(x), x)
case("Clip below", "from 0.25 on, without an upper bound", torch.clamp(x, min=0.25), x)
case("Clip above", "up to 1, without a lower bound", torch.clamp(x, max=1), x)

# More windows.
name = "Conv of sequences"
x, w = rand(name, 2, 4, 9), rand(name, 6, 2, 3)
case(name, "one axis: 2 groups in steps of 2, dilated by 2", F.conv1d(x, w, stride=2, padding=2, dilation=2, groups=2), x, w)
name = "Conv of volumes"
x, w, b = rand(name, 2, 2, 3, 4, 5), rand(name, 3, 2, 2, 1, 3), rand(name, 3)
case(name, "three axes of different kernels, steps and padding, depth first", F.conv3d(x, w, b, stride=(1, 2, 1), padding=(1, 0, 2)), x, w, b)
name = "ConvTranspose"
x, w, b = rand(name, 2, 4, 3, 4), rand(name, 4, 3, 3, 2), rand(name, 6)
case(name, "2 groups, weights by input channel first; steps of 2x3, padding 1x0, one more row at the end, dilation 1x2",
     F.conv_transpose2d(x, w, b, stride=(2, 3), padding=(1, 0), output_padding=(1, 0), groups=2, dilation=(1, 2)), x, w, b)
name = "ConvTranspose of sequences"
x, w = rand(name, 2, 3, 5), rand(name, 3, 2, 4)
case(name, "one axis, no bias", F.conv_transpose1d(x, w, stride=2, padding=1), x, w)
name = "AveragePool"
x = rand(name, 2, 3, 5, 6)
case(name, "the padding is no element", F.avg_pool2d(x, (3, 2), (2, 1), (1, 0), count_include_pad=False), x)
case("AveragePool with padding", "the padding's zeros are elements", F.avg_pool2d(x, 3, 2, 1), x)
name = "AveragePool rounded up"
x = rand(name, 2, 2, 6, 6)
case(name, "the last window hangs over: what it covers of the map counts", F.avg_pool2d(x, 3, 2, 0, ceil_mode=True), x)
name = "AveragePool rounded up with padding"
x = rand(name, 2, 2, 6, 6)
case(name, "what hangs over the padding does not count, the padding does", F.avg_pool2d(x, 4, 3, 1, ceil_mode=True), x)
name = "MaxPool rounded up"
x = rand(name, 2, 2, 5, 5)
case(name, "a window that would begin in the padding is left out", F.max_pool2d(x, 2, 2, 1, ceil_mode=True), x)
name = "MaxPool of sequences"
x = rand(name, 2, 3, 7)
case(name, "one axis", F.max_pool1d(x, 3, 2, 1), x)
name = "MaxPool of volumes"
x = rand(name, 1, 2, 4, 5, 3)
case(name, "three axes", F.max_pool3d(x, (2, 3, 1), (2, 1, 1), (0, 1, 0)), x)
name = "GlobalMaxPool"
x = rand(name, 2, 3, 4, 5) - 9
case(name, "of a map, below 0 too", F.adaptive_max_pool2d(x, 1), x)
name = "DeformConv"
x, w, b = rand(name, 2, 4, 6, 5), rand(name, 6, 2, 3, 2), rand(name, 6)
offset, mask = rand(name, 2, 2 * 2 * 6, 3, 4) * 1.5, rand(name, 2, 2 * 6, 3, 4)
case(name, "offsets y before x by element of the kernel, in 2 groups of channels; mask; 0 outside; 2 groups of weights",
     torchvision.ops.deform_conv2d(x, offset, w, b, stride=(2, 1), padding=(1, 0), mask=mask), x, w, offset, mask, b)
name = "DeformConv without a mask"
x, w = rand(name, 1, 3, 5, 6), rand(name, 2, 3, 3, 3)
offset = rand(name, 1, 18, 5, 6)
case(name, "neither mask nor bias", torchvision.ops.deform_conv2d(x, offset, w, padding=1), x, w, offset)

# Matrices.
name = "MatMul"
a, b = rand(name, 2, 1, 3, 4), rand(name, 5, 4, 2)
case(name, "for each of the leading indices, which broadcast", torch.matmul(a, b), a, b)
name = "Gemm"
a, b, c = rand(name, 3, 4), rand(name, 2, 4), rand(name, 2)
case(name, "a linear layer: its weight is transposed", F.linear(a, b, c), a, b, c)
name = "Gemm as it is"
a, b = rand(name, 3, 4), rand(name, 4, 2)
case(name, "neither transposed nor with a bias", a @ b, a, b)

# More normalisation.
name = "LayerNormalization"
x, s, b = rand(name, 2, 3, 4, 5), rand(name, 4, 5), rand(name, 4, 5)
case(name, "over the last two axes, scale and bias by place", F.layer_norm(x, (4, 5), s, b, float(np.float32(1e-3))), x, s, b)
name = "LayerNormalization without a bias"
x, s = rand(name, 2, 3, 4), rand(name, 4)
case(name, "over the last axis", F.layer_norm(x, (4,), s, None, float(np.float32(1e-5))), x, s)
name = "GroupNormalization"
x, s, b = rand(name, 2, 6, 3, 4), rand(name, 6), rand(name, 6)
case(name, "2 groups of 3 channels that follow each other, scale and bias by channel, against by group", F.group_norm(x, 2, s, b, float(np.float32(1e-3))), x, s, b)
name = "Softmax of the first axis"
x = rand(name, 3, 2, 4)
case(name, "axis 0 of three: not the last, so turned before opset 13", F.softmax(x, 0), x)
name = "ReduceMean without axes"
x = rand(name, 2, 3, 4, 5)
case(name, "axes 1 and -1 go", x.mean((1, 3)), x)
name = "ReduceMax"
x = rand(name, 2, 3, 4, 5) - 9
case(name, "axes 0 and 2 stay; below 0 too", x.amax((0, 2), keepdim=True), x)
name = "ReduceMin"
x = rand(name, 2, 3, 4) + 9
case(name, "axis 1 goes; above 0 too", x.amin(1), x)

# More moves.
name = "Flatten"
x = rand(name, 2, 3, 4, 5)
case(name, "rows of axes 0 and 1", x.reshape(6, 20), x)
x = rand("Squeeze", 2, 1, 3, 1)
case("Squeeze", "axis -1, against all of size 1", x.squeeze(-1), x)
x = rand("Unsqueeze", 2, 3)
case("Unsqueeze", "axes 0 and -1 of the result", x[None, :, :, None], x)
name = "Tile"
x = rand(name, 2, 3)
case(name, "as a whole, against element by element", x.repeat(2, 3), x)
name = "Slice in steps"
x = rand(name, 1, 2, 6, 8)
case(name, "every second row from the second on, every second column (as Focus)", x[..., 1::2, ::2], x)
name = "Slice backwards"
x = rand(name, 2, 7, 5)
case(name, "from the end in steps of -2, and without the last two", torch.flip(x, (1,))[:, ::2, :-2], x)
name = "Slice beyond"
x = rand(name, 4, 5)
case(name, "places beyond the edges are moved to them", x[-9:3, 2:99], x)
name = "DepthToSpace"
x = rand(name, 2, 12, 3, 4)
case(name, "pixels of a square first, then channels (as Expand)", x.view(2, 2, 2, 3, 3, 4).permute(0, 3, 4, 1, 5, 2).reshape(2, 3, 6, 8), x)
case("DepthToSpace interleaved", "channels first, then pixels (as PixelShuffle)", F.pixel_shuffle(x, 2), x)
name = "SpaceToDepth"
x = rand(name, 2, 3, 4, 6)
case(name, "pixels of a square first, then channels (as Contract)", x.view(2, 3, 2, 2, 3, 2).permute(0, 3, 5, 1, 2, 4).reshape(2, 12, 2, 3), x)
name = "Pad"
x = rand(name, 2, 3, 4)
case(name, "0.5 all around, before all axes first", F.pad(x, (3, 0, 1, 2), value=0.5), x)
case("Pad by mirroring", "without the edge itself twice", F.pad(x, (3, 1), mode="reflect"), x)
case("Pad by the edge", "the edge again and again", F.pad(x, (1, 5), mode="replicate"), x)
name = "Resize to sizes"
x = rand(name, 2, 2, 3, 4)
case(name, "nearest, rounded down: 3x4 to 5x7", F.interpolate(x, size=(5, 7), mode="nearest"), x)
for name, scale, align in [("Resize between", (2, 3), False), ("Resize between corners", (2, 3), True), ("Resize down", (0.5, 0.75), False)]:
    x = rand(name, 2, 2, 4, 8)
    case(name, f"bilinear by {scale}, corners aligned: {align}", F.interpolate(x, scale_factor=scale, mode="bilinear", align_corners=align), x)
name = "Resize between to sizes"
x = rand(name, 1, 2, 3, 4)
case(name, "bilinear, 3x4 to 7x5", F.interpolate(x, size=(7, 5), mode="bilinear", align_corners=False), x)

# By index.
name = "Gather"
x, i = rand(name, 2, 4, 3), torch.tensor([[0, 3], [-1, 1]])
case(name, "along axis 1; -1 is the last; the indices' axes stand in its place", x[:, i], x, i)
name = "GatherElements"
x, i = rand(name, 3, 4), torch.tensor([[3, 0], [1, 1], [0, 2]])
case(name, "one element for each index, at the index's own row", torch.gather(x, 1, i), x, i)
name = "GatherND"
x, i = rand(name, 3, 4, 2), torch.tensor([[0, 3], [2, -1]])
case(name, "lists of two indices into the first two axes", x[i[:, 0], i[:, 1]], x, i)
name = "GatherND in batches"
x, i = rand(name, 2, 4, 3), torch.tensor([[[3], [0]], [[1], [1]]])
case(name, "behind an axis in common", torch.stack([x[0][i[0, :, 0]], x[1][i[1, :, 0]]]), x, i)
name = "ArgMax"
x = torch.round(rand(name, 3, 5, 2))
case(name, "along axis 1, the first of equal ones; the axis goes", np.argmax(x.numpy(), 1), x)
name = "TopK"
x = rand(name, 2, 6, 3)
case(name, "along axis 1, the largest first", list(torch.topk(x, 4, 1)), x)
x = torch.tensor([[0.0, 2, 0], [-1, 0, 3]]).double()
case("NonZero", "a column for each, against a row", np.array(np.nonzero(x.numpy())), x)


def suppressed(boxes, scores, most, iou, score):
    """Rows of image, class and box of torchvision's suppression, class by class."""
    rows = []
    for n in range(len(boxes)):
        for c in range(scores.shape[1]):
            over = torch.nonzero(scores[n, c] > score)[:, 0]
            kept = over[torchvision.ops.nms(boxes[n][over], scores[n, c][over], iou)][:most]
            rows += [[n, c, int(k)] for k in kept]
    return np.array(rows)


name = "NonMaxSuppression"
centre, size = torch.round(rand(name, 2, 30, 2) * 20), torch.round(rand(name, 2, 30, 2).abs() * 10) + 4
scores = torch.sigmoid(rand(name, 2, 3, 30)).float().double()
corners = torch.cat([centre - size / 2, centre + size / 2], 2)
flipped = corners[..., [1, 0, 3, 2]]  # y before x
case(name, "corners; at most 4 of each class of each image; scores above 0.4", suppressed(corners, scores, 4, 0.3, 0.4), flipped, scores)
case("NonMaxSuppression of centres", "centre and size, x before y", suppressed(corners, scores, 100, 0.3, 0.4), torch.cat([centre, size], 2), scores)

path = Path(__file__).with_name("operators.json")
path.write_text("[\n" + ",\n".join(json.dumps(c) for c in CASES) + "\n]\n")
print(f"{len(CASES)} cases, {path.stat().st_size} bytes")
