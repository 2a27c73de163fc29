#!/usr/bin/env python3
"""Write cases/*.npz: single modules of PyTorch with weights, input and output, small enough to commit.

    record_cases.py --yolov5 DIR

DIR is a checkout of YOLOv5 v7.0. Each file holds `x` (or `x0`, `x1`, ... for a module that reads several layers), `y`,
`p.<state_dict name>` for every parameter and buffer, and `meta`, a JSON text with:

    module    the name as it stands in a YAML row
    args, n   the row's arguments and number, after scaling by width and depth: literals, torch.nn calls as text; null where
              the wiring has no row for the call (an ScConv whose group_num is not its channel count)
    call      what the constructor gets: (c1, c2, ...) with n put third for C3 and C3_ScConv
    c1        channels of the input, or of each input
    stride    Detect only: pixels per cell of each level (p.anchors is already divided by it)
    flavour   ScConv's formula, softmax where there is none
    keys      true where the parameters are to tell what the module is, as those of a checkpoint do
    tells     the two readings that this case tells apart
    pickled   by path, class and attributes of the modules that a checkpoint would name

Inputs are not square and have a batch of 2. Weights, biases, batch-norm statistics and inputs come from NumPy's
PCG64 generator, seeded with the case's name, so that neither PyTorch's version nor the order of the cases matters.
"""
import argparse
import json
import zlib
from pathlib import Path

import numpy as np
import training_code as code
import fork_backbones
import fork_blocks
import fork_contexts
import fork_heads
import fork_transformers
import torch_model
from fork_cases import FORK_CASES
from training_code import fork_attention, torch_modules

torch, nn = torch_modules.torch, torch_modules.nn
HERE = Path(__file__).parent / "cases"
SIZE = 6, 10  # height and width of most inputs
P3, P4, P5 = [10, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]

