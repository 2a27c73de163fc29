"""The model, of your training code's classes or of those of torch_modules.py, with weights. For parity.py."""
import contextlib
import importlib
import inspect
import os
import pickle
import re
import sys
import traceback
import types

import numpy as np
import torch
import torch.nn as nn

from parity_files import NO_WEIGHTS, Failure, note, plain_weights, write_safetensors


@contextlib.contextmanager
def training_code(folder):
    """Run code of a YOLOv5 checkout, its output on stderr; whatever it raises becomes a Failure that says where."""
    if not (folder / "models" / "yolo.py").is_file():
        raise Failure(f"{folder}: there is no models/yolo.py in it; --yolov5 takes the folder of your training code")
    without_plots()
    os.environ.setdefault("YOLOv5_AUTOINSTALL", "false")  # install nothing
    os.environ.setdefault("YOLOv5_VERBOSE", "false")
    os.environ.setdefault("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # code older than torch 2.6 loads objects without asking
    sys.path.insert(0, str(folder.resolve()))
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except Failure:
        raise
    except (Exception, SystemExit) as err:  # whatever code that is not ours raises
        raise Failure(explain(err, folder)) from err


def without_plots():
    """Stand in for what YOLOv5 imports for plots and notebooks only, where it is not installed."""
    for name in ("seaborn", "IPython", "IPython.display"):
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(get_ipython=lambda: None, display=lambda *things: None)


def explain(err, folder):
    """Say what training code, or a checkpoint that it does not fit, lacks."""
    lost = re.search(r"Can't get attribute '(\w+)' on <module '([\w.]+)'", str(err))
    if lost:
        return (f"{folder}: the checkpoint needs the class {lost[1]} of {lost[2]}, which is not in this code; "
                "pass the code that it was trained with")
    if isinstance(err, ModuleNotFoundError) and err.name:
        if err.name.split(".")[0] in ("models", "utils"):
            return f"{folder}: the module {err.name} is needed and not in this code; pass the code that trained it"
        return f"{folder}: the Python package {err.name} is needed and not installed; see the code's requirements.txt"
    if isinstance(err, (pickle.UnpicklingError, EOFError)):
        return f"the checkpoint cannot be read: {err}"
    at = [f for f in traceback.extract_tb(err.__traceback__) if str(folder.resolve()) in f.filename]
    where = f" (line {at[-1].lineno} of {at[-1].filename})" if at else ""
    return f"{folder}: the training code failed: {type(err).__name__}: {err}{where}"


def from_checkpoint(folder, path):
    """The model in a checkpoint, unpickled and mended by its training code's attempt_load, with its batch norms unfused."""
    with training_code(folder):
        note(f"{path} is unpickled by {folder}, which runs whatever it holds: trust it first")
        from models.experimental import attempt_load
        if "fuse" in inspect.signature(attempt_load).parameters:
            return attempt_load(str(path), fuse=False).float().eval()
        held = torch.load(path, map_location="cpu")  # of older code, attempt_load always fuses
        model = held if isinstance(held, nn.Module) else held.get("ema") or held["model"]
        for m in model.modules():
            if isinstance(m, nn.Upsample) and not hasattr(m, "recompute_scale_factor"):
                m.recompute_scale_factor = None  # of checkpoints older than torch 1.11
        return model.float().eval()


def from_yaml(path, folder=None, seed=0):
    """The model of a YAML, of a training code's classes or, without a folder, of torch_modules.py's; freshly initialised."""
    if not path.is_file():
        raise Failure(f"{path}: no such file; a model's YAML was expected")
    torch.manual_seed(seed)
    if folder:
        with training_code(folder):
            from models.yolo import Model
            return Model(str(path)).float().eval()
    try:
        import torch_model
        import yaml
    except ImportError as err:
        raise Failure(f"{err}: without --yolov5, parity.py needs torch_model.py and what it imports beside it, and PyYAML") from None
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise Failure(f"{path}: expected a mapping with nc, anchors, backbone and head")
        return torch_model.build(config)
    except KeyError as err:
        raise Failure(f"{path}: the key {err} is missing") from None
    except (yaml.YAMLError, ValueError, TypeError, IndexError, RuntimeError) as err:
        raise Failure(f"{path}: {err}") from err


def load_weights(model, path, given=None):
    """Copy a file's weights (or the given ones of it) into a model by state_dict name: all of both sides, or a Failure.

    Anchors are taken where the file has them: a state_dict does, in an ONNX file they are constants without a name.
    """
    given = plain_weights(path) if given is None else given
    given = {k: v for k, v in given.items() if not k.endswith(NO_WEIGHTS)}
    state = {k: v for k, v in model.state_dict().items() if not k.endswith(NO_WEIGHTS)}
    state = {k: v for k, v in state.items() if k in given or not k.endswith(".anchors")}
    missing, unused = [k for k in state if k not in given], [k for k in given if k not in state]
    problems = [f"missing in the file: {k} {tuple(state[k].shape)}" for k in missing]
    problems += [f"unknown to the model: {k} {() if given[k] is None else given[k].shape}" for k in unused]
    for k in state:
        if k in given and (given[k] is None or given[k].shape != tuple(state[k].shape)):
            shape = "no readable data" if given[k] is None else given[k].shape
            problems.append(f"shape differs: {k} is {shape} in the file, {tuple(state[k].shape)} in the model")
    if problems:
        lines = [f"{path}: {len(problems)} tensors do not match the model", *problems[:40]]
        lines += [f"... and {len(problems) - 40} more"] * (len(problems) > 40)
        if any(".bn." in k for k in missing) and any(k.endswith("conv.bias") for k in unused):
            lines.append("the file has its batch norms folded into the convolutions: export once more with --no-optimize "
                         "and pass that file as --weights")
        raise Failure("\n  ".join(lines))
    with torch.no_grad():
        for k, v in state.items():
            v.copy_(torch.from_numpy(given[k].astype(np.float32)))
    return model


def randomise(model, seed):
    """Make untrained weights tell: zeros and ones would hide a dropped bias, a wrong epsilon or a swapped half."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.1, generator=generator)
                m.running_var.uniform_(0.5, 1.5, generator=generator)
        for name, p in model.named_parameters():
            if (p == p.flatten()[:1]).all():  # all zero or all one
                p.add_(0.1 * torch.randn(p.shape, generator=generator))
            if name.endswith("SRU.gn.gamma"):
                p[len(p) // 3] = 12  # its softmax opens ScConv's gate; drawn values alone never do
    return model


def load(args, folder):
    """The model with its weights, the words for them, and the arguments with which ysc2onnx exports the same."""
    given = args.weights and plain_weights(args.weights)
    if args.weights and given is None:
        if not args.yolov5:
            raise Failure(f"{args.weights}: not a file of tensors alone: a checkpoint holds objects of its training code's "
                          "classes; pass that code with --yolov5 DIR")
        if args.yaml:
            note(f"{args.yaml} is not used: {args.weights} carries its own")
        return from_checkpoint(args.yolov5, args.weights), str(args.weights), [args.weights]
    if not args.yaml:
        raise Failure(f"{args.weights}: holds tensors only, and no model: name its YAML too")
    model = from_yaml(args.yaml, args.yolov5, args.seed)
    if given is not None or args.onnx:
        path = args.weights or args.onnx
        load_weights(model, path, given)
        return model, f"{args.yaml}, weights of {path}", [args.yaml, "--weights", path]
    path = folder / "random.safetensors"
    write_safetensors(path, randomise(model, args.seed))
    return model, f"{args.yaml}, random weights", [args.yaml, "--weights", path]
