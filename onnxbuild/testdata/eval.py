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
NAMES = {np.dtype(np.float32): "float32", np.dtype(np.int64): "int64", np.dtype(np.bool_): "bool"}
cases = []


def tensor(x):
    x = np.asarray(x)
    elements = [repr(float(v)) if x.dtype == np.float32 else str(int(v)) for v in x.ravel()]
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

json.dump(cases, sys.stdout, indent=1)
print()
