"""Export a trained checkpoint as YOLOv5's own code does, in several ways, and plant faults into what comes out.

    foreign.py CHECKOUT CHECKPOINT FOLDER

CHECKOUT is one of YOLOv5 v7.0. Files named right-* compute what the checkpoint computes; of wrong-*, each has one fault. Those
with -renamed have names that say nothing, as exporters of PyTorch 2 give them.
"""
import copy
import sys
import types
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")
for name in ("seaborn", "IPython", "IPython.display"):  # plots are not drawn here
    sys.modules.setdefault(name, types.ModuleType(name))
sys.modules["IPython"].get_ipython = sys.modules["IPython.display"].display = lambda *_: None
checkout, checkpoint, folder = sys.argv[1:]
sys.path.insert(0, checkout)
FOLDER = Path(folder)

import numpy as np  # noqa: E402
import onnx  # noqa: E402
import torch  # noqa: E402
from models.experimental import attempt_load  # noqa: E402
from onnx import helper, numpy_helper  # noqa: E402


def export(name, fuse=True, dynamic=False, **options):
    model = attempt_load(checkpoint, fuse=fuse).float().eval()
    for m in model.modules():
        if isinstance(m, torch.nn.Upsample):
            m.recompute_scale_factor = None
    head = model.model[-1]
    head.export, head.inplace, head.dynamic = True, False, dynamic
    x = torch.zeros(1, 3, 96, 128)
    model(x)
    axes = {"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 1: "anchors"}} if dynamic else None
    path = FOLDER / f"{name}.onnx"
    torch.onnx.export(model, x, path, opset_version=12, input_names=["images"], output_names=["output0"], dynamic_axes=axes, **options)
    return onnx.load(path)


def save(name, model):
    onnx.save(model, FOLDER / f"{name}.onnx")


def renamed(model):
    model = copy.deepcopy(model)
    graph, names = model.graph, {}
    for i, node in enumerate(graph.node):
        node.name = f"n{i}"
        for k, value in enumerate(node.output):
            names[value] = value if value == "output0" else f"{node.op_type.lower()}_{i}_{k}"
    for i, t in enumerate(graph.initializer):
        names[t.name] = f"p_{i}"
        t.name = names[t.name]
    for node in graph.node:
        node.input[:] = [names.get(v, v) for v in node.input]
        node.output[:] = [names[v] for v in node.output]
    del graph.value_info[:]
    return model


def halved(model):
    """All of it in float16, but the sizes of Resize."""
    model = copy.deepcopy(model)
    graph = model.graph
    sizes = {v for node in graph.node if node.op_type == "Resize" for v in node.input[1:]}
    half = lambda t: t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(t).astype(np.float16), t.name))
    for t in graph.initializer:
        if t.data_type == 1 and t.name not in sizes:
            half(t)
    for node in graph.node:
        for a in node.attribute:
            if node.op_type == "Constant" and node.output[0] not in sizes and a.t.data_type == 1:
                half(a.t)
            if node.op_type == "Cast" and a.name == "to" and a.i == 1:
                a.i = 10
    for v in (*graph.input, *graph.output):
        v.type.tensor_type.elem_type = 10
    return model


def tensor(model, name):
    return next(t for t in model.graph.initializer if t.name == name)


def node(model, name):
    return next(n for n in model.graph.node if n.name == name)


def poke(name, change):
    def plant(model):
        t = tensor(model, name)
        a = numpy_helper.to_array(t).copy()
        change(a)
        t.CopyFrom(numpy_helper.from_array(a, name))
    return plant


def scale_one(a):
    a.flat[17] *= 1.02


def shift_one(a):
    a[5] += 1e-3


def concat(model):
    n = node(model, "/model.12/Concat")
    n.input[:] = list(n.input)[::-1]


def relu(model):
    n = node(model, "/model.5/act/Mul")
    n.op_type = "Relu"
    n.input[:] = n.input[:1]


def pool(model):
    n = next(n for n in model.graph.node if n.op_type == "MaxPool")
    del n.attribute[:]
    n.attribute.extend([helper.make_attribute("kernel_shape", [3, 3]), helper.make_attribute("pads", [1] * 4), helper.make_attribute("strides", [1, 1])])


def anchor(model):
    """A twentieth more for one anchor of the finest level, wherever in the decode its sizes are."""
    for n in model.graph.node:
        for a in n.attribute:
            if n.op_type == "Constant" and n.name.startswith("/model.24/") and a.t.data_type == 1:
                v = numpy_helper.to_array(a.t).copy()
                if v.ndim == 5 and 10 in v and 13 in v:
                    v[v == 10] *= 1.05
                    a.t.CopyFrom(numpy_helper.from_array(v))
                    return
    for t in model.graph.initializer:
        v = numpy_helper.to_array(t).copy()
        if v.ndim == 5 and v.dtype == np.float32 and v.max() > 9:
            v[0, 0, ..., 0] *= 1.05
            t.CopyFrom(numpy_helper.from_array(v, t.name))
            return
    sys.exit("the anchors are not found")


def epsilon(model):
    """One convolution folded with eps 1e-5 for 1e-3."""
    trained = torch.load(checkpoint, map_location="cpu")
    trained = (trained.get("ema") or trained["model"]).float().eval()
    conv = trained.model[4].cv1
    s = conv.bn.weight / torch.sqrt(conv.bn.running_var + 1e-5)
    poke("model.4.cv1.conv.weight", lambda a: a.__setitem__(..., (conv.conv.weight * s[:, None, None, None]).detach().numpy()))(model)
    poke("model.4.cv1.conv.bias", lambda a: a.__setitem__(..., (conv.bn.bias - conv.bn.running_mean * s).detach().numpy()))(model)


def main():
    fused = export("right-fused")
    export("right-dynamic", dynamic=True)
    save("right-folded-by-the-exporter-renamed", renamed(export("right-folded-by-the-exporter", fuse=False)))
    save("right-unfused-renamed", renamed(export("right-unfused", fuse=False, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)))
    save("right-fused-renamed", renamed(fused))
    save("right-half", halved(fused))
    save("right-half-renamed", renamed(halved(fused)))
    for name, plant in {
        "weight": poke("model.6.m.1.cv1.conv.weight", scale_one), "bias": poke("model.8.cv3.conv.bias", shift_one), "concat": concat,
        "relu": relu, "pool": pool, "anchor": anchor, "epsilon": epsilon,
    }.items():
        model = copy.deepcopy(fused)
        plant(model)
        save(f"wrong-{name}", model)
        save(f"wrong-{name}-renamed", renamed(model))
        if name in ("weight", "concat", "relu", "pool"):
            save(f"wrong-{name}-half", halved(model))


main()
