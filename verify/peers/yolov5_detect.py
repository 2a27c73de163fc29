#!/usr/bin/env python3
"""Run YOLOv5's own detect.py from a checkout, as a user does.

    yolov5_detect.py CHECKOUT [detect.py's arguments]

Nothing of it is changed. Two modules that it imports for notebooks and plots alone get an empty stand-in where they are not
installed, and it is told to install nothing and to leave its checkout as it is.
"""
import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import parity_model  # noqa: E402


def main(checkout, *arguments):
    os.environ["YOLOv5_AUTOINSTALL"] = "false"
    sys.dont_write_bytecode = True
    parity_model.without_plots()
    script = Path(checkout) / "detect.py"
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, checkout)
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
