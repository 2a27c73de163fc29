// The page: takes models and pictures, asks the worker, shows what it finds.
const $ = id => document.getElementById(id);

const worker = new Worker('./worker.js', { type: 'module' });
const waiting = new Map();
worker.onmessage = ({ data: { id, result, error } }) => {
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  if (error) reject(new Error(error)); else resolve(result);
};
worker.onerror = () => say('ONNX Runtime could not be loaded: copy it into the folder ort, as README.md says.', true);

/** Has the worker do something, and promises its result. */
function ask(call, argument, transfer = []) {
  const id = crypto.getRandomValues(new Uint32Array(1))[0];
  worker.postMessage({ id, call, argument }, transfer);
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
}

let names; // of the loaded model's classes
let picture; // the file that is shown
const confidence = () => Number($('confidence').value) / 100;

function say(text, wrong = false) {
  $('status').textContent = text;
  $('status').classList.toggle('wrong', wrong);
}

/** Does something that takes time: with a moving bar, and the reason if it fails. */
async function busy(text, work) {
  document.body.classList.add('busy');
  say(text);
  try {
    await work();
  } catch (error) {
    say(error.message, true);
  }
  document.body.classList.remove('busy');
}

async function loadModel(name, bytes) {
  const size = `${(bytes.length / 2 ** 20).toFixed(1)} MiB`;
  const model = await ask('load', bytes, [bytes.buffer]).catch(error => { throw new Error(`${name} cannot be used: ${error.message}`); });
  names = model.names;
  const classes = names.length ? ` · ${names.length} classes` : '';
  $('model').textContent = name;
  $('about').textContent = `${model.width} × ${model.height} · ${size}${classes}`;
  $('runtime').textContent = `${model.runtime} · ${model.threads} ${model.threads === 1 ? 'thread' : 'threads'}`;
  document.body.classList.add('ready');
  say('Ready.');
  if (picture) await detect();
}

/** Fetches a model, and says how far it is. */
async function fetchModel(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  const total = Number(response.headers.get('Content-Length')), chunks = [];
  let received = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    received += value.length;
    say(total ? `Loading the model: ${Math.floor(100 * received / total)}%` : 'Loading the model …');
  }
  await loadModel(address.split('/').pop(), new Uint8Array(await new Blob(chunks).arrayBuffer()));
}

async function show(file) {
  const bitmap = await decode(file);
  bitmap.close();
  picture = file;
  URL.revokeObjectURL($('picture').src);
  $('picture').src = URL.createObjectURL(file);
  $('picture').alt = file.name;
  await $('picture').decode(); // boxes need its size
  $('stage').style.setProperty('--picture', `url(${$('picture').src})`);
  draw([]);
  document.body.classList.add('shown');
  if (names) await detect(); else say('A model is needed, too: a YOLOv5 .onnx file.');
}

/** The picture's own pixels, upright: no colour profile, no transparency is applied, as OpenCV and so YOLOv5 read them. */
async function decode(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image', colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  } catch {
    throw new Error(`${file.name} is not a picture that this browser can show.`);
  }
}

async function detect() {
  const bitmap = await decode(picture);
  say('Looking …');
  const { objects, milliseconds } = await ask('detect', { bitmap, confidence: confidence() }, [bitmap]);
  draw(objects);
  say(`The model took ${milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`}.`);
}

/** Shows boxes over the picture, and the list beside it. */
function draw(objects) {
  const { naturalWidth: width, naturalHeight: height } = $('picture');
  const named = objects.map(o => ({ ...o, name: names?.[o.class] ?? `class ${o.class}` }));
  $('count').textContent = named.length ? `${named.length} ${named.length === 1 ? 'object' : 'objects'}` : 'Nothing found';
  $('boxes').replaceChildren(...named.map(({ name, score, box_xyxy: [x1, y1, x2, y2], ...o }, i) => {
    const box = element('div', { className: 'box' }, element('span', {}, name, element('b', {}, percent(score))));
    box.classList.toggle('high', y1 < height / 16); // its name goes inside
    box.classList.toggle('right', x1 > width * 2 / 3); // its name ends where it ends
    box.style.cssText = `--hue: ${hue(o.class)}; left: ${100 * x1 / width}%; top: ${100 * y1 / height}%;
      width: ${100 * (x2 - x1) / width}%; height: ${100 * (y2 - y1) / height}%; z-index: ${named.length - i}`;
    box.onpointerenter = () => highlight(i);
    box.onpointerleave = () => highlight(-1);
    return box;
  }));
  $('list').replaceChildren(...named.map(({ name, score, ...o }, i) => {
    const row = element('li', { tabIndex: 0 }, element('span', {}, name), element('b', {}, percent(score)));
    row.style.cssText = `--hue: ${hue(o.class)}; --score: ${score}`;
    row.onpointerenter = row.onfocus = () => highlight(i);
    row.onpointerleave = row.onblur = () => highlight(-1);
    return row;
  }));
  $('json').textContent = JSON.stringify(named, null, 1);
}

function highlight(index) {
  for (const list of [$('boxes'), $('list')]) {
    [...list.children].forEach((e, i) => { e.classList.toggle('lit', i === index); e.classList.toggle('dim', index >= 0 && i !== index); });
  }
}

const percent = score => `${Math.round(100 * score)}%`;
const hue = index => (index * 137.508 + 145) % 360; // the golden angle: neighbours differ
const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** Takes files: a model, a picture, or both at once. */
async function take(files) {
  const list = [...files], model = list.findLast(f => f.name.toLowerCase().endsWith('.onnx')), image = list.findLast(f => f !== model);
  if (image) await busy('Opening the picture …', () => show(image));
  if (model) await busy('Loading the model …', async () => loadModel(model.name, new Uint8Array(await model.arrayBuffer())));
}

let depth = 0; // of the elements that a drag has entered
addEventListener('dragenter', () => document.body.classList.toggle('over', ++depth > 0));
addEventListener('dragleave', () => document.body.classList.toggle('over', --depth > 0));
addEventListener('dragover', event => event.preventDefault());
addEventListener('drop', event => {
  event.preventDefault();
  depth = 0;
  document.body.classList.remove('over');
  take(event.dataTransfer.files);
});
addEventListener('paste', event => take(event.clipboardData.files));
for (const input of document.querySelectorAll('input[type=file]')) {
  input.onchange = () => { take(input.files); input.value = ''; };
}
$('confidence').oninput = async () => {
  $('threshold').textContent = percent(confidence());
  if (document.body.classList.contains('shown') && names) draw((await ask('again', { confidence: confidence() })).objects);
};

const address = new URLSearchParams(location.search).get('model');
say(address ? 'Loading the model …' : 'A model is a YOLOv5 .onnx file, such as ysc2onnx makes of a best.pt.');
if (address) busy('Loading the model …', () => fetchModel(address));
