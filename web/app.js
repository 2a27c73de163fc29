// The page: takes files, shows what they are, converts, and hands the result on to be looked at.
import { convert, run, sweep } from './ysc2onnx.js';
import { isCheckpoint, options } from './options.js';
import { $, count, element, findings, say, size } from './elements.js';
import { edited, openEditor } from './editor.js';
import { show as lookAt, takeModel } from './look.js';
import { language, speak, text } from './text.js';

let model; // what is converted: {yaml: {name, text}, weights: File}, each of them optional
let made; // what the last conversion gave
let stop = new AbortController(); // of what is under way

/** The files of the model, as the library takes them. */
const files = () => [model.yaml, model.weights].filter(Boolean);
const isYAML = name => /\.ya?ml$/i.test(name);

/** Does something that may fail, and says why it did. */
async function trying(work) {
  try {
    await work();
  } catch (error) {
    if (error.name === 'AbortError') say(text('cancelled')); else say(error.message, true);
  }
}

/** Takes files: a checkpoint, a YAML, both, an ONNX file or a picture. */
async function take(list) {
  const all = [...list], weights = all.findLast(f => isCheckpoint(f.name)), yaml = all.findLast(f => isYAML(f.name));
  const onnx = all.findLast(f => /\.onnx$/i.test(f.name)), photo = all.findLast(f => f.type.startsWith('image/'));
  if (weights || yaml) await open({ weights, yaml: yaml && { name: yaml.name, text: await yaml.slice(0, 4 << 20).text() } });
  else if (onnx) await trying(() => takeModel(onnx, onnx.name));
  else if (photo) await trying(() => lookAt(photo));
  else if (all.length) say(text('cannot', all[0].name), true);
}

/** Reads a model and shows it. */
async function open(next) {
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  model = next;
  await made?.dispose();
  made = undefined;
  for (const id of ['result', 'look', 'model', 'options', 'danger']) $(id).hidden = true;
  $('convert').disabled = false;
  $('drop').classList.add('small');
  if (model.yaml) openEditor(model.yaml.text); else $('editor').hidden = true;
  $('layersBox').open = Boolean(model.yaml);
  await trying(() => describe(signal).catch(error => { if (!signal.aborted) throw error; })); // else something newer is under way
}

/** What the program prints as JSON for a command, and the picture that it draws. */
async function ask(args, given, signal) {
  const answer = await run([...args, '--json'], given, { signal });
  const drawn = await answer.files[0]?.blob.text();
  await answer.dispose();
  try {
    return { document: JSON.parse(answer.stdout), drawn };
  } catch {
    throw new Error(answer.stderr.trim() || text('cannot', args.at(-1)));
  }
}

/** Says what the model is: layers, parameters, classes, warnings, names in a checkpoint that run programs. */
async function describe(signal) {
  say(text('reading'));
  const main = model.yaml ?? model.weights;
  const [inspected, summary] = await Promise.all([
    model.weights && ask(['inspect', model.weights.name], [model.weights], signal),
    ask(['summary', main.name, '--graph', 'model.svg'], [main], signal),
  ]);
  if (signal.aborted) return;
  const found = summary.document, about = inspected?.document;
  $('model').hidden = false;
  $('modelName').textContent = files().map(f => f.name).join(' + ');
  $('modelKind').textContent = [about?.kind, about?.writer, about && size(about.bytes)].filter(Boolean).join(' · ');
  $('danger').hidden = !['dangerous', 'unknown'].includes(about?.verdict);
  $('danger').replaceChildren(element('b', {}, text('danger')), ` ${about?.why ?? ''}`);
  say('');
  if (about?.error) throw new Error(about.error);
  $('options').hidden = !found.rows && !model.yaml; // there is nothing to export, unless it can be mended
  showSummary(found, about, summary.drawn);
  if (found.error && !found.diagnostics) throw new Error(found.error);
}

