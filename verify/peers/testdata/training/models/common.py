"""The modules of a small stand-in for a YOLOv5 checkout: ours, under the names that a checkout gives them."""
from torch_modules import C3, CRU, CSP, SPPF, SRU, Bottleneck, C3_ScConv, Concat, Conv, GroupBatchnorm2d, ScConv

__all__ = ["C3", "CRU", "CSP", "SPPF", "SRU", "Bottleneck", "C3_ScConv", "Concat", "Conv", "GroupBatchnorm2d", "ScConv"]

for cls in (C3, CRU, CSP, SPPF, SRU, Bottleneck, C3_ScConv, Concat, Conv, GroupBatchnorm2d, ScConv):
    cls.__module__ = __name__  # a pickle refers to models.common.Conv
