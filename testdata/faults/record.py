#!/usr/bin/env python3
"""Write edge.pt, a state_dict for edge.yaml beside it, and edge.npz, what PyTorch computes with it.

edge.npz has `input` (2,3,32,64), `layer.<i>`, `output0`, and how far they are from float64. Two readings are told apart that trained models do not tell:

layer 1   softmax(gamma) gives two channels 0.5 to the bit, the gate's threshold: w > 0.5 leaves both closed, w >= 0.5
          opens both.
layer 3   its input has a standard deviation of some 1e-5: std + 1e-10 hardly differs from std, while an epsilon inside
          the root, as sqrt(var + 1e-10), is as large as what it protects.

The modules are those of verify/torch_modules.py. All numbers come from NumPy's PCG64 generator with a fixed seed.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "verify"))

import numpy as np  # noqa: E402
import parity_record  # noqa: E402
import torch  # noqa: E402
import yaml  # noqa: E402
from torch_model import build  # noqa: E402


def seed(model, draw):
    """Give every parameter and buffer a value that matters, then put the two ScConv on their edges."""
    def normal(like, scale, centre=0.0):
        return torch.from_numpy((centre + scale * draw.standard_normal(like.shape)).astype(np.float32))

    state = model.state_dict()
    for name, value in state.items():
        if name.endswith("running_var"):
            value.copy_(torch.from_numpy(10 ** draw.uniform(-2, 0.5, value.shape)))
        elif name.endswith("bn.weight"):
            value.copy_(normal(value, 0.2, 1))
        elif name.endswith(("bias", "running_mean", "beta", "gamma")):
            value.copy_(normal(value, 0.2))
        elif name.endswith("weight"):
            value.copy_(normal(value, 2 / value[0].numel() ** 0.5))
    tied = state["model.1.SRU.gn.gamma"]
    tied.sub_(130)
    tied[[3, 12]] = 2
    for name, faint in (("model.2.bn.weight", 1e-6), ("model.2.bn.bias", 1e-5), ("model.3.CRU.GWC.bias", 1e-5)):
        state[name].mul_(faint)
    state["model.3.SRU.gn.gamma"].sub_(3)[5] = 2
    assert torch.equal(torch.softmax(tied, 0)[[3, 12]].flatten(), torch.tensor([0.5, 0.5]))


def main():
    model = build(yaml.safe_load((HERE / "edge.yaml").read_text(encoding="utf-8")))
    draw = np.random.Generator(np.random.PCG64(2026))
    seed(model, draw)
    x = torch.from_numpy(draw.random((2, 3, 32, 64), dtype=np.float32))
    torch.save({k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}, HERE / "edge.pt")
    values = parity_record.record(model, x)
    assert all(np.isfinite(v).all() for v in values.values())
    assert 1e-6 < values["layer.2"].std() < 1e-4, values["layer.2"].std()
    np.savez_compressed(HERE / "edge.npz", **values)


if __name__ == "__main__":
    main()