/** Shows the summary of a model, or its errors. */
function showSummary(found, about, svg) {
  const figures = found.rows ? [
    [found.layers, text('layersCount')], [count(found.parameters), text('parameters')], [found.gflops.toFixed(1), text('gflops')],
    [`${found.height} × ${found.width}`, text('size')], [found.stride, text('stride')],
  ] : [];
  $('figures').replaceChildren(...figures.map(([value, name]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
  const yaml = model.yaml?.text;
  $('warnings').replaceChildren(...findings(model.yaml ? [] : found.warnings ?? found.diagnostics ?? [], yaml, n => text('line', n)));
  const classes = about?.classes ?? [];
  $('classesBox').hidden = !classes.length;
  $('classesTitle').textContent = text('classesTitle', classes.length);
  $('classes').replaceChildren(...classes.map(name => element('li', {}, name)));
  $('layersBox').hidden = !found.rows;
  if (!found.rows) return;
  const head = element('tr', {}, ...['', text('from'), 'n', text('parameters'), text('module'), text('arguments'), text('output')].map(name => element('th', { scope: 'col' }, name)));
  const rows = found.rows.map(r => element('tr', {}, ...[
    r.index, r.from, r.n, count(r.params), r.module.split('.').at(-1), r.arguments, (r.shape ?? []).slice(1).join(' × '),
  ].map(cell => element('td', {}, cell))));
  $('layers').replaceChildren(element('thead', {}, head), element('tbody', {}, ...rows));
  URL.revokeObjectURL($('picture').src);
  $('picture').alt = text('picture');
  if (svg) $('picture').src = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
}

// The editor: as one types, the model is read again.
edited(async (value, signal) => {
  model.yaml = { name: model.yaml?.name ?? 'model.yaml', text: value };
  const { document, drawn } = await ask(['summary', model.yaml.name, '--graph', 'model.svg'], [model.yaml], signal);
  if (signal.aborted) return [];
  $('model').hidden = !document.rows;
  $('modelName').textContent = files().map(f => f.name).join(' + ');
  $('options').hidden = false;
  $('convert').disabled = !document.rows;
  if (document.rows) showSummary(document, undefined, drawn);
  return document.warnings ?? document.diagnostics ?? [];
});

$('write').onclick = async () => {
  await open({ yaml: { name: 'yolov5n.yaml', text: await (await fetch('yolov5n.yaml')).text() } });
  $('yaml').focus();
};

/** Makes the fields of the options from their table. */
function drawOptions() {
  const before = chosen();
  $('fields').replaceChildren(...Object.entries(options).filter(([, o]) => o.field).map(([name, o]) => {
    const id = `option-${name}`, value = before[name] ?? o.field.value;
    const input = o.is.words ? element('select', { id, name }, ...o.is.words.map(word => element('option', { value: word, selected: word === value }, text('words')[word] ?? word)))
      : typeof o.field.value === 'boolean' ? element('input', { id, name, type: 'checkbox', checked: value })
        : element('input', { id, name, type: 'text', inputMode: 'numeric', value, placeholder: o.field.placeholder ?? '' });
    return element('label', { className: input.type === 'checkbox' ? 'check' : '' }, element('span', {}, text(`option_${name}`)), input);
  }));
}

/** What is chosen, without what is as it would be anyway. */
function chosen() {
  const choices = {};
  for (const input of $('fields').querySelectorAll('input, select')) {
    const { field, is } = options[input.name];
    const value = input.type === 'checkbox' ? input.checked : is.words ? input.value : input.value.trim();
    if (value !== field.value && value !== '') choices[input.name] = typeof value === 'boolean' || is.words ? value : field.parse?.(value) ?? Number(value);
  }
  return choices;
}

$('options').onsubmit = event => {
  event.preventDefault();
  trying(doConvert);
};
$('cancel').onclick = () => stop.abort();

async function doConvert() {
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  await made?.dispose();
  made = undefined;
  $('result').hidden = true;
  say('');
  working(true);
  try {
    let writes = 0;
    const result = await convert(files(), {
      ...chosen(), signal, onprogress: ({ stage, done, total }) => {
        writes = Math.max(writes, total);
        if (total) $('progress').value = done / total; else $('progress').removeAttribute('value');
        $('stage').textContent = total && done === total ? `${text('checking')} …` : `${text(stage)} ${total ? `${size(done)} / ${size(total)}` : '…'}`;
        if (total && done === total) $('progress').removeAttribute('value');
      },
    });
    made = result;
  } catch (error) {
    if (error.document?.diagnostics && model.yaml) $('found').replaceChildren(...findings(error.document.diagnostics, model.yaml.text, n => text('line', n)));
    throw error;
  } finally {
    working(false);
  }
  showResult();
}

function working(on) {
  $('work').hidden = $('cancel').hidden = !on;
  $('convert').hidden = on;
  $('fields').inert = on;
  $('progress').removeAttribute('value');
  $('stage').textContent = text('starting');
}

function showResult() {
  const { model: file, files: all, report, command } = made;
  $('result').hidden = false;
  $('resultName').textContent = file.name;
  $('resultAbout').textContent = `opset ${report.opset} · ${count(report.parameters)} ${text('parameters')} · ${size(report.bytes)} · ${report.seconds.toFixed(2)} s`;
  $('save').textContent = text('save', all.length > 1 ? `${file.name}.zip` : file.name);
  $('sum').textContent = file.sha256;
  $('command').textContent = command;
  const checks = report.checks?.checks ?? [];
  $('checks').replaceChildren(...checks.map(c => element('li', { className: c.ok ? 'ok' : 'bad' },
    element('b', {}, text('checkNames')[c.name] ?? c.name), element('span', {}, c.detail))));
  if (report.not_checked) $('checks').append(element('li', { className: 'open' }, element('span', {}, text('notChecked', report.not_checked))));
  if (report.error) say(`${text('wrongFile')} ${report.error}`, true); else say(report.checked ? text('checked') : '');
  $('resultName').focus();
  if (!report.error && all.length === 1) trying(() => takeModel(file.blob, file.name));
}

$('save').onclick = () => trying(async () => {
  const { model: file, files: all } = made;
  const blob = all.length > 1 ? await (await import('./zip.js')).zip(all) : file.blob, name = all.length > 1 ? `${file.name}.zip` : file.name;
  if (globalThis.showSaveFilePicker) {
    const place = await showSaveFilePicker({ suggestedName: name });
    await blob.stream().pipeTo(await place.createWritable());
  } else {
    const link = element('a', { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
  say(text('saved'));
});

$('copy').onclick = async () => {
  await navigator.clipboard.writeText($('command').textContent);
  $('copy').textContent = text('copied');
  setTimeout(() => { $('copy').textContent = text('copy'); }, 2000);
};

// Files come by a button, by dropping them anywhere, or from the clipboard.
for (const input of document.querySelectorAll('input[type=file]')) {
  input.onchange = () => { take(input.files); input.value = ''; };
}
let depth = 0; // of the elements that a drag has entered
const over = change => document.body.classList.toggle('over', (depth = Math.max(0, depth + change)) > 0);
addEventListener('dragenter', () => over(1));
addEventListener('dragleave', () => over(-1));
addEventListener('dragover', event => event.preventDefault());
addEventListener('drop', event => {
  event.preventDefault();
  over(-depth);
  take(event.dataTransfer.files);
});
addEventListener('paste', event => { if (event.clipboardData.files.length) take(event.clipboardData.files); });

$('language').onclick = () => {
  speak(language === 'en' ? 'zh' : 'en');
  drawPage();
};

function drawPage() {
  $('language').textContent = language === 'en' ? '中文' : 'English';
  $('language').lang = language === 'en' ? 'zh' : 'en';
  drawOptions();
  if (made) showResult();
}

speak(language);
drawPage();
sweep().catch(() => {}); // a private window has no store
if ('serviceWorker' in navigator) {
  navigator.serviceWorker.register('sw.js').then(() => navigator.serviceWorker.ready).then(() => { $('offline').hidden = false; }, () => {});
}
