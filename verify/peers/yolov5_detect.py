#!/usr/bin/env python3
"""Run YOLOv5's own detect.py from a checkout, as a user does.

    yolov5_detect.py CHECKOUT [detect.py's arguments]

Nothing of it is changed. Two modules that it imports for notebooks and plots alone get an empty stand-in where they are not
installed, and it is told to install nothing and to leave its checkout as it is.
"""
import os
import runpy
import sys
import types
from pathlib import Path

os.environ["YOLOv5_AUTOINSTALL"] = "false"
sys.dont_write_bytecode = True


def main(checkout, *arguments):
    for name in ("seaborn", "IPython", "IPython.display"):
        try:
            __import__(name)
        except ImportError:
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(get_ipython=lambda: None, display=lambda *things: None)
    script = Path(checkout) / "detect.py"
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, checkout)
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
