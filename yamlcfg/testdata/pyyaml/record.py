#!/usr/bin/env python3
"""Write cases.json: what PyYAML's safe_load makes of texts whose comments, markers and keys are at the edge of what YAML allows.

Needs PyYAML 6. Each case has the text and either `value`, what safe_load gives, or `error`, that it raises. Cases tell apart:
a `#` that begins a comment (after a bracket, a comma, a quote, at the line's start) from one that is part of a plain scalar; a
comment that ends a plain scalar from one that does not; the last of equal keys from the first; explicit keys from merged ones.
"""
import json
from pathlib import Path

import yaml

ROWS = [
    "- [-1, 1, Conv, [64, 6]],#a",
    "- [-1, 1, Conv, [64, 6]]#a",
    "- [-1, 1, Conv, [64, 6]]#a\n- [-1, 1, Conv, [32]]",
    "- - -1\n  - 1\n  - Conv\n  - [64]#a\n- [-1, 1, C3, []]",
    "[[-1, 1, Conv, [64]],#a\n [-1, 1, Conv, [32]]#b\n ]#c",
    "[#a\n [-1, 1, Conv, [#b\n 64,#c\n 3]]]",
    "[[-1, 1, 'Conv'#a\n, [64]]]",
    "[[-1, 1, \"Conv\"#a\n, [64]]]",
    "- [-1, 1, Conv#a, [64]]",
    "- [-1, 1, Conv, [64#a, 3]]",
    "- [-1, 1, Conv, [a #b\n c]]",
    "- [-1, 1, Conv, [a # b\n , c]]",
    "- [-1, 1, Conv, [a#b\n c]]",
    "- [-1, 1, Conv, ['a#b', \"c#d\"]]#e",
    "- [-1, 1, Conv, ['it''s'#b\n]]",
    "- [-1, 1, Conv, [\"a\\\"#b\"]]#c",
    "- [-1, 1, Conv, [64]] #a#b",
    "- [-1, 1, Conv, [[1, 2],#a\n [3]]]",
    "- {a: 1}#b",
    "- {'a':#b\n 1}",
    "-#a\n  1",
    "- 'a':#b",
    "- 'a': #b",
    "- &x [1, 2]#a\n- *x #b",
    "- &x [1, 2]#a\n- *x#b",
    "- a\n #b\n- c",
    "- a\n  b #c\n- d",
    "- a #c\n  b",
    "- |\n  a#b\n  # c\n- d",
    "- 'a\n  #b'#c",
]
TEXTS = ["---#a\nb: 1", "--- #a\nb: 1", "a: [1]#b\n---\nc: 1", "%YAML 1.1#a\n---\nb: 1", "a: 1#b", "a: '1'#b", "a:#b", "#a\nb: 1",
         "a: 1\nb: 2\na: 3", "a: 1\na:\n", "a: &m {x: 1, x: 2, y: 3}\n<<: *m\ny: 4",
         "a: &m {x: 1}\nb: &n {x: 2}\n<<: *m\n<<: *n", "a: &m {x: 1}\nb: &n {x: 2}\n<<: [*m, *n]"]


def case(text):
    try:
        return {"text": text, "value": yaml.safe_load(text)}
    except yaml.YAMLError as error:
        return {"text": text, "error": type(error).__name__}


cases = [case(text) for text in ["rows:\n  " + rows.replace("\n", "\n  ") for rows in ROWS] + TEXTS]
lines = ",\n ".join(json.dumps(c) for c in cases)
(Path(__file__).parent / "cases.json").write_text("[" + lines + "]\n", encoding="utf-8")
