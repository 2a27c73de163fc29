"""Loading of the stand-in's checkpoints, with the signature that YOLOv5's function has had since v6.0."""
import torch


def attempt_load(weights, device=None, inplace=True, fuse=True):
    if fuse:
        raise NotImplementedError("the comparison is of the model as it was trained")
    return torch.load(weights, map_location="cpu")["model"].eval()
