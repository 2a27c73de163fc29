// What happens before and after a YOLOv5 model runs: a picture becomes its input, its output becomes objects.
// Plain JavaScript without imports, for browsers and for Node.js.

/**
 * Fits a picture into a model's input as YOLOv5 does: scaled to touch two sides, centred, the rest grey (114).
 *
 * @param {{data?: Uint8Array|Uint8ClampedArray, row?: function(number): Uint8ClampedArray, width: number, height: number}} picture
 *   RGB or RGBA, 8 bits each: all of it, or what gives a row, asked for from the top down
 * @param {number} width  of the model's input
 * @param {number} height of the model's input
 * @returns {{input: Float32Array, gain: number, left: number, top: number, picture: {width: number, height: number}}}
 *   input is [1, 3, height, width], RGB from 0 to 1; the rest is what toPicture needs
 */
export function letterbox(picture, width, height) {
  const gain = Math.min(width / picture.width, height / picture.height);
  const round = x => x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x); // half to even, as Python's
  const w = round(picture.width * gain), h = round(picture.height * gain);
  const left = round((width - w) / 2 - 0.1), top = round((height - h) / 2 - 0.1);

  const input = new Float32Array(3 * width * height).fill(114 / 255);
  const { data, row = y => data.subarray(y * data.length / picture.height, (y + 1) * data.length / picture.height) } = picture;
  const columns = samples(picture.width, w), rows = samples(picture.height, h);
  const channels = row(0).length / picture.width;
  const along = (pixels, { first, second, a, b }, c) => (pixels[first * channels + c] * a + pixels[second * channels + c] * b) >> 4;
  for (let y = 0; y < h; y++) {
    const { a, b } = rows[y], first = row(rows[y].first), second = row(rows[y].second);
    for (let x = 0; x < w; x++) {
      for (let c = 0; c < 3; c++) {
        const value = ((along(first, columns[x], c) * a >> 16) + (along(second, columns[x], c) * b >> 16) + 2) >> 2;
        input[(c * height + top + y) * width + left + x] = value / 255;
      }
    }
  }
  return {
    input, gain, left: (width - picture.width * gain) / 2, top: (height - picture.height * gain) / 2,
    picture: { width: picture.width, height: picture.height },
  };
}

/**
 * Bilinear interpolation from n to m pixels: for each, two neighbours and their weights in 1/2048. OpenCV counts in such
 * whole numbers and drops some of their digits on the way; YOLOv5 reads pictures with it, so the same is done here.
 */
function samples(n, m) {
  return Array.from({ length: m }, (_, i) => {
    const x = Math.min(Math.max((i + 0.5) * n / m - 0.5, 0), n - 1);
    const first = Math.floor(x), b = Math.round((x - first) * 2048);
    return { first, second: Math.min(first + 1, n - 1), a: 2048 - b, b };
  });
}

/**
 * Reads a model's output0: the objects over a confidence, without those that overlap a better one of their class
 * (non-maximum suppression), the best first.
 *
 * @param {Float32Array} output [1, rows, 5 + classes]: centre x and y, width, height, objectness, a score per class
 * @param {number} columns 5 + classes, and the coefficients of masks
 * @param {ReturnType<typeof letterbox>} box how the picture was fitted
 * @param {{confidence?: number, overlap?: number, masks?: number}} options masks: how many coefficients of masks follow the scores
 * @returns {{class: number, score: number, box_xyxy: number[], coefficients?: Float32Array}[]} corners in pixels of the picture
 */
export function objects(output, columns, box, { confidence = 0.25, overlap = 0.45, masks = 0 } = {}) {
  const found = [], classes = columns - 5 - masks;
  for (let row = 0; row < output.length; row += columns) {
    if (output[row + 4] <= confidence) continue;
    let best = row + 5;
    for (let i = best + 1; i < row + 5 + classes; i++) if (output[i] > output[best]) best = i;
    const score = output[row + 4] * output[best];
    if (score <= confidence) continue;
    const object = { class: best - row - 5, score, box_xyxy: corners(output, row) };
    if (masks) object.coefficients = output.slice(row + 5 + classes, row + columns);
    found.push(object);
  }
  found.sort((a, b) => b.score - a.score);
  const kept = [];
  for (const o of found) {
    if (!kept.some(k => k.class === o.class && intersectionOverUnion(k.box_xyxy, o.box_xyxy) > overlap)) kept.push(o);
    if (kept.length === 1000) break; // YOLOv5 stops there, too
  }
  return kept.map(o => ({ ...o, box_xyxy: toPicture(o.box_xyxy, box) }));
}

