#!/usr/bin/env python3
"""Write formats/pattern.*: a pattern of 13 by 9 pixels, red 16x, green 24y, blue 8(x ^ y), in lossless files of OpenCV and Pillow."""
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent / "formats"
HERE.mkdir(exist_ok=True)
y, x = np.mgrid[:9, :13]
rgb = np.stack([16 * x, 24 * y, 8 * (x ^ y)], 2).astype(np.uint8)
for name, options in {"bmp": [], "tiff": [], "webp": [cv2.IMWRITE_WEBP_QUALITY, 101]}.items():
    cv2.imwrite(str(HERE / f"pattern.{name}"), rgb[:, :, ::-1], options)
Image.fromarray(rgb).quantize(256, kmeans=0, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(HERE / "pattern.gif")
assert (np.asarray(Image.open(HERE / "pattern.gif").convert("RGB")) == rgb).all()
