// Finds objects in a picture with onnxruntime-node:
//
//   node detect.js MODEL.onnx PICTURE                    prints them as JSON
//   node detect.js MODEL.onnx --tensor INPUT OUTPUT      runs the model alone: float32 values, little-endian, in files
import { readFile, writeFile } from 'node:fs/promises';
import ort from 'onnxruntime-node';
import sharp from 'sharp';
import { classNames, letterbox, objects } from '../web/yolo.js';

const [model, picture, input, output] = process.argv.slice(2);
if (!picture || (picture === '--tensor') !== Boolean(output)) {
  console.error('usage: node detect.js MODEL.onnx PICTURE\n       node detect.js MODEL.onnx --tensor INPUT OUTPUT');
  process.exit(2);
}

process.on('uncaughtException', error => {
  console.error(`detect.js: ${error.message}`);
  process.exit(1);
});

const session = await ort.InferenceSession.create(model);
const [height, width] = session.inputMetadata[0].shape.slice(2).map(n => typeof n === 'number' ? n : 640); // open: any 32n

if (picture === '--tensor') {
  const bytes = new Uint8Array(await readFile(input)); // a copy of its own, so aligned
  await writeFile(output, new Uint8Array((await run(new Float32Array(bytes.buffer))).data.buffer));
} else {
  const pixels = sharp(picture, { ignoreIcc: true }).autoOrient().removeAlpha().toColourspace('srgb'); // as OpenCV reads it
  const { data, info } = await pixels.raw().toBuffer({ resolveWithObject: true });
  const box = letterbox({ data, width: info.width, height: info.height }, width, height);
  const { data: values, dims } = await run(box.input);
  const names = classNames(await readFile(model));
  const lines = objects(values, dims[2], box).map(o => JSON.stringify({
    class: o.class, name: names[o.class] ?? String(o.class), score: rounded(o.score, 4), box_xyxy: o.box_xyxy.map(v => rounded(v, 1)),
  }));
  console.log(lines.length ? `[\n ${lines.join(',\n ')}\n]` : '[]');
}

/** output0 for values in [1, 3, height, width]. */
async function run(values) {
  const results = await session.run({ images: new ort.Tensor('float32', values, [1, 3, height, width]) });
  return results.output0;
}

function rounded(value, digits) {
  return Number(value.toFixed(digits));
}