/**
 * The masks of objects: which pixels of a picture belong to each, as YOLOv5's segmentation models tell it. A mask is the sum of
 * prototypes, each by its coefficient, and holds where that is over zero, inside the object's box.
 *
 * @param {ReturnType<typeof objects>} list with coefficients
 * @param {{data: Float32Array, dims: number[]}} prototypes output1, [1, masks, height, width], over the model's input
 * @param {ReturnType<typeof letterbox>} box how the picture was fitted
 * @param {{width: number, height: number}} input the size of the model's input
 * @returns {{width: number, height: number, data: Uint8Array}} a mask for each object, 0 or 1, over the whole picture
 */
export function masks(list, prototypes, box, input) {
  const [, count, rows, columns] = prototypes.dims, { picture } = box;
  const scale = Math.min(1, 640 / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale)), height = Math.max(1, Math.round(picture.height * scale));
  const data = new Uint8Array(list.length * width * height);
  list.forEach(({ coefficients, box_xyxy: [x1, y1, x2, y2] }, i) => {
    const sum = new Float32Array(rows * columns);
    for (let k = 0; k < count; k++) for (let p = 0; p < sum.length; p++) sum[p] += coefficients[k] * prototypes.data[k * sum.length + p];
    const at = (x, y) => sum[Math.min(Math.max(y, 0), rows - 1) * columns + Math.min(Math.max(x, 0), columns - 1)];
    for (let y = 0; y < height; y++) {
      const py = (y + 0.5) * picture.height / height; // in the picture
      if (py < y1 || py > y2) continue;
      const v = (py * box.gain + box.top) * rows / input.height - 0.5, v0 = Math.floor(v);
      for (let x = 0; x < width; x++) {
        const px = (x + 0.5) * picture.width / width;
        if (px < x1 || px > x2) continue;
        const u = (px * box.gain + box.left) * columns / input.width - 0.5, u0 = Math.floor(u);
        const upper = at(u0, v0) * (1 + u0 - u) + at(u0 + 1, v0) * (u - u0), lower = at(u0, v0 + 1) * (1 + u0 - u) + at(u0 + 1, v0 + 1) * (u - u0);
        if (upper * (1 + v0 - v) + lower * (v - v0) > 0) data[(i * height + y) * width + x] = 1;
      }
    }
  });
  return { width, height, data };
}

const corners = (o, i) => [o[i] - o[i + 2] / 2, o[i + 1] - o[i + 3] / 2, o[i] + o[i + 2] / 2, o[i + 1] + o[i + 3] / 2];

function intersectionOverUnion(a, b) {
  const area = ([x1, y1, x2, y2]) => Math.max(x2 - x1, 0) * Math.max(y2 - y1, 0);
  const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return both / (area(a) + area(b) - both);
}

function toPicture(corners, { gain, left, top, picture }) {
  const clamp = (v, max) => Math.min(Math.max(v, 0), max);
  return corners.map((v, i) => i % 2 ? clamp((v - top) / gain, picture.height) : clamp((v - left) / gain, picture.width));
}

/**
 * The names of the classes, which an .onnx file carries in its metadata as a Python dictionary: {0: 'person', 1: 'bicycle'}.
 * ONNX Runtime's JavaScript API does not give them, so they are read from the file's bytes.
 *
 * @param {Uint8Array} file
 * @returns {string[]} by class; empty if there are none
 */
export function classNames(file) {
  const names = [], text = bytes => new TextDecoder().decode(bytes);
  for (const [field, value] of fields(file)) {
    if (field !== 14) continue; // ModelProto.metadata_props: a key and a value
    const entry = Object.fromEntries(fields(value));
    if (text(entry[1]) !== 'names') continue;
    for (const [, index, , name] of text(entry[2]).matchAll(/(\d+):\s*(['"])((?:\\.|(?!\2).)*)\2/g)) {
      names[index] = name.replace(/\\(.)/g, '$1');
    }
  }
  return names;
}

/** The fields of a protobuf message, as [number, value]: here all are whole numbers or bytes. */
function* fields(bytes) {
  let at = 0;
  const varint = () => {
    for (let value = 0, scale = 1; at < bytes.length; scale *= 128) {
      value += (bytes[at] & 127) * scale;
      if (bytes[at++] < 128) return value;
    }
    throw new Error('not an ONNX file');
  };
  while (at < bytes.length) {
    const key = varint(), value = varint();
    if ((key & 7) === 0) {
      yield [key >>> 3, value];
    } else if ((key & 7) === 2) {
      yield [key >>> 3, bytes.subarray(at, at += value)];
    } else {
      throw new Error('not an ONNX file');
    }
  }
}