# name, module, c1, the row's arguments, what it tells apart, options: n (the row's number, 1), size (one, or one per input),
# gate (an ScConv channel pushed over the gate), low (a bias set to -2), flip (a weight whose every second element is
# negated), stride (of Detect's levels), flavour (of ScConv), keys (the
# parameters tell what a checkpoint holds), as (the class whose code it is), wrapped (SCConv of Conv), flat (what inputs are scaled by),
# hidden (channels of a DecoupledHead), plain (weights of an ASFFV5 by a plain convolution), act (of a checkpoint, in the place of the row's; activations is utils.activations), holds (attributes that a checkpoint has of it), spread (of the batch norm's weights, 1; of a softmax's logits)
CASES = [
    ("conv_k6s2p2", "Conv", 3, [8, 6, 2, 2], "padding 2 as given, against k//2 = 3"),
    ("conv_k1", "Conv", 8, [8], "the defaults k=1, s=1, SiLU, against a missing activation; BN eps 1e-3 against 1e-5"),
    ("conv_k3s2", "Conv", 8, [16, 3, 2], "symmetric padding 1 with stride 2, against TensorFlow's SAME, which pads below and right only"),
    ("conv_k3s2_odd", "Conv", 4, [8, 3, 2], "odd sizes with stride 2: rounding down to 4x6, against up", {"size": (7, 11)}),
    ("conv_k2", "Conv", 4, [8, 2], "an even kernel grows the map by one: k//2 = 1 on both sides, against a kept size"),
    ("conv_k_pair", "Conv", 4, [8, [1, 3], [1, 2]], "kernel and stride as [height, width], against [width, height]"),
    ("conv_groups", "Conv", 8, [16, 3, 1, None, 4], "4 groups with p=None, against one group and a padding of 0"),
    ("conv_dilation", "Conv", 4, [8, 3, 1, None, 1, 2], "padding 2 from the dilated kernel, against 1 from the plain one"),
    ("conv_act_false", "Conv", 4, [8, 1, 1, None, 1, 1, False], "no activation, against SiLU"),
    ("conv_leaky", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.LeakyReLU(0.1)"], "slope 0.1, against LeakyReLU's default of 0.01"),
    ("conv_hardswish", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Hardswish()"], "x * relu6(x + 3) / 6, against SiLU"),
    ("conv_relu", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.ReLU()"], "ReLU, against SiLU"),
    ("conv_sigmoid", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Sigmoid()"], "the sigmoid alone, against SiLU", {"spread": 0.2}),
    ("conv_mish", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Mish()"], "x * tanh(softplus(x)), against SiLU"),
    ("conv_relu6", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.ReLU6()"], "cut off at 6, against ReLU", {"spread": 4}),
    ("conv_hardtanh", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Hardtanh(-0.5, 0.75)"], "bounds as given, against -1 and 1", {"spread": 0.2}),
    ("conv_elu", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.ELU(0.5)"], "alpha 0.5, against 1"),
    ("conv_celu", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.CELU(0.5)"], "exp(x / alpha), against ELU's exp(x)"),
    ("conv_selu", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.SELU()"], "scaled on both sides of 0, against ELU"),
    ("conv_gelu", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.GELU()"], "by erf, against the approximation by tanh"),
    ("conv_gelu_tanh", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.GELU('tanh')"], "by tanh, against erf"),
    ("conv_tanh", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Tanh()"], "tanh, against the sigmoid", {"spread": 0.2}),
    ("conv_hardsigmoid", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Hardsigmoid()"], "slope 1/6, against ONNX's default of 0.2"),
    ("conv_log_sigmoid", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.LogSigmoid()"], "ln(sigmoid(x)), against its negative"),
    ("conv_softplus", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Softplus()"], "ln(1 + exp(x)), also of large x", {"spread": 40}),
    ("conv_softplus_beta", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Softplus(2, 1)"], "beta 2 divides again; x itself over the threshold of 1, against 20"),
    ("conv_softsign", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.Softsign()"], "x / (1 + |x|), against tanh", {"spread": 0.2}),
    ("conv_prelu", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.PReLU()"], "one trained slope, against 0.25"),
    ("conv_prelu_channels", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.PReLU(8)"], "a slope for each channel, against for each column"),
    ("conv_trained_prelu", "Conv", 4, [8], "num_parameters of a checkpoint", {"act": "nn.PReLU(8)"}),
    ("conv_trained_leaky", "Conv", 4, [8], "negative_slope of a checkpoint, against 0.01 and the row's SiLU", {"act": "nn.LeakyReLU(0.3)"}),
    ("conv_trained_softplus", "Conv", 4, [8], "beta and threshold of a checkpoint", {"act": "nn.Softplus(2, 1)"}),
    ("conv_trained_gelu", "Conv", 4, [8], "approximate of a checkpoint, a text", {"act": "nn.GELU('tanh')"}),
    ("conv_trained_relu6", "Conv", 4, [8], "min_val and max_val of a checkpoint", {"act": "nn.ReLU6()", "spread": 4}),
    ("conv_frelu", "Conv", 4, [8], "max(x, bn(conv(x))), depthwise, against ReLU", {"act": "activations.FReLU(8)"}),
    ("conv_own_silu", "Conv", 4, [8, 1, 1, None, 1, 1, "nn.ReLU()"], "YOLOv5's own class of a checkpoint, against the row's", {"act": "activations.SiLU()"}),
    ("conv_own_hardswish", "Conv", 4, [8], "YOLOv5's own class, against torch.nn's", {"act": "activations.Hardswish()"}),
    ("conv_own_mish", "Conv", 4, [8], "YOLOv5's own class, against torch.nn's", {"act": "activations.Mish()"}),
    ("conv_efficient_mish", "Conv", 4, [8], "Mish under another name", {"act": "activations.MemoryEfficientMish()"}),
    ("bottleneck", "Bottleneck", 8, [8], "the input added after the second activation, against before it"),
    ("bottleneck_plain", "Bottleneck", 8, [8, False], "no shortcut though the channels agree, against one"),
    ("bottleneck_widen", "Bottleneck", 8, [12], "no shortcut because the channels differ, against an error or a broadcast"),
    ("bottleneck_groups", "Bottleneck", 8, [8, True, 2, 1.0], "groups in the 3x3 convolution only, against both; e=1 keeps all channels"),
    ("c3", "C3", 8, [16], "cv3(cat(m(cv1), cv2)), against the two branches swapped; two bottlenecks with shortcuts", {"n": 2}),
    ("c3_plain", "C3", 8, [8, False], "shortcut=False reaches the bottlenecks, against their default", {"n": 2}),
    ("c3_wide", "C3", 8, [8, True, 2, 0.75], "e=0.75 gives 6 hidden channels and the bottleneck's own e is 1, against 0.75; groups 2"),
    ("sppf", "SPPF", 8, [8, 5], "pools one after another, padded with minus infinity, against with 0", {"low": "cv1.bn.bias"}),
    ("sppf_k3", "SPPF", 8, [12, 3], "k=3 with padding 1, against the default of 5"),
    ("upsample", "nn.Upsample", 4, [None, 2, "nearest"], "nearest by floor (each pixel twice), against rounding half up, which shifts by one"),
    ("concat", "Concat", (2, 3, 5), [1], "three inputs in the order of `from`, against sorted or reversed"),
    ("scconv", "ScConv", 32, [32], "no channel over the gate: the halves swap, against staying"),
    ("scconv_groups_c", "ScConv", 32, [32], "c2 becomes group_num: one group per channel, against the default of 16", {"gate": 12}),
    ("scconv_gate", "ScConv", 32, [32], "gamma[5] over the gate: that channel stays in its half, against moving with the others", {"gate": 5}),
    ("scconv_gate_high", "ScConv", 32, [32], "the same in the second half of the channels", {"gate": 21}),
    ("scconv_low_gate", "ScConv", 16, [16, 0.05], "gate_treshold=0.05 lets several channels through, against 0.5"),
    ("scconv_alpha", "ScConv", 32, [32, 0.5, 0.25], "alpha=0.25: 8 channels up and 24 low, against half and half"),
    ("scconv_squeeze", "ScConv", 32, [32, 0.5, 0.5, 4], "squeeze_radio=4, against 2"),
    ("scconv_kernel", "ScConv", 32, [32, 0.5, 0.5, 2, 4, 5], "group_size=4 and group_kernel_size=5 with padding 2, against 2 and 3"),
    ("scconv_groups_default", "ScConv", 32, None, "the default of 16 groups, against one per channel", {"call": [32], "gate": 12}),
    ("scconv_groups_16", "ScConv", 64, None, "16 groups of 4 channels; deviation over n-1, against n, on a 2x3 map, where it is large",
     {"call": [64, 16], "size": (2, 3), "gate": 40}),
    ("c3_scconv", "C3_ScConv", 16, [32], "m is two ScConv of 16 groups on 16 channels, against bottlenecks", {"n": 2}),
    ("c3_scconv_false", "C3_ScConv", 32, [32, False], "shortcut=False does nothing, against n = False = no ScConv inside"),
    ("scconv_bare", "ScConv", 32, [], "a row without arguments: 16 groups, against as many as channels", {"gate": 5}),
    ("scconv_mask", "ScConv", 32, [], "gamma / sum(gamma) and gates of the input by r, against softmax(gamma) and r·x", {"flavour": "mask"}),
    ("scconv_mask_groups", "ScConv", 16, [16, 0.52], "a threshold of 0.52; one group per channel", {"flavour": "mask"}),
    ("scconv_normmask", "ScConv", 32, [], "the normalised map gated, against the input; 4 groups, against 16", {"flavour": "normmask"}),
    ("scconv_where", "ScConv", 32, [], "r itself where the gate is closed, 1 and 0 where it is open; the biased variance, eps in the root", {"flavour": "where"}),
    ("scconv_where_flat", "ScConv", 32, [], "eps 1e-5 in the root counts in nearly flat maps, against 1e-10 beside it", {"flavour": "where", "flat": 0.003}),
    ("scconv_where_groups", "ScConv", 16, [16, 0.48], "a threshold of 0.48; one group per channel", {"flavour": "where"}),
    ("scconv_keys_normmask", "ScConv", 32, [], "gn.weight of rank 3 tells, against the default", {"flavour": "normmask", "keys": True}),
    ("scconv_keys_where", "ScConv", 32, [], "gn.weight of rank 1 tells, against the default", {"flavour": "where", "keys": True}),
    ("c3_scconv_mask", "C3_ScConv", 16, [32], "mask in a block, with its 16 groups", {"n": 2, "flavour": "mask"}),
    ("c3_scconv_where", "C3_ScConv", 16, [32], "where in a block, with its 4 groups", {"n": 2, "flavour": "where"}),
    ("c3_s", "C3_S", 16, [32], "bottlenecks with a 1x1 Conv before and the input added, against ScConv alone", {"n": 2}),
    ("c3_s_plain", "C3_S", 16, [32, False], "no shortcut", {"n": 2}),
    ("c3_scsc", "C3_ScSCConv", 16, [32], "a 1x1 Conv behind the ScConv, before the input is added", {"n": 2}),
    ("c2f_scconv", "C2f_ScConv", 16, [32], "two halves and what each bottleneck gives, side by side; 3x3 before the ScConv", {"n": 2}),
    ("c2f_scconv_add", "C2f_ScConv", 16, [32, True], "the shortcut, which C2f leaves out by default", {"n": 1, "flavour": "where", "keys": True}),
    ("scconv_named_otherwise", "SCConv", 32, [32], "keys of ScConv under another's name", {"keys": True, "as": "ScConv"}),
    ("self_calibrated", "SCConv", 6, [6], "x and the map of lower resolution added before the sigmoid, k3 gated, then k4", {"size": (8, 12)}),
    ("self_calibrated_odd", "SCConv", 6, [6, 2, 1, 2, 2], "stride 2 in k4 alone, 2 groups, pooling by 2; 7x11 from 3x5 by the pixel before", {"size": (7, 11)}),
    ("self_calibrated_size", "SCConv", 2, [2], "114 pixels of 28: the place by i·(28/114), against i/(114/28)", {"size": (114, 9)}),
    ("self_calibrated_conv", "SCConv", 6, [6], "the convolutions inside of Conv, without activation", {"size": (8, 12), "keys": True, "wrapped": True}),
    ("c3_self_calibrated", "C3_SCConv", 8, [16], "bottlenecks of 1x1 Conv and SCConv, the input added", {"n": 2, "size": (8, 12)}),
    ("c2f_self_calibrated", "C2f_SCConv", 8, [16], "bottlenecks of 3x3 Conv and SCConv, nothing added", {"n": 2, "size": (8, 12)}),
    ("dwconv", "DWConv", 8, [16, 3, 2], "gcd(8, 16) = 8 groups, against one, or 16"),
    ("dwconv_gcd", "DWConv", 12, [8, 3, 1, 2, False], "gcd(12, 8) = 4 groups, dilation 2, no activation: the fourth argument is d, against g"),
    ("focus", "Focus", 3, [8, 3], "pixels (0,0), (1,0), (0,1), (1,1), row before column, against columns first", {"size": (8, 12)}),
    ("spp", "SPP", 8, [12], "the windows 5, 9, 13 side by side on y, against one after another", {"low": "cv1.bn.bias"}),
    ("spp_k", "SPP", 8, [12, [3, 7]], "two windows of 3 and 7, against the default of three"),
    ("c3spp", "C3SPP", 8, [16, [3, 5]], "the third argument is k, against n"),
    ("bottleneck_csp", "BottleneckCSP", 8, [16], "the norm over both branches, m's before x's; cv2 and cv3 without norm or activation", {"n": 2}),
    ("bottleneck_csp_plain", "BottleneckCSP", 8, [12, False, 1, 0.75], "no shortcut inside, 9 hidden channels, against 6"),
    ("cross_conv", "CrossConv", 8, [12, 3, 2], "1xk and stride 1x2 first, then kx1 and 2x1, against the other way round"),
    ("cross_conv_add", "CrossConv", 8, [8, 5, 1, 2, 0.5, True], "the shortcut, groups in the second convolution only, 4 hidden channels"),
    ("c3x", "C3x", 8, [16], "CrossConv with shortcuts inside, against Bottlenecks", {"n": 2}),
    ("ghost_conv", "GhostConv", 8, [16, 3, 2], "the depthwise kernel is 5 whatever k is, against k; cv1's channels come first, against cv2's"),
    ("ghost_bottleneck", "GhostBottleneck", 8, [8], "the input added, no activation after the second GhostConv"),
    ("ghost_bottleneck_s2", "GhostBottleneck", 8, [12, 3, 2], "depthwise convolutions without activation in both ways at stride 2"),
    ("c3ghost", "C3Ghost", 8, [16], "two GhostBottlenecks of 8 channels, against Bottlenecks", {"n": 2}),
    ("c3tr", "C3TR", 8, [16], "two layers of four heads of 2 channels; the linear embedding is added, against put in its place", {"n": 2}),
    ("mix_conv", "MixConv2d", 8, [12, [1, 3, 5]], "4 channels for each kernel, groups gcd(8, 4), SiLU behind the norm"),
    ("mix_conv_uneven", "MixConv2d", 6, [11, [1, 3], 2], "11 channels in two shares as linspace cuts them, 6 and 5, against 5 and 6"),
    ("contract", "Contract", 3, [2], "the place in the square before the channel, against behind it"),
    ("expand", "Expand", 12, [2], "the place in the square before the channel, against behind it"),
    ("sum", "Sum", (4, 4, 4), [3], "three maps added"),
    ("sum_weight", "Sum", (4, 4, 4), [3, True], "2 sigmoid(w) of all but the first, against of all"),
    ("torch_conv", "nn.Conv2d", 4, [4, 6, 3, 2, 1, 1, 2], "bias as PyTorch's default, 2 groups, padding as given"),
    ("torch_conv_plain", "nn.Conv2d", 4, [4, 4, [3, 1], 1, [1, 0], [1, 2], 1, False], "kernel, padding and dilation as [height, width]; no bias"),
    ("torch_max_pool", "nn.MaxPool2d", 4, [3], "the stride is the kernel, against 1", {"size": (7, 11)}),
    ("torch_max_pool_pad", "nn.MaxPool2d", 4, [3, 2, 1], "padded with minus infinity, rounded down"),
    ("torch_zero_pad", "nn.ZeroPad2d", 4, [[0, 1, 2, 3]], "left, right, top, bottom, against top first"),
    ("torch_zero_pad_all", "nn.ZeroPad2d", 4, [1], "1 on all sides"),
    ("torch_batch_norm", "nn.BatchNorm2d", 6, [], "its input's channels are its argument"),
    ("torch_identity", "nn.Identity", 4, [], "nothing is done"),
    ("torch_conv_transpose", "nn.ConvTranspose2d", 4, [6, 4, 2, 1], "the weight is [in, out, h, w], against [out, in, h, w]"),
    ("torch_conv_transpose_more", "nn.ConvTranspose2d", 4, [8, 3, 2, 1, 1, 4, False, 2], "output_padding 1, 4 groups, no bias, dilation 2"),
    ("dwconv_transpose", "DWConvTranspose2d", 8, [8, 4, 2, 1], "8 groups with a bias, against one"),
    ("shuffle_stem", "conv_bn_relu_maxpool", 3, [8], "strides 2 and 2, ReLU before the pooling; odd sizes rounded up", {"size": (10, 14)}),
    ("shuffle_block", "Shuffle_Block", 8, [8, 1], "the first half kept, the second changed, then channels taken in turn"),
    ("shuffle_block_s2", "Shuffle_Block", 6, [16, 2], "both branches of all channels, no activation after depthwise convolutions; branch1's channels first"),
    ("sppcspc", "SPPCSPC", 8, [12], "5, 9, 13 side by side; n is not a repeat; int(2·c2·0.5) hidden channels", {"n": 2, "low": "cv4.bn.bias"}),
    ("sppcspc_k", "SPPCSPC", 6, [8, False, 1, 0.25, [3, 5]], "e 0.25 and two windows; pooled maps first, then cv2's"),
    ("sppfcspc", "SPPFCSPC", 8, [12, False, 1, 0.5, 3], "one window three times, against side by side", {"low": "cv4.bn.bias"}),
    ("bifpn_add2", "BiFPN_Add2", (6, 6), [6, 6], "w / (Σw + 1e-4), SiLU before the convolution, against behind it"),
    ("bifpn_add3", "BiFPN_Add3", (6, 6, 6), [6, 6], "three weights, one of them negative, against cut off at 0"),
    ("bifpn_concat2", "BiFPN_Concat2", (3, 5), [1], "weights before joining, in the order of the inputs"),
    ("bifpn_concat3", "BiFPN_Concat3", (3, 2, 4), [1], "three weights, one of them negative, against cut off at 0"),
    ("concat_bifpn", "Concat_bifpn", (6, 6), [6, 6], "w1 for two maps; ReLU before the Conv, against SiLU"),
    ("concat_bifpn3", "Concat_bifpn", (6, 6, 6), [6, 6], "w2 for three maps"),
    ("concat_bifpn_weight", "Concat_bifpn", (6, 6), [6, 6], "w1_weight, which the keys tell, against w1", {"as": "Concat_bifpn_weight", "keys": True}),
    ("c2f", "C2f", 8, [16, True], "two 3x3 convolutions in each bottleneck, the input added", {"n": 2}),
    ("c2f_plain", "C2f", 8, [16, False, 2], "no shortcut; groups in the second convolution only", {"n": 2}),
    ("c2f_1x1", "C2f", 8, [16, True], "a 1x1 convolution first, as the keys tell", {"n": 2, "as": "C2f_yolov5", "keys": True}),
    ("space_to_depth", "space_to_depth", 3, [1], "down before right, against right before down; the place before the channel"),
    ("shuffle_v2", "ShuffleV2Block", 8, [8, 1], "SiLU, against ReLU"),
    ("shuffle_v2_s2", "ShuffleV2Block", 6, [16, 2], "SiLU in both branches, against ReLU"),
    ("stem_block", "StemBlock", 3, [8], "the convolutions' channels first, then the pooled ones", {"size": (12, 20)}),
    ("stem_block_odd", "StemBlock", 3, [8], "maps of 3x5 rounded up to 2x3 by the pooling, as by the convolution, against down", {"size": (6, 10)}),
    ("blaze_block", "BlazeBlock", 6, [6], "the input added before the activation"),
    ("blaze_block_s2", "BlazeBlock", 6, [8, 12, 2], "12 channels in the middle by 6 groups; the input pooled, then convolved"),
    ("double_blaze_block", "DoubleBlazeBlock", 6, [6, 4], "the second 5x5 convolution over all channels, against depthwise; SiLU once inside"),
    ("double_blaze_block_s2", "DoubleBlazeBlock", 6, [8, None, 2], "6 channels in the middle, stride in the first convolution"),
    ("gsconv", "GSConv", 6, [12, 3, 2], "even channels before odd ones, against the two halves in turn"),
    ("gsconv_plain", "GSConv", 6, [12, 1, 1, 1, False], "no activation in either convolution"),
    ("vov_gscsp", "VoVGSCSP", 8, [16], "cv2's channels first; no activation behind the bottlenecks' sums; res left out", {"n": 2}),
    ("vov_gscsp_single", "VoVGSCSP", 8, [16], "one bottleneck by itself with half of the channels inside, as the keys tell", {"as": "VoVGSCSP_single", "keys": True}),
    ("repconv", "RepConv", 8, [8], "the norm of the input added, one activation behind the sum"),
    ("repconv_s2", "RepConv", 8, [12, 3, 2, None, 2, "nn.ReLU()"], "no third branch; stride 2 in the 1x1 convolution without padding; 2 groups"),
    ("repconv_fused", "RepConv", 8, [8], "one convolution with a bias, as the keys tell", {"as": "RepConv_fused", "keys": True}),
    ("repvgg_block", "RepVGGBlock", 8, [8, 3, 1], "conv and bn by name, ReLU, against SiLU"),
    ("carafe", "CARAFE", 6, [3, 5, 8, 2], "softmax over the window, against over the four pixels of a place; the map's edge is 0", {"size": (5, 7), "spread": 0.02}),
    ("carafe_k", "CARAFE", 4, [1, 3, 8, 3], "k_enc 1 and k_up 3, against the other way round; upsampled by 3", {"size": (4, 5), "spread": 0.1}),
    ("carafe_down", "CARAFE", 8, [12, 3, 2], "plain convolutions with biases, the last one behind the sum", {"size": (5, 7), "as": "CARAFE_down"}),
    ("cbam", "CBAM", 32, [32], "channels before places, mean before maximum, 7x7, no bias, 2 hidden channels"),
    ("cbam_args", "CBAM", 16, [16, 4, 3], "a ratio of 4 and a kernel of 3, against 16 and 7"),
    ("cbam_bare", "CBAM", 16, [], "a row without arguments, against one that needs the channels"),
    ("cbam_keys_fc", "CBAM", 32, [32], "fc1, fc2 and conv1 tell, against f1, f2 and conv", {"keys": True, "as": "CBAM_FC"}),
    ("cbam_keys_ca", "CBAM", 32, [32, 8], "ca and sa tell; 4 hidden channels", {"keys": True, "as": "CBAM_CA"}),
    ("cbam_keys_mlp", "CBAM", 32, [32], "shared_MLP and conv2d tell; a bias over places", {"keys": True, "as": "CBAM_MLP"}),
    ("coord_att", "CoordAtt", 16, [16], "rows by conv_h, columns by conv_w; 8 hidden channels at least; h-swish, against ReLU"),
    ("coord_att_reduction", "CoordAtt", 48, [48, 4], "12 hidden channels of a reduction by 4, against 8"),
    ("coord_att_keys", "CoordAtt", 16, [16], "conv2 and conv3 tell, against conv_h and conv_w", {"keys": True, "as": "CoordAtt23"}),
    ("se", "SE", 32, [32], "a sixteenth, no bias, sigmoid"),
    ("se_ratio", "SE", 16, [16, 2], "8 hidden channels, against 1"),
    ("se_layer", "SELayer", 16, [16], "a quarter, biases, relu6(x + 3) / 6, against the sigmoid"),
    ("se_attention", "SEAttention", 32, [32], "a sixteenth, no bias, in a Sequential, sigmoid"),
    ("se_keys", "SE", 32, [32], "fc.0 without a bias tells, against l1", {"keys": True, "as": "SEAttention"}),
    ("eca", "ECA", 16, [16], "the convolution is along the channels, 3 wide, padded by 1, against one of pixels"),
    ("eca_k", "ECA", 16, [16, 5], "5 wide, against 3"),
    ("simam", "SimAM", 6, [], "the sum of squares over n - 1, four times, and 0.5 added", {"size": (3, 4)}),
    ("simam_lambda", "SimAM", 6, [0.3], "a small number is the lambda, against the channels", {"size": (3, 4)}),
    ("simam_channels", "SimAM", 6, [6, 0.3], "the lambda follows the channels", {"size": (3, 4)}),
    ("gam", "GAM", 8, [8], "no sigmoid behind the perceptron; one behind the convolutions"),
    ("gam_rate", "GAM", 12, [12, 2], "6 hidden channels, against 3"),
    ("nam", "NAM", 8, [8], "scales absolute and divided by their sum, against as they are", {"flip": "Channel_Att.bn2.weight"}),
    ("shuffle_attention", "ShuffleAttention", 32, [32], "8 groups, their first half by channel; every second channel after the shuffle"),
    ("shuffle_attention_groups", "ShuffleAttention", 16, [16, 16, 2], "2 groups, the reduction does nothing"),
    ("ema", "EMA", 32, [32], "8 groups; rows and columns through one convolution; each branch weighed by the other's means"),
    ("ema_factor", "EMA", 16, [16, 4], "4 groups, against 8"),
    ("c3cbam", "C3CBAM", 16, [32], "attention before the input is added; half of the channels inside", {"n": 2}),
    ("c3cbam_wide", "C3CBAM", 16, [32], "all channels inside, which the width of cv1 tells", {"n": 2, "keys": True, "as": "C3CBAM_Wide"}),
    ("cbam_c3", "CBAMC3", 16, [32], "attention behind cv3, plain bottlenecks inside", {"n": 2}),
    ("cbam_c3_keys", "C3CBAM", 16, [32], "attention behind cv3, which its tensors tell", {"n": 2, "keys": True, "as": "CBAMC3"}),
    ("c3se", "C3SE", 16, [32, False], "SE in the bottleneck, no shortcut", {"n": 2}),
    ("c3eca", "C3ECA", 8, [16], "ECA in the bottleneck", {"n": 2}),
    ("c3ca", "C3CA", 8, [16], "the rows and columns of what the convolutions give, against the input's", {"n": 2}),
    ("detect_2", "Detect", (4, 6), [2, [P4, P5]], "height and width not swapped; two levels", {"size": ((4, 6), (2, 3)), "stride": (16, 32)}),
    ("detect_3", "Detect", (4, 6, 8), [1, [P3, P4, P5]], "rows anchor by anchor within a level, against cell by cell",
     {"size": ((8, 12), (4, 6), (2, 3)), "stride": (8, 16, 32)}),
    ("detect_landmarks", "Detect", (4, 6), [2, [P4, P5]], "points in sizes of the anchor from the cell's corner, against from half a cell before; no "
     "sigmoid; x before y; before the scores", {"size": ((4, 6), (2, 3)), "stride": (16, 32), "as": "LandmarkDetect", "holds": ["no"]}),
    ("detect_quadrangles", "Detect", (4, 6), [1, [P4, P5]], "four points, against five", {
        "size": ((4, 6), (2, 3)), "stride": (16, 32), "as": "QuadrangleDetect", "holds": ["no"]}),
    ("detect_angles", "Detect", (3, 4), [2, [P4, P5]], "180 scores of angles behind those of classes, all with a sigmoid", {
        "size": ((2, 3), (1, 2)), "stride": (16, 32), "as": "RotatedDetect", "holds": ["no"]}),
    ("decoupled", "Decoupled_Detect", (4, 6), [2, [P4, P5]], "all boxes before all scores, taken for anchors as they come, against anchor by anchor; box and "
     "objectness from one branch", {"size": ((4, 6), (2, 3)), "stride": (16, 32), "keys": True, "hidden": 8}),
    ("decoupled_descent", "Decoupled_Detect", (24, 21), [2, [P4, P5]], "anchor by anchor; 21 and 18 inner channels of 24", {
        "size": ((4, 6), (2, 3)), "stride": (16, 32), "keys": True, "as": "DescentDetect"}),
    ("decoupled_stem", "Decoupled_Detect", (4, 6), [2, [P4, P5]], "lists of the head's own; anchor by anchor", {
        "size": ((4, 6), (2, 3)), "stride": (16, 32), "keys": True, "as": "StemDetect"}),
    ("asff", "ASFF_Detect", (4, 8, 16), [2, [P3, P4, P5]], "each level's own place in the weights; the finest map pooled, then its 3x3 convolution, for the "
     "coarsest", {"size": ((8, 12), (4, 6), (2, 3)), "stride": (8, 16, 32)}),
    ("asff_rfb", "ASFF_Detect", (4, 8, 16), [1, [P3, P4, P5]], "8 channels to make weights of, which the tensors tell; a plain convolution with bias", {
        "size": ((8, 12), (4, 6), (2, 3)), "stride": (8, 16, 32), "keys": True, "call": [1, [P3, P4, P5], [4, 8, 16], True], "plain": True}),
    ("idetect", "IDetect", (4, 6), [2, [P4, P5]], "added before the convolution, multiplied behind it, before the sigmoid", {
        "size": ((4, 6), (2, 3)), "stride": (16, 32)}),
    ("iauxdetect", "IAuxDetect", (4, 6, 5, 3), [2, [P4, P5]], "the first inputs alone, with their own convolutions", {
        "size": ((4, 6), (2, 3), (4, 6), (2, 3)), "stride": (16, 32)}),
    ("classify", "Classify", 4, [4, 3], "the mean of what the convolution gives, against the convolution of the mean; no softmax", {"stride": (32,)}),
    ("classify_two", "Classify", (4, 3), [7, 2, 1, 2], "two inputs side by side; stride 2", {"stride": (32,)}),
    ("segment", "Segment", (4, 6), [2, [P4, P5], 3, 8], "no sigmoid for the coefficients of masks, behind the scores of each anchor; prototypes of the first input",
     {"size": ((4, 6), (2, 3)), "stride": (16, 32)}),
    ("upsample_pair", "nn.Upsample", 4, [None, "(2, 3)", "nearest"], "height and width not swapped"),
    ("upsample_bilinear", "nn.Upsample", 4, [None, 2, "bilinear"], "corners not aligned: places at half pixels, against aligned"),
    ("upsample_bilinear_false", "nn.Upsample", 4, [None, "(2, 3)", "bilinear", False], "the same, said; height and width not swapped"),
    ("upsample_bilinear_aligned", "nn.Upsample", 4, [None, 2, "bilinear", True], "corners aligned, against places at half pixels"),
]


HEADS = {"Detect", "Segment", "Decoupled_Detect", "ASFF_Detect", "IDetect", "IAuxDetect"}

# What parse_model calls with (c1, c2, ...), and what it gives the number of repeats as well (models/yolo.py).
REPEATING = {"BottleneckCSP", "C3", "C3TR", "C3Ghost", "C3x", "SPPCSPC", "SPPFCSPC", "C2f", "VoVGSCSP"} | {
    cls.__name__ for cls in (*torch_modules.SCCONV_BLOCKS, *fork_attention.BLOCKS, *fork_backbones.REPEATING, *fork_transformers.REPEATING)}
SCALED = REPEATING | {"Conv", "GhostConv", "Bottleneck", "GhostBottleneck", "SPP", "SPPF", "DWConv", "MixConv2d", "Focus", "CrossConv", "C3SPP",
                      "nn.ConvTranspose2d", "DWConvTranspose2d", "ScConv", "SCConv", "conv_bn_relu_maxpool", "Shuffle_Block", "ShuffleV2Block", "StemBlock", "BlazeBlock", "DoubleBlazeBlock",
                      "GSConv", "RepConv", "RepVGGBlock"} | {cls.__name__ for cls in (*fork_attention.ATTENTION, *fork_backbones.SCALED, *fork_contexts.SCALED)}


# Modules whose convolutions are fitted to what they read, so that no softmax or sigmoid behind them saturates.
CALIBRATED = {"Decoupled_Detect", "ASFF_Detect", "C3_DCN"} | {cls.__name__ for cls in fork_transformers.REPEATING}


def seed(module, draw, gate):
    """Weights with PyTorch's usual spread, and biases and statistics that a wrong formula cannot hide behind."""
    def put(target, values):
        target.data.copy_(torch.from_numpy(values.astype(np.float32)))

    for m in module.modules():
        if isinstance(m, nn.Conv2d):
            bound = 1 / np.sqrt(m.weight[0].numel())
            put(m.weight, draw.uniform(-3 * bound, 3 * bound, m.weight.shape))
            if m.bias is not None:
                put(m.bias, 0.3 * draw.standard_normal(m.bias.shape))
        elif isinstance(m, nn.BatchNorm2d):
            m.eps = 1e-3
            put(m.weight, 1 + 0.2 * draw.standard_normal(m.weight.shape))
            put(m.bias, 0.2 * draw.standard_normal(m.bias.shape))
            put(m.running_mean, 0.2 * draw.standard_normal(m.running_mean.shape))
            put(m.running_var, 10 ** draw.uniform(-3, 0.5, m.running_var.shape))  # small ones show a wrong eps
        elif isinstance(m, (nn.ConvTranspose2d, nn.Linear, nn.MultiheadAttention, nn.PReLU, nn.Conv1d, fork_attention.ShuffleAttention)):
            for p in m.parameters(recurse=False):
                put(p, draw.standard_normal(p.shape) * (0.3 if p.dim() < 2 else 0.4 * p[0].numel() ** -0.5))
        elif isinstance(m, (torch_modules.GroupBatchnorm2d, nn.GroupNorm, nn.LayerNorm, fork_backbones.LayerNorm_s)):
            scale, shift = m.parameters()
            put(scale, draw.standard_normal(scale.shape))
            put(shift, 0.3 * draw.standard_normal(shift.shape))
            if gate is not None:
                m.gamma.data.mul_(0.3).sub_(3)
                m.gamma.data[gate] = 2.0  # softmax gives it more than a half, and its sigmoid does not saturate
        elif isinstance(m, fork_blocks.Fusion):
            for p in m.parameters(recurse=False):
                put(p, np.array([0.9, 1.7, -0.4][:len(p)]) + 0.1 * draw.standard_normal(p.shape))
        else:
            for p in m.parameters(recurse=False):
                put(p, 0.3 * draw.standard_normal(p.shape))


def gate_distances(module):
    """A list to which each run of a module adds how near r comes to the threshold where elements of it are gated."""
    distances = []
    for m in module.modules():
        if isinstance(m, torch_modules.SRU) and m.flavour != "softmax":
            m.sigomid.register_forward_hook(lambda _, __, r, gate=m.gate_treshold: distances.append(float((r - gate).abs().min())))
    return distances


def construct(yolo, module, call, stride):
    """The module that parse_model builds with these arguments."""
    if module.startswith("nn."):
        return getattr(nn, module[3:])(*call)
    for forks in (fork_blocks, fork_backbones, fork_contexts, fork_transformers):
        if hasattr(forks, module) and not hasattr(yolo, module):
            return getattr(forks, module)(*call)
    own = getattr(fork_heads, module, None) if module not in ("Detect", "Classify") else None
    if module not in HEADS and not own:
        return getattr(yolo, module)(*call)  # with what it imports of models.common and models.experimental
    head = (own or getattr(yolo, module))(*call)
    head.export = True  # without the maps that training reads
    head.stride = torch.tensor(stride, dtype=torch.float32)
    head.anchors /= head.stride.view(-1, 1, 1)
    return head


def pickled(path, module):
    """Class and attributes of a module and its children, by path, as a checkpoint keeps them."""
    found = {}
    for inner, m in module.named_modules(prefix=path):
        kept = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(m).items() if k[0] != "_" and k != "training"}
        found[inner] = {"class": f"{type(m).__module__}.{type(m).__qualname__}", "attributes": kept}
    return found


def record(yolo, name, module, c1, args, tells, options=None):
    """Build, seed and run one case, and write its file."""
    options = options or {}
    several = not isinstance(c1, int)
    widths = list(c1) if several else [c1]
    n, size, stride = options.get("n", 1), options.get("size", SIZE), options.get("stride")
    sizes = [size] * len(widths) if isinstance(size[0], int) else size
    call = options.get("call")
    if module in HEADS:
        call = call or [*args, widths]
    elif module in ("nn.BatchNorm2d", "CARAFE"):
        call = [c1, *args]
    elif module in SCALED and not call and not args and args is not None:
        call = [c1]
    elif module in SCALED and not call:
        call = [c1, args[0], *([n] if module in REPEATING else []), *args[1:]]
    call = args if call is None else call

    draw = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    torch_modules.SRU.flavour, torch_modules.SCConv.wrapped = options.get("flavour", "softmax"), options.get("wrapped", False)
    fork_heads.DecoupledHead.hidden, fork_heads.ASFFV5.plain = options.get("hidden", 256), "plain" in options
    built = construct(yolo, options.get("as", module), [torch_model.argument(a, {}) for a in call], stride).eval()
    if "act" in options:
        from utils import activations
        built.act = eval(options["act"], {"nn": nn, "activations": activations}).eval()
    seed(built, draw, options.get("gate"))
    if "spread" in options:
        getattr(built, "enc", built).bn.weight.data.mul_(options["spread"])
    if "flip" in options:
        built.get_parameter(options["flip"]).data[::2].neg_()
    if "low" in options:
        built.get_parameter(options["low"]).data.fill_(-2)
    if getattr(torch_modules, module, None) in torch_modules.SCCONV_BLOCKS:  # whose ScConv would count little beside its other branch
        code.calibrate(built, torch.from_numpy(draw.standard_normal((16, c1, *size)).astype(np.float32)))
    elif module in CALIBRATED:  # whose convolutions follow each other
        maps = [torch.from_numpy(draw.standard_normal((16, c, *size)).astype(np.float32)) for c, size in zip(widths, sizes, strict=True)]
        code.calibrate(built, maps if several else maps[0])
        for m in built.modules():
            if hasattr(m, "bn") and hasattr(m, "conv"):  # the same with small variances, which show a wrong eps
                for t, factor in ((m.conv.weight, 0.1), (m.bn.running_mean, 0.1), (m.bn.running_var, 0.01)):
                    t.data.mul_(factor)
    state = {f"p.{k}": v.numpy().copy() for k, v in built.state_dict().items() if not k.endswith(("num_batches_tracked", "relative_position_index"))}
    distances, near = gate_distances(built), True
    while near:  # inputs for which no runtime decides a gate otherwise: r is rounded to some 1e-7
        xs = [draw.standard_normal((2, c, *size)).astype(np.float32) for c, size in zip(widths, sizes, strict=True)]
        xs = [x * np.float32(options.get("flat", 1)) for x in xs]
        distances.clear()
        with torch.no_grad():
            tensors = [torch.from_numpy(x.copy()) for x in xs]
            y = built(tensors if several else tensors[0])
        near = min(distances, default=1) < 1e-6
    ys = [y] if torch.is_tensor(y) else y
    outputs = {"y" + str(i or ""): y.numpy() for i, y in enumerate(ys)}
    assert all(np.isfinite(y).all() for y in outputs.values()), name
    meta = {"module": module, "args": args, "n": n if args is not None else None, "call": call, "c1": c1, "tells": tells}
    meta |= {key: options[key] for key in ("stride", "flavour", "keys") if key in options}
    if "act" in options:
        meta["pickled"] = pickled("act", built.act)
    if "holds" in options:
        meta["pickled"] = {"model.0": {"class": f"models.yolo.{module}", "attributes": {key: getattr(built, key) for key in options["holds"]}}}
    inputs = {f"x{i}": x for i, x in enumerate(xs)} if several else {"x": xs[0]}
    np.savez_compressed(HERE / f"{name}.npz", **inputs, **outputs, **state, meta=np.array(json.dumps(meta)))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--yolov5", required=True, type=Path)
    yolo = code.load(ap.parse_args().yolov5)
    HERE.mkdir(exist_ok=True)
    for case in CASES + FORK_CASES:
        record(yolo, *case)


if __name__ == "__main__":
    main()
