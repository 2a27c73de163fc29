#!/usr/bin/env python3
"""Find objects in a picture with OpenCV's DNN module.

    detect.py MODEL.onnx PICTURE                  prints them as JSON
    detect.py MODEL.onnx --tensor INPUT OUTPUT    runs the model alone: float32 values, little-endian, in files
"""
import ast
import json
import sys

import cv2
import numpy as np

CONFIDENCE, OVERLAP = 0.25, 0.45


def fields(message, at=0):
    """The fields of a protobuf message, as (number, value): in those read here, all are whole numbers or bytes."""
    def varint():
        nonlocal at
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if message[at - 1] < 128:
                return value
    while at < len(message):
        key, value = varint(), varint()
        if key & 7 == 2:
            value, at = message[at:at + value], at + value
        yield key >> 3, value


def metadata(path):
    """What an .onnx file says about itself, which OpenCV does not give: ModelProto.metadata_props, field 14."""
    with open(path, "rb") as file:
        entries = [dict(fields(value)) for number, value in fields(memoryview(file.read())) if number == 14]
    return {bytes(entry[1]).decode(): bytes(entry[2]).decode() for entry in entries}


def letterbox(picture, height, width):
    """[1, 3, height, width], RGB from 0 to 1: the picture scaled to touch two sides, centred, the rest grey, as YOLOv5 does."""
    h, w = picture.shape[:2]
    gain = min(height / h, width / w)
    scaled = cv2.resize(picture, (round(w * gain), round(h * gain)), interpolation=cv2.INTER_LINEAR)
    top, left = round((height - scaled.shape[0]) / 2 - 0.1), round((width - scaled.shape[1]) / 2 - 0.1)
    bottom, right = height - scaled.shape[0] - top, width - scaled.shape[1] - left
    fitted = cv2.copyMakeBorder(scaled, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(114, 114, 114))
    return cv2.dnn.blobFromImage(fitted, 1 / 255, swapRB=True)


def objects(rows, picture, height, width):
    """(class, score, corners in pixels of the picture) of the objects in output0, the best first.

    A row is a box's centre x and y, its width and height, its objectness, and a score per class.
    """
    rows = rows[rows[:, 4] > CONFIDENCE]
    classes = rows[:, 5:].argmax(1)
    scores = rows[:, 4] * rows[:, 5:].max(1)
    corners = np.hstack([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]])  # x, y, width, height
    apart = corners + np.array([[1, 1, 0, 0]]) * classes[:, None] * 10_000  # so that no class hides another
    kept = cv2.dnn.NMSBoxes(apart.tolist(), scores.tolist(), CONFIDENCE, OVERLAP)

    h, w = picture.shape[:2]
    gain = min(height / h, width / w)
    found = []
    for i in np.array(kept, int).flatten():
        x1, y1 = (corners[i, :2] - [(width - w * gain) / 2, (height - h * gain) / 2]) / gain
        x2, y2 = np.add([x1, y1], corners[i, 2:] / gain)
        box = np.clip([x1, y1, x2, y2], 0, [w, h, w, h])
        found.append((int(classes[i]), float(scores[i]), box.tolist()))
    return found


def main(model, source, *tensors):
    net = cv2.dnn.readNetFromONNX(model)
    about = metadata(model)
    height, width = ast.literal_eval(about.get("imgsz", "[640, 640]"))
    if source == "--tensor":
        values, output = tensors
        net.setInput(np.fromfile(values, "<f4").reshape(1, 3, height, width))
        net.forward("output0").astype("<f4").tofile(output)
        return
    picture = cv2.imread(source)
    if picture is None:
        raise ValueError(f"{source}: not a picture that OpenCV reads")
    net.setInput(letterbox(picture, height, width))
    names = ast.literal_eval(about.get("names", "{}"))
    names = dict(enumerate(names)) if isinstance(names, list) else names  # a list before YOLOv5 v7.0
    lines = [json.dumps({"class": index, "name": names.get(index, str(index)), "score": round(score, 4),
                         "box_xyxy": [round(v, 1) for v in box]}, ensure_ascii=False)
             for index, score, box in objects(net.forward("output0")[0], picture, height, width)]
    print("[\n " + ",\n ".join(lines) + "\n]" if lines else "[]")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5) or (sys.argv[2] == "--tensor") != (len(sys.argv) == 5):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError, cv2.error) as error:
        sys.exit(f"detect.py: {error}")
