// node convert.mjs FOLDER INPUTS OPTIONS: converts with the library in the folder, and prints as JSON what came of it. INPUTS and
// OPTIONS are JSON; the option abortAt ends the work when so many bytes are written, and memory holds the file in memory.
import { pathToFileURL } from 'node:url';

const [folder, inputs, choices] = process.argv.slice(2);
const { convert } = await import(pathToFileURL(`${folder}/ysc2onnx.js`));
const { abortAt, ...options } = JSON.parse(choices);
const stop = new AbortController();
let largest = 0;
try {
  const { model, files, report, command } = await convert(JSON.parse(inputs), {
    ...options, signal: stop.signal, onprogress: ({ done }) => { largest = Math.max(largest, done); if (done >= abortAt) stop.abort(); },
  });
  console.log(JSON.stringify({ name: model.name, size: model.size, sha256: model.sha256, files: files.length, path: model.path, report, command, largest }));
} catch (error) {
  console.log(JSON.stringify({ error: `${error.name}: ${error.message}`, diagnostics: error.document?.diagnostics }));
}
