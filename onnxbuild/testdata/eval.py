#!/usr/bin/env python3
"""Write eval.json: what NumPy makes of small inputs, for the operators that are computed ahead.

    python3 eval.py > eval.json

Arithmetic is NumPy's in the type of the inputs. Softmax is taken in float64 and rounded once, as eval.go promises.
Each case names the two readings that it tells apart. Elements are written as text, so that inf and nan are there too.
"""
import json
import sys

import numpy as np

rng = np.random.default_rng(20)
NAMES = {np.dtype(t): np.dtype(t).name for t in (np.float32, np.float16, np.int64, np.int32, np.int8, np.uint8, np.bool_)}
cases = []


def tensor(x):
    x = np.asarray(x)
    elements = [repr(float(v)) if x.dtype.kind == "f" else str(int(v)) for v in x.ravel()]
    return {"dtype": NAMES[x.dtype], "shape": list(x.shape), "elements": elements}


def case(op, why, inputs, output, **attrs):
    cases.append({"op": op, "why": why, "attrs": attrs, "inputs": [tensor(x) for x in inputs], "output": tensor(output)})


def f32(*shape):
    return rng.normal(0, 3, shape).astype(np.float32)


def i64(*values):
    return np.array(values, np.int64)


a, b = f32(2, 3, 4), f32(3, 1)
for op, f in [("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("Div", np.divide)]:
    case(op, "broadcasting from the right, not from the left", [a, b], f(a, b))
    x, y = f32(50), f32(50)
    case(op, "rounded to float32 once", [x, y], f(x, y))
case("Add", "two shapes that grow each other", [x := f32(4, 1), y := f32(1, 3)], x + y)
case("Sub", "the order of the operands", [x := f32(3), y := np.float32(0.5)], x - y)
case("Mul", "integers stay integers", [x := i64(3, -4, 5), y := i64(7)], x * y)
with np.errstate(divide="ignore", invalid="ignore"):
    x, y = np.array([1, -1, 0], np.float32), np.zeros(1, np.float32)
    case("Div", "division by zero gives infinities and not-a-number", [x, y], x / y)

edge = np.array([0.25, 0.5, 0.75, -0.5], np.float32)
case("Greater", "a tie is not greater", [edge, np.float32(0.5)], edge > np.float32(0.5))
case("LessOrEqual", "a tie is less or equal", [edge, np.float32(0.5)], edge <= np.float32(0.5))
case("Greater", "broadcasting of the result", [x := f32(3, 1), y := f32(4)], x > y)

x = np.abs(f32(40))
case("Sqrt", "rounded to float32 once", [x], np.sqrt(x))

case("Cast", "floats are cut towards zero, not rounded or floored", [x := np.array([1.7, -1.7, 2.5, -0.2], np.float32)],
     x.astype(np.int64), to=7)
case("Cast", "large integers are rounded to even", [x := i64(16777217, 16777219, -16777217)], x.astype(np.float32), to=1)
case("Cast", "all but zero is true", [x := np.array([0, -0.0, 0.25, -3], np.float32)], x.astype(np.bool_), to=9)
case("Cast", "true is 1", [x := np.array([True, False])], x.astype(np.float32), to=1)
case("Cast", "integers become truths", [x := i64(0, 2, -1)], x.astype(np.bool_), to=9)


def softmax(x, axis):
    e = np.exp(x.astype(np.float64) - x.max(axis, keepdims=True))
    return (e / e.sum(axis, keepdims=True)).astype(np.float32)


for shape, axis in [((8, 1, 1), 0), ((2, 5, 3), 1), ((2, 5, 3), -1), ((2, 5, 3), 0), ((7,), 0)]:
    x = f32(*shape)
    case("Softmax", f"axis {axis} of {len(shape)}", [x], softmax(x, axis), axis=axis)
x = np.array([-1000, -100, -20, 0, 1, 88, 89.5], np.float32)
case("Softmax", "the largest is taken off before exp, which would overflow", [x], softmax(x, 0), axis=0)
x = np.array([-700, -90, -0.25, -0.2499, -1e-7, 0], np.float32)
case("Softmax", "small and tiny terms", [x], softmax(x, 0), axis=0)

x = f32(2, 3, 4)
case("Reshape", "0 copies, -1 is what is left", [x, i64(0, -1)], x.reshape(2, 12))
x = i64(5, 6, 7, 8)
case("Slice", "the end is not included", [x, i64(1), i64(3), i64(0)], x[1:3])
x, y = f32(2, 3), f32(2, 1)
case("Concat", "an inner axis interleaves", [x, y, x], np.concatenate([x, y, x], -1), axis=-1)
x, y = f32(2, 3, 2), f32(2, 4, 2)
case("Concat", "an axis in the middle", [x, y], np.concatenate([x, y], 1), axis=1)
x = f32(3, 1)
case("Expand", "in two directions", [x, i64(2, 1, 4)], np.broadcast_to(x, (2, 3, 4)))
case("Expand", "a scalar", [np.float32(1.5), i64(2, 2)], np.full((2, 2), 1.5, np.float32))
case("Range", "the end is not included", [np.int64(0), np.int64(5), np.int64(1)], np.arange(5))
x = i64(2, 3, 7)
case("ReduceProd", "the axis stays", [x, i64(0)], x.prod(keepdims=True), keepdims=1)

case("ReduceProd", "an axis of two, which goes", [x := i64(2, 3, 7, 5).reshape(2, 2), i64(-1)], x.prod(-1), keepdims=0)

# Types.
case("Cast", "to float16, ties to even, too large to infinity", [x := np.array([1 + 2**-11, 1 + 3 * 2**-11, 65519, 1e-8, 3e-8], np.float32)], x.astype(np.float16), to=10)
with np.errstate(over="ignore"):
    case("Cast", "past the largest float16", [x := np.array([65520, -1e9], np.float32)], x.astype(np.float16), to=10)
case("Cast", "from float16", [x := np.array([0.1, 1000.5], np.float16)], x.astype(np.float32), to=1)
case("Cast", "to bytes", [x := i64(-128, 127)], x.astype(np.int8), to=3)
case("Cast", "to unsigned bytes", [x := i64(0, 255)], x.astype(np.uint8), to=2)
case("Cast", "to int32", [x := np.array([-1.9, 2e9], np.float32)], x.astype(np.int32), to=6)
case("Add", "float16 is rounded once", [x := np.array([1, 2048, 0.1], np.float16), y := np.array([2**-12, 1, 0.2], np.float16)], x + y)
case("Mul", "int32", [x := np.array([3, -4], np.int32), y := np.int32(7)], x * y)

# Choices and comparisons.
for op, f in [("Less", np.less), ("GreaterOrEqual", np.greater_equal), ("Equal", np.equal)]:
    case(op, "on both sides of a tie", [edge, np.float32(0.5)], f(edge, np.float32(0.5)))
p, q = np.array([[True], [False]]), np.array([True, False])
for op, f in [("And", np.logical_and), ("Or", np.logical_or), ("Equal", np.equal)]:
    case(op, "all four pairs", [p, q], f(p, q))
case("Not", "both", [q], ~q)
case("Where", "three that broadcast", [p, x := f32(3), y := f32(2, 1)], np.where(p, x, y))
a, b, c = f32(2, 1, 4), f32(3, 1), f32(4)
case("Min", "of three that broadcast", [a, b, c], np.minimum(np.minimum(a, b), c))
case("Max", "of three that broadcast", [a, b, c], np.maximum(np.maximum(a, b), c))
x = np.array([-2.5, -1.5, -0.5, -0.0, 0.5, 1.5, 2.6], np.float32)
for op, f in [("Abs", np.abs), ("Neg", np.negative), ("Floor", np.floor), ("Ceil", np.ceil), ("Round", np.rint)]:
    case(op, "on both sides of 0", [x], f(x))
case("Clip", "between two bounds", [x, np.float32(-1), np.float32(1.5)], np.clip(x, -1, np.float32(1.5)))
case("Clip", "without an upper one", [x, np.float32(-1)], np.maximum(x, np.float32(-1)))

# Moves.
x = f32(2, 3, 4)
case("Transpose", "output axis i is input axis perm[i], against the inverse", [x], x.transpose(2, 0, 1), perm=[2, 0, 1])
case("Flatten", "rows of two axes", [x], x.reshape(6, 4), axis=2)
case("Unsqueeze", "the first and the last of the result", [x, i64(0, -1)], x[None, ..., None])
case("Squeeze", "one of two axes of size 1", [y := f32(1, 3, 1), i64(-1)], y[..., 0])
case("Tile", "as a whole, against element by element", [x, i64(2, 1, 3)], np.tile(x, (2, 1, 3)))
case("Slice", "two axes of three", [x, i64(1, 0), i64(3, 2), i64(2, 1)], x[:, 0:2, 1:3])
case("Slice", "backwards in steps, to the start", [x, i64(2**63 - 1, -1), i64(-(2**63), -4), i64(2, 1), i64(-2, -1)], x[:, :-4:-1, ::-2])
case("Slice", "in steps, past the end", [x, i64(-9), i64(99), i64(2), i64(3)], x[..., ::3])
case("Gather", "a matrix of indices, one from the end, along an axis in the middle", [x, i := i64(2, -1, 0, 0).reshape(2, 2)], np.take(x, i, 1), axis=1)
case("ReduceMax", "two axes, which stay; below 0 too", [y := -np.abs(f32(2, 3, 4)), i64(0, 2)], y.max((0, 2), keepdims=True), keepdims=1)
case("ReduceMin", "an axis that goes; above 0 too", [y := np.abs(f32(2, 3, 4)), i64(1)], y.min(1), keepdims=0)

json.dump(cases, sys.stdout, indent=1)
print()
