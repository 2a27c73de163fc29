// ysc2onnx as a library: a YOLOv5 checkpoint or model YAML in, an ONNX file out, in a browser or under Node.js.
//
//   import { convert } from './ysc2onnx.js';
//   const { model } = await convert(file, { imgsz: 640 });
import { argumentsOf, line } from './options.js';

const here = name => new URL(name, import.meta.url);
const node = Boolean(globalThis.process?.versions?.node);

/** A run of the program that did not end well. document is what it printed as JSON: error, and diagnostics of a YAML. */
export class ConversionError extends Error {
  constructor(document, code) {
    super(document.error);
    Object.assign(this, { name: 'ConversionError', document, code });
  }
}

let compiled; // the program; a promise

/** The program, compiled once. */
function program() {
  compiled ??= compile().catch(error => { compiled = undefined; throw error; });
  return compiled;
}

async function compile() {
  const address = here('ysc2onnx.wasm');
  if (node) return WebAssembly.compile(await (await import('node:fs/promises')).readFile(address));
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${response.statusText}`);
  if (response.headers.get('Content-Type') === 'application/wasm') return WebAssembly.compileStreaming(response);
  return WebAssembly.compile(await response.arrayBuffer());
}

let idle; // a worker that waits for work

async function hire() {
  const worker = idle ?? (node ? new (await import('node:worker_threads')).Worker(here('worker.js')) : new Worker(here('worker.js'), { type: 'module' }));
  idle = undefined;
  return worker;
}

/** Has a worker run the program. Aborting ends the worker: that stops whatever it does, at once. */
async function ask(message, { signal, onprogress, output } = {}) {
  signal?.throwIfAborted();
  const module = await program(), worker = await hire(), mark = `${node ? '.' : ''}${owner}-${++runs}`;
  try {
    const answer = await new Promise((resolve, reject) => {
      const heard = data => data.progress ? onprogress?.(data.progress) : data.error ? reject(new Error(data.error)) : resolve(data);
      const failed = event => reject(new Error(event.message || 'the worker could not be started'));
      if (node) {
        worker.removeAllListeners().on('message', heard).on('error', failed).ref();
      } else {
        Object.assign(worker, { onmessage: ({ data }) => heard(data), onerror: failed });
      }
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      worker.postMessage({ ...message, module, output, mark });
    });
    if (idle) await worker.terminate(); else idle = worker;
    if (node) worker.unref();
    return { ...answer, dispose: () => remove(mark, output) };
  } catch (error) {
    await worker.terminate();
    await remove(mark, output);
    throw error;
  }
}

/** Names the places of what this page's runs write, which no other page uses while it has the lock of that name. */
const owner = `ysc2onnx-${globalThis.crypto.randomUUID()}`;
let runs = 0;

/** Removes what a run has written, unless it has its own name already. */
async function remove(mark, output) {
  if (node) {
    if (!output) return;
    const [{ readdir, rm }, { dirname, join }] = await Promise.all([import('node:fs/promises'), import('node:path')]);
    const folder = dirname(output), left = (await readdir(folder)).filter(name => name.startsWith(mark));
    await Promise.all(left.map(name => rm(join(folder, name))));
    return;
  }
  const root = await navigator.storage?.getDirectory?.().catch(() => undefined);
  for (let tries = 0; root && tries < 100; tries++) {
    try {
      return await root.removeEntry(mark, { recursive: true });
    } catch (error) {
      if (error.name === 'NotFoundError') return;
      await new Promise(done => setTimeout(done, 100)); // the worker that has ended still holds a file
    }
  }
}

/** Removes what pages have left in the browser's store that are no longer open. */
export async function sweep() {
  const root = await navigator.storage.getDirectory();
  navigator.locks.request(owner, () => new Promise(() => {})); // held for as long as the page is open
  const open = new Set((await navigator.locks.query()).held.map(lock => lock.name));
  for await (const name of root.keys()) {
    if (name.startsWith('ysc2onnx-') && !open.has(name.replace(/-\d+$/, ''))) await remove(name);
  }
}

/** A file as the worker takes it, from a File, a Blob with a name, {name, blob}, {name, text} or, under Node.js, a path. */
function given(input) {
  if (typeof input === 'string') return { name: safe(input.split(/[\\/]/).at(-1)), path: input };
  if (input.text && typeof input.text === 'string') return { name: safe(input.name), blob: new Blob([input.text]) };
  return { name: safe(input.name ?? 'model.pt'), blob: input.blob ?? input };
}

/** A name that is no flag and no path. */
const safe = name => name.replace(/[/\\]/g, '_').replace(/^-/, '_');

/**
 * Runs ysc2onnx with the arguments of a command line.
 *
 * @returns {Promise<{code: number, stdout: string, stderr: string, files: object[]}>} files are those that it made
 */
export async function run(args, files = [], { signal, onprogress, output } = {}) {
  return ask({ args, files: files.map(given) }, { signal, onprogress, output });
}

/** Converts a model: a checkpoint, a YAML, or a list of a YAML and its checkpoint. See ysc2onnx.d.ts. */
export async function convert(input, options = {}) {
  const { signal, onprogress, output, ...choices } = options;
  const files = [input].flat().map(given);
  const args = argumentsOf(files.map(f => f.name), choices, output);
  const answer = await ask({ args: [...args, '--json'], files }, { signal, onprogress, output });
  const report = documentOf(answer);
  const model = answer.files.find(f => f.name === report.output);
  if (!model) {
    await answer.dispose();
    throw new ConversionError(report, answer.code);
  }
  return { model, files: answer.files, report, command: line(args), dispose: answer.dispose };
}

/** What the program printed as JSON, or an error that says what it printed instead. */
function documentOf({ stdout, stderr, code }) {
  try {
    return JSON.parse(stdout);
  } catch {
    return { error: stderr.trim().split('\n').slice(0, 3).join('\n') || `the program ended with ${code}` };
  }
}
