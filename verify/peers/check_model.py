#!/usr/bin/env python3
"""Run onnx's own checker, with its shape inference, over files.

    check_model.py FILE...

One line per file: `ok`, `skipped` with the reason (the installed onnx does not know the file's opset or IR version), or
`failed` with the checker's text. Exit codes: 0 all ok, 1 a file failed, 2 usage, 4 none failed and one was skipped.
"""
import sys

import onnx


def check(path):
    """(word, text) for one file. The path goes to the checker, so that external data and files over 2 GB are read too."""
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as err:  # protobuf's and the operating system's, which have no common base
        return "failed", f"cannot be read: {err}"
    known = onnx.defs.onnx_opset_version()
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx") and entry.version > known:
            return "skipped", f"opset {entry.version}; onnx {onnx.__version__} knows up to {known}"
    if model.ir_version > onnx.IR_VERSION:
        return "skipped", f"IR version {model.ir_version}; onnx {onnx.__version__} knows up to {onnx.IR_VERSION}"
    try:
        onnx.checker.check_model(path, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as err:
        return "failed", str(err)
    opset = next((e.version for e in model.opset_import if e.domain in ("", "ai.onnx")), None)
    return "ok", f"opset {opset}, IR {model.ir_version}, {len(model.graph.node)} nodes"


def main(paths):
    if not paths or paths[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    words = []
    for path in paths:
        word, text = check(path)
        print(f"{path}: {word}: {text}")
        words.append(word)
    return 1 if "failed" in words else 4 if "skipped" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
