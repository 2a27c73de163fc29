"""Writes the models that tests compare with byte by byte, with ONNX's own Python package (recorded with onnx 1.12).

    python3 record.py

sample.onnx has an attribute of each type, a left-out input, a scalar, integers, bools, a symbolic dimension;
outside.onnx is the same with one tensor's elements in a data file.
The cases tell apart: packed from unpacked lists, fields in another order, a scalar written as a list of one.
"""

import struct

import onnx
from onnx import TensorProto, helper


def tensor(name, dtype, dims, raw):
    return TensorProto(name=name, data_type=dtype, dims=dims, raw_data=raw)


def model(big):
    nodes = [
        helper.make_node(
            "Shape", ["x", "", "big"], ["a"], name="/m/first",
            axes=[1, -2, 300], factor=0.25, mode="nearest", rates=[0.5, -1.5], start=-7,
        ),
        helper.make_node("Mix", ["a", "one", "counts", "flags"], ["y", "z"], name="/m/second"),
    ]
    graph = helper.make_graph(
        nodes, "sample",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "height/8", 4])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, []),
            helper.make_tensor_value_info("z", TensorProto.INT64, [2]),
        ],
        [
            big,
            tensor("one", TensorProto.FLOAT, [], struct.pack("<f", 1.5)),
            tensor("counts", TensorProto.INT64, [3], struct.pack("<3q", -1, 2, 1 << 40)),
            tensor("flags", TensorProto.BOOL, [2], b"\1\0"),
        ],
        value_info=[helper.make_tensor_value_info("a", TensorProto.BOOL, [2, "height/8"])],
    )
    m = onnx.ModelProto(ir_version=8, producer_name="ysc2onnx", producer_version="1.2.3", graph=graph)
    m.opset_import.add().version = 17
    helper.set_model_props(m, {"stride": "32", "names": "{0: 'Größe'}"})
    return m


elements = struct.pack("<512f", *[i * 0.5 - 3 for i in range(512)])
with open("sample.onnx", "wb") as f:
    f.write(model(tensor("big", TensorProto.FLOAT, [8, 64], elements)).SerializeToString())

outside = TensorProto(name="big", data_type=TensorProto.FLOAT, dims=[8, 64], data_location=TensorProto.EXTERNAL)
for key, value in ("location", "sample.data"), ("offset", "0"), ("length", "2048"):
    outside.external_data.add(key=key, value=value)
with open("outside.onnx", "wb") as f:
    f.write(model(outside).SerializeToString())
