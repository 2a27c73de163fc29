"""The record of a run: the input, what each layer and output gives, and how far that is from float64. For parity.py."""
import contextlib

import numpy as np
import torch

from parity_files import Failure, note, shapes

try:
    from torch.utils._python_dispatch import TorchDispatchMode  # from torch 1.13 on, it can be entered
    CAN_REPLAY = hasattr(TorchDispatchMode, "__enter__")
except ImportError:
    TorchDispatchMode, CAN_REPLAY = object, False


def input_shape(args, model):
    """The reference input's [batch, channels, height, width]: as asked, else as the file says, else a small one."""
    step = int(max(getattr(model.model[-1], "stride", [32])))
    channels = model.yaml.get("ch", 3) if hasattr(model, "yaml") else next(model.parameters()).shape[1]
    fixed = shapes(args.onnx)[0] if args.onnx else [None] * 4
    if len(fixed) != 4 or fixed[1] not in (None, channels):
        raise Failure(f"{args.onnx}: the input has the shape {fixed}, expected batch, {channels} channels, height, width")
    asked = [args.batch, channels, *(args.imgsz or [None, None])]
    for name, f, a in zip(("batch", "channels", "height", "width"), fixed, asked):
        if f and a and f != a:
            raise Failure(f"{args.onnx}: its {name} is fixed at {f}, {a} was asked; export with --dynamic or ask for {f}")
    small = [len(args.image), channels, 640, 640] if args.image else [2, channels, 3 * step, 4 * step]
    n, c, h, w = (a or f or default for a, f, default in zip(asked, fixed, small))
    if h % step or w % step:
        raise Failure(f"{h}x{w}: height and width must be multiples of the largest stride, {step}")
    return n, c, h, w


def picture(path, height, width):
    """A picture as YOLOv5 feeds it: scaled to fit, centred on grey, RGB, [3, height, width] in 0..1."""
    try:
        import cv2
    except ImportError:
        cv2 = None
    if not path.is_file():
        raise Failure(f"{path}: no such file; a picture was expected")
    if cv2:
        pixels = cv2.imread(str(path))  # turned as its EXIF says
        if pixels is None:
            raise Failure(f"{path}: not a picture that OpenCV reads")
        pixels = np.ascontiguousarray(pixels[:, :, ::-1])
    else:
        try:
            from PIL import Image, ImageOps
        except ImportError:
            raise Failure("--image needs OpenCV (cv2) or Pillow (PIL), and neither is installed") from None
        pixels = np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"))
    scale = min(height / pixels.shape[0], width / pixels.shape[1])
    h, w = (round(side * scale) for side in pixels.shape[:2])
    if (h, w) != pixels.shape[:2]:
        resized = cv2.resize(pixels, (w, h)) if cv2 else Image.fromarray(pixels).resize((w, h), Image.BILINEAR)
        pixels = np.asarray(resized)
    canvas = np.full((height, width, 3), 114, np.uint8)
    top, left = round((height - h) / 2 - 0.1), round((width - w) / 2 - 0.1)
    canvas[top:top + h, left:left + w] = pixels
    return canvas.transpose(2, 0, 1).astype(np.float32) / 255


def reference_input(args, model):
    """The input to record, float32 [N, C, H, W]; of several pictures, each in turn."""
    shape = input_shape(args, model)
    if not args.image:
        return np.random.default_rng(args.seed).random(shape, dtype=np.float32)
    return np.stack([picture(args.image[i % len(args.image)], *shape[2:]) for i in range(shape[0])])


class Decisions(TorchDispatchMode):
    """Keeps what comparisons of floating-point numbers decide, ScConv's r >= t, and decides the same in a second run.

    In float64 a number within rounding of its threshold may fall on the other side. What lies behind it would then differ by
    more than rounding, and say nothing of how exact float32 is.
    """
    comparisons = ("aten::ge", "aten::gt", "aten::le", "aten::lt")

    def __init__(self):
        super().__init__()
        self.made, self.replay = [], None

    def start_replay(self):
        """Decide as before from here on."""
        self.replay = iter(self.made)
        return self

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function._schema.name not in self.comparisons or not args[0].is_floating_point():
            return result
        if self.replay is None:
            self.made.append(result)
            return result
        before = next(self.replay, None)
        if before is None or before.shape != result.shape:
            raise RuntimeError("it compares other values then")
        return before


def run(model, x):
    """Run x through a model: `layer.<i>` of each layer but the last that returns one tensor, and `output<k>`."""
    out, hooks = {}, []
    for i, layer in enumerate(model.model[:-1]):  # the head's results are the outputs
        def keep(_, __, y, key=f"layer.{i}"):
            if torch.is_tensor(y):
                out[key] = y.clone().numpy()  # a later layer may work in place
        hooks.append(layer.register_forward_hook(keep))
    try:
        with torch.no_grad():
            y = model(x)
    finally:
        for hook in hooks:
            hook.remove()
    results = [y] if torch.is_tensor(y) else [part for part in y if torch.is_tensor(part)]
    out.update((f"output{k}", part.numpy()) for k, part in enumerate(results))
    return out


def record(model, x):
    """Run x through a model and return what ref.npz holds. The model is in float64 afterwards."""
    decisions = Decisions() if CAN_REPLAY else contextlib.nullcontext()
    with decisions:
        out = run(model, x)
    for key, value in out.items():
        if not np.isfinite(value).all():
            raise Failure(f"{key} has values that are not finite in PyTorch already: there is nothing to compare with")
    if "output0" not in out:
        raise Failure("the model returns no tensor; parity.py reads models that end in a Detect or Segment head")
    if not CAN_REPLAY:
        note(f"float64 is not recorded beside float32: torch {torch.__version__} is older than 1.13")
        return {"input": x.numpy(), **out}
    usual = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)  # of tensors that a forward makes
        with decisions.start_replay():
            exact = run(model.double(), x.double())
        return {"input": x.numpy(), **out, **rounding(out, exact)}
    except Exception as err:  # whatever code that is not ours raises
        note(f"float64 is not recorded beside float32, as the model does not run in it: {type(err).__name__}: {err}")
        return {"input": x.numpy(), **out}
    finally:
        torch.set_default_dtype(usual)


def rounding(out, exact):
    """Give `<name>.rounding` for each array: what must be added to it to give float64's value.

    It has 8 significant bits: more say nothing, and so it takes half as much room in a compressed file.
    """
    more = {}
    for key, value in out.items():
        if exact[key].dtype != np.float64 or not np.isfinite(exact[key]).all():
            raise ValueError(f"{key} is not what float64 gives")
        bits = (exact[key] - value).astype(np.float32).view(np.uint32)
        more[f"{key}.rounding"] = (bits + 0x8000 & 0xFFFF0000).view(np.float32)
    return more


def save(path, arrays, small):
    """Write an .npz, whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            (np.savez_compressed if small else np.savez)(file, **arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
