// Runs a model with ONNX Runtime Web, beside the page, which so stays responsive. Each message {id, call, argument} is
// answered, in turn, by {id, result} or {id, error}.
import * as ort from './ort/ort.wasm.bundle.min.mjs';
import { classNames, letterbox, masks, objects } from './yolo.js';

let session, width, height; // of the model
let last; // what the model gave for the last picture

/** Opens a model, or says in plain words why it cannot be used. */
async function open(file) {
  const names = classNames(file); // an error where it is no ONNX file
  let next;
  try {
    next = await ort.InferenceSession.create(file);
  } catch (error) {
    if (/external data/i.test(error.message)) throw new Error('its weights are in a file of their own (.data), which this page does not read: the model is too large for it');
    if (/protobuf|ModelProto/i.test(error.message)) throw new Error('it is no ONNX file, or a damaged one');
    throw new Error(`ONNX Runtime cannot open it: ${error.message}`);
  }
  const problem = unfit(next.inputMetadata, next.outputMetadata);
  if (!problem) return { next, names };
  await next.release();
  throw new Error(problem);
}

/** Why a model is none that this page can read the outputs of, "" if it is. */
function unfit([image, more], outputs) {
  const output0 = outputs.find(o => o.name === 'output0');
  if (!image || more) return `it has ${more ? 'more than one input' : 'no input'}, and a YOLOv5 model has one, the picture`;
  if (image.name !== 'images' || image.shape.length !== 4) return `its input is ${image.name}, and a YOLOv5 model's is images, [batch, 3, height, width]`;
  if (image.shape[1] !== 3) return `it takes pictures of ${image.shape[1]} channels, and those here have three: red, green and blue`;
  if (image.type !== 'float32') return `it takes ${image.type} values, and here float32 is given`;
  if (typeof image.shape[0] === 'number' && image.shape[0] !== 1) return `it takes ${image.shape[0]} pictures at once: export it with a batch of 1`;
  if (!output0 || output0.type !== 'float32') return `its outputs are ${outputs.map(o => o.name).join(', ')}, without decoded boxes in output0: export it without --head`;
  if (output0.shape.length === 2) return 'it is a classifier: it names a picture as a whole and finds no boxes';
  if (output0.shape.length !== 3) return `its output0 has ${output0.shape.length} dimensions: raw maps, not decoded boxes; export it without --head`;
  return '';
}

const calls = {
  /** Loads a model, the bytes of an .onnx file. */
  async load(file) {
    const { next, names } = await open(file);
    const shape = next.inputMetadata[0].shape;
    await session?.release();
    session = next;
    last = undefined;
    [height, width] = shape.slice(2).map(n => typeof n === 'number' ? n : 640); // open: any multiple of 32
    const threads = ort.env.wasm.numThreads; // more than one where the server sends the headers for it, see README.md
    const columns = next.outputMetadata.find(o => o.name === 'output0').shape[2], masks = next.outputMetadata.find(o => o.name === 'output1')?.shape[1] ?? 0;
    return { names, classes: columns - 5 - masks, width, height, threads, runtime: `ONNX Runtime Web ${ort.env.versions.web}` };
  },

  /** The values of output0 for those of images, [1, 3, height, width]; and output1 of a model that gives masks. */
  async run(input) {
    const { output0, output1 } = await session.run({ images: new ort.Tensor('float32', input, [1, 3, height, width]) });
    return { output: output0.data, columns: output0.dims[2], prototypes: output1 && { data: output1.data, dims: output1.dims } };
  },

  /** The objects in a picture, an ImageBitmap. */
  async detect({ bitmap, confidence }) {
    const box = letterbox(inStrips(bitmap), width, height);
    bitmap.close();
    const begin = performance.now();
    last = { ...await calls.run(box.input), box };
    const milliseconds = performance.now() - begin;
    return { ...calls.again({ confidence }), milliseconds };
  },

  /** The objects in the last picture, at another confidence. */
  again({ confidence }) {
    const { output, columns, box, prototypes } = last;
    const found = objects(output, columns, box, { confidence, masks: prototypes?.dims[1] ?? 0 });
    return { objects: found, masks: prototypes && masks(found, prototypes, box, { width, height }) };
  },
};

const STRIP = 1 << 21; // pixels of a picture that are unpacked at a time: one of 100 megapixels would take 400 MB

/** A picture that gives its rows, from the top down. */
function inStrips(bitmap) {
  const { width: w, height: h } = bitmap, rows = Math.min(h, Math.max(2, Math.floor(STRIP / w)));
  const canvas = new OffscreenCanvas(w, rows).getContext('2d', { alpha: false, willReadFrequently: true });
  let top = -Infinity, data;
  const row = y => {
    if (y < top || y >= top + rows) {
      top = Math.min(y, h - rows);
      canvas.drawImage(bitmap, 0, -top);
      ({ data } = canvas.getImageData(0, 0, w, rows));
    }
    return data.subarray((y - top) * w * 4, (y - top + 1) * w * 4);
  };
  return { width: w, height: h, row };
}

let turn = Promise.resolve();
onmessage = ({ data: { id, call, argument } }) => {
  turn = turn.then(() => calls[call](argument)).then(result => postMessage({ id, result }), error => postMessage({ id, error: error.message }));
};
