// Runs a model with ONNX Runtime Web, beside the page, which so stays responsive. Each message {id, call, argument} is
// answered, in turn, by {id, result} or {id, error}.
import * as ort from './ort/ort.wasm.bundle.min.mjs';
import { classNames, letterbox, objects } from './yolo.js';

let session, width, height; // of the model
let last; // what the model gave for the last picture

const calls = {
  /** Loads a model, the bytes of an .onnx file. */
  async load(file) {
    const names = classNames(file);
    const next = await ort.InferenceSession.create(file);
    const shape = next.inputMetadata[0].shape;
    if (next.inputNames[0] !== 'images' || shape.length !== 4 || !next.outputNames.includes('output0')) {
      throw new Error('this is no YOLOv5 model with an input "images" and an output "output0"');
    }
    await session?.release();
    session = next;
    last = undefined;
    [height, width] = shape.slice(2).map(n => typeof n === 'number' ? n : 640); // open: any multiple of 32
    const threads = ort.env.wasm.numThreads; // more than one where the server sends the headers for it, see README.md
    return { names, width, height, threads, runtime: `ONNX Runtime Web ${ort.env.versions.web}` };
  },

  /** The values of output0 for those of images, [1, 3, height, width]. */
  async run(input) {
    const { output0 } = await session.run({ images: new ort.Tensor('float32', input, [1, 3, height, width]) });
    return { output: output0.data, columns: output0.dims[2] };
  },

  /** The objects in a picture, an ImageBitmap. */
  async detect({ bitmap, confidence }) {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { alpha: false, willReadFrequently: true });
    canvas.drawImage(bitmap, 0, 0);
    const box = letterbox(canvas.getImageData(0, 0, bitmap.width, bitmap.height), width, height);
    const begin = performance.now();
    last = { ...await calls.run(box.input), box };
    const milliseconds = performance.now() - begin;
    return { objects: calls.again({ confidence }), milliseconds };
  },

  /** The objects in the last picture, at another confidence. */
  again: ({ confidence }) => objects(last.output, last.columns, last.box, { confidence }),
};

let turn = Promise.resolve();
onmessage = ({ data: { id, call, argument } }) => {
  turn = turn.then(() => calls[call](argument)).then(result => postMessage({ id, result }), error => postMessage({ id, error: error.message }));
};
