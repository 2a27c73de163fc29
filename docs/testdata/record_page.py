#!/usr/bin/env python3
"""Write the *.npz beside this file: the cases of adding-a-module.md, recorded as the page says, without touching other cases.

The page's classes join verify/fork_blocks.py in memory, and its lines are given to record_cases.py.
"""
import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "modules" / "testdata" / "oracle"))

import record_cases  # noqa: E402
from record_cases import fork_blocks, torch_modules  # noqa: E402

page = (HERE.parent / "adding-a-module.md").read_text(encoding="utf-8")
classes, cases = (textwrap.dedent(text) for text in re.findall(r"```python\n(.*?) *```", page, re.DOTALL))
exec(compile(classes, "adding-a-module.md", "exec"), vars(fork_blocks))
record_cases.HERE = HERE
for case in eval(f"[{cases}]"):
    record_cases.record(torch_modules, *case)
