// ONNX Runtime Web for the program: it opens the models that the program has written, and runs them. It is loaded when a
// model is to be run, and not before.

const kinds = {
  float32: Float32Array, float64: Float64Array, float16: globalThis.Float16Array ?? Uint16Array, bool: Uint8Array, uint8: Uint8Array, int8: Int8Array,
  int32: Int32Array, int64: BigInt64Array,
};

// The smallest model, as an ONNX file: y = Identity(x), one float32, at opset 11.
const identity = Uint8Array.from([
  8, 6, 58, 55, 10, 16, 10, 1, 120, 18, 1, 121, 34, 8, 73, 100, 101, 110, 116, 105, 116, 121, 18, 1, 103,
  90, 15, 10, 1, 120, 18, 10, 10, 8, 8, 1, 18, 4, 10, 2, 8, 1, 98, 15, 10, 1, 121, 18, 10, 10,
  8, 8, 1, 18, 4, 10, 2, 8, 1, 66, 4, 10, 0, 16, 11,
]);

/** All bytes of a file of the disk. */
async function contents(file, more) {
  const bytes = new Uint8Array(file.size + more.length);
  for (let at = 0; at < file.size;) at += await file.read(bytes.subarray(at, Math.min(at + (8 << 20), file.size)), at);
  bytes.set(more, file.size);
  return bytes;
}

/** What verify/ort asks for, with the files of a disk. started is told when a model is loaded. */
export function sessions(disk, started) {
  const library = () => import('./ort/ort.wasm.bundle.min.mjs');
  return {
    /** Starts the library, so that one that cannot be had is not taken for a model that cannot be run. */
    async version() {
      started();
      const ort = await library();
      await ort.InferenceSession.create(identity).then(session => session.release());
      return ort.env.versions.web;
    },

    /** Opens a file, or a model in memory whose weights are in that file; more is appended to the model. */
    async open(name, model, more, { level, strict }) {
      const ort = await library(), files = new Map(disk.files);
      const beside = [...files.keys()].filter(other => other.startsWith(`${name}.`) && other.endsWith('.data'));
      if (model) beside.push(name);
      const bytes = model ? await new Blob([model, more]).arrayBuffer().then(all => new Uint8Array(all)) : await contents(files.get(name), more);
      const externalData = [];
      for (const path of beside) externalData.push({ path, data: await contents(files.get(path), new Uint8Array()) });
      return ort.InferenceSession.create(bytes, {
        executionProviders: ['wasm'], graphOptimizationLevel: level, logSeverityLevel: 4, externalData,
        extra: strict ? { session: { strict_shape_type_inference: '1' } } : {},
      });
    },

    async run(session, feeds, fetch) {
      const { Tensor } = await library();
      const inputs = Object.fromEntries(feeds.map(({ name, type, dims, bytes }) => [name, new Tensor(type, new kinds[type](bytes.buffer), dims)]));
      const values = await session.run(inputs, fetch);
      const list = fetch.map(name => values[name]);
      return list.map(({ type, dims, data }) => ({ type, dims, bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }));
    },

    close: session => session.release(),
  };
}
