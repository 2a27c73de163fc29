// Runs the program, ysc2onnx itself built for WebAssembly, beside the page. A message {module, args, files, output, mark} is
// answered by {progress} now and then, and in the end by {code, stdout, stderr, files} or {error}. Under Node.js, too.
import './wasm_exec.js';
import { sha256 } from './hashes/sha2.js';
import { sessions } from './sessions.js';
import { BlobFile, Disk, MemoryFile, StoredFile } from './disk.js';

const node = globalThis.process?.versions?.node ? await import('./node.js') : undefined;
const port = node ? (await import('node:worker_threads')).parentPort : globalThis;
const send = message => port.postMessage(message);

const LARGEST = 1.2e9; // bytes of a model that can be run: it is in memory twice, of 4 GB

/** Where the program's new files go: to the folder of a path under Node.js, to the browser's store, or into memory. */
async function place({ output, mark }) {
  if (node) return output ? () => node.DiskFile.create(node.folderOf(output), mark) : () => new MemoryFile();
  let folder;
  try {
    folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(mark, { create: true });
    await (await StoredFile.create(folder)).remove();
  } catch {
    return () => new MemoryFile(); // such as in a private window
  }
  return () => StoredFile.create(folder);
}

/** Runs the program once. files are {name, blob} or, under Node.js, {name, path}. */
async function run({ module, args, files, ...where }) {
  const disk = new Disk(await place(where));
  for (const { name, blob, path } of files) disk.add(name, path ? node.DiskFile.open(path) : new BlobFile(blob));
  const given = new Set(disk.files.map(([name]) => name));
  globalThis.fs = disk.fs;
  globalThis.path = { resolve: (...parts) => parts.join('/') };
  if (node) globalThis.process = { ...globalThis.process, cwd: () => '/' };
  else globalThis.process.cwd = () => '/';
  globalThis.ysc2onnx = {
    progress: (stage, done, total) => send({ progress: { stage, done, total } }),
    sessions: disk.files.some(([, file]) => file.size > LARGEST) ? undefined : sessions(disk, () => send({ progress: { stage: 'checking', done: 0, total: 0 } })),
  };

  const go = new globalThis.Go();
  let code;
  go.exit = c => { code = c; disk.end(); };
  go.argv = ['ysc2onnx', ...args];
  go.env = { PWD: '/', HOME: '/', NO_COLOR: '1' };
  try {
    await go.run(await WebAssembly.instantiate(module, go.importObject));
    go._scheduledTimeouts.forEach(clearTimeout); // they would wake a program that has ended
  } catch (error) {
    disk.close();
    throw /memory|RangeError/i.test(String(error)) ? new Error('the memory that the browser gives to a page is used up') : error;
  }
  const made = disk.files.filter(([name]) => !given.has(name));
  const sums = new Map();
  for (const [name, file] of made) sums.set(name, await sum(file));
  disk.close();
  const results = [];
  for (const [name, file] of made) results.push({ name, size: file.size, sha256: sums.get(name), ...await file.result(name) });
  return { code, stdout: disk.output[0], stderr: disk.output[1], files: results };
}

/** The SHA-256 of a file, in digits. */
async function sum(file) {
  const hash = sha256.create(), block = new Uint8Array(1 << 20);
  for (let at = 0; at < file.size;) {
    const n = await file.read(block.subarray(0, Math.min(block.length, file.size - at)), at);
    hash.update(block.subarray(0, n));
    at += n;
  }
  return [...hash.digest()].map(b => b.toString(16).padStart(2, '0')).join('');
}

const answer = async message => {
  try {
    send(await run(message));
  } catch (error) {
    send({ error: error.message });
  }
};
if (node) port.on('message', answer); else port.onmessage = ({ data }) => answer(data);
