// Looks at pictures with a model: boxes, and masks where the model gives them. The model runs in detector.js, a worker.
import { $, element, say } from './elements.js';
import { text } from './text.js';

let worker;
const waiting = new Map();
let names; // of the loaded model's classes; undefined without a model
let picture; // the file that is shown
let film; // of the camera

/** Has the worker do something, and promises its result. */
function ask(call, argument, transfer = []) {
  if (!worker) {
    worker = new Worker(new URL('detector.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = waiting.get(id);
      waiting.delete(id);
      if (error) reject(new Error(error)); else resolve(result);
    };
  }
  const id = crypto.randomUUID();
  worker.postMessage({ id, call, argument }, transfer);
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

const MOST = 1e9; // bytes of a model that a tab is asked to hold

/** Takes a model, an ONNX file. */
export async function takeModel(file, name) {
  $('look').hidden = false;
  if (file.size > MOST) throw new Error(text('tooLarge'));
  $('lookAbout').textContent = text('loading');
  const bytes = new Uint8Array(await file.arrayBuffer());
  names = undefined;
  try {
    const model = await ask('load', bytes, [bytes.buffer]);
    names = model.names;
    $('lookAbout').textContent = [name, `${model.width} × ${model.height}`, text('classes', model.classes), model.runtime].join(' · ');
  } catch (error) {
    $('lookAbout').textContent = `${name}: ${error.message}`;
    return;
  }
  if (picture) await show(picture);
}

/** Shows a picture and what is in it. */
export async function show(file) {
  $('look').hidden = false;
  stopCamera();
  const bitmap = await decode(file);
  picture = file;
  URL.revokeObjectURL($('shown').src);
  $('shown').src = URL.createObjectURL(file);
  $('shown').alt = file.name;
  $('shown').hidden = false;
  $('scene').hidden = false;
  draw({ objects: [] }, bitmap);
  if (!names) {
    bitmap.close();
    say(text('needModel'));
    return;
  }
  say(text('looking'));
  await detect(bitmap);
  $('scene').scrollIntoView({ block: 'nearest' });
}

/** The picture's own pixels, upright: no colour profile, no transparency is applied, as OpenCV and so YOLOv5 read them. */
async function decode(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image', colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  } catch {
    throw new Error(text('cannot', file.name));
  }
}

const confidence = () => Number($('confidence').value) / 100;

async function detect(bitmap) {
  const shape = { width: bitmap.width, height: bitmap.height };
  const found = await ask('detect', { bitmap, confidence: confidence() }, [bitmap]);
  draw(found, shape);
  say('');
}

const hue = index => (index * 137.508 + 145) % 360; // the golden angle: neighbours differ
const percent = score => `${Math.round(100 * score)}%`;

/** Draws boxes over the picture, masks below them, and the list beside it. */
function draw({ objects, masks, milliseconds }, { width, height }) {
  $('objects').hidden = milliseconds === undefined;
  $('count').textContent = `${objects.length ? text('objects', objects.length) : text('none')} · ${text('took', Math.round(milliseconds))}`;
  const named = objects.map(o => ({ ...o, name: names?.[o.class] ?? `class ${o.class}` }));
  $('scene').style.setProperty('--ratio', width / height);
  $('boxes').replaceChildren(...named.map(({ name, score, box_xyxy: [x1, y1, x2, y2], ...o }) => {
    const box = element('div', { className: 'box' }, element('span', {}, `${name} ${percent(score)}`));
    box.classList.toggle('high', y1 < height / 16); // its name goes inside
    box.classList.toggle('right', x1 > width * 2 / 3); // its name ends where it ends
    Object.assign(box.style, {
      left: `${100 * x1 / width}%`, top: `${100 * y1 / height}%`, width: `${100 * (x2 - x1) / width}%`, height: `${100 * (y2 - y1) / height}%`,
    });
    box.style.setProperty('--hue', hue(o.class));
    return box;
  }));
  $('list').replaceChildren(...named.map(({ name, score, ...o }) => {
    const row = element('li', {}, element('span', {}, name), element('b', {}, percent(score)));
    row.style.setProperty('--hue', hue(o.class));
    return row;
  }));
  drawMasks(masks, named);
}

/** Paints the masks, each in its object's colour: those that lie on top come first in the list. */
function drawMasks(masks, objects) {
  const canvas = $('masks');
  canvas.hidden = !masks;
  if (!masks) return;
  Object.assign(canvas, { width: masks.width, height: masks.height });
  const ink = canvas.getContext('2d'), layer = new OffscreenCanvas(masks.width, masks.height), pen = layer.getContext('2d');
  for (let i = objects.length - 1; i >= 0; i--) {
    const { data } = masks, from = i * masks.width * masks.height, image = pen.createImageData(masks.width, masks.height);
    for (let p = 0; p < masks.width * masks.height; p++) image.data[4 * p + 3] = data[from + p] ? 140 : 0;
    pen.putImageData(image, 0, 0);
    pen.globalCompositeOperation = 'source-in';
    pen.fillStyle = `oklch(.8 .17 ${hue(objects[i].class)})`;
    pen.fillRect(0, 0, masks.width, masks.height);
    pen.globalCompositeOperation = 'source-over';
    ink.drawImage(layer, 0, 0);
  }
}

$('confidence').oninput = async () => {
  $('threshold').textContent = percent(confidence());
  if (names && picture) await show(picture);
};

// The camera: one picture after the other, as fast as the model goes.
$('camera').onclick = async () => {
  if (film) return stopCamera();
  if (!names) return say(text('needModel'));
  try {
    film = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  } catch (error) {
    return say(text('noCamera', error.message), true);
  }
  const here = film, video = $('video');
  $('camera').textContent = text('stop');
  picture = undefined;
  video.srcObject = film;
  await video.play();
  $('shown').hidden = true;
  video.hidden = $('scene').hidden = false;
  while (film === here) await detect(await createImageBitmap(video)).catch(error => { say(error.message, true); stopCamera(); });
};

function stopCamera() {
  film?.getTracks().forEach(track => track.stop());
  film = undefined;
  $('video').hidden = true;
  $('camera').textContent = text('camera');
}
