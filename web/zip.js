// Files in one archive, for a model whose weights are in a file of their own.
import { downloadZip } from './zip/index.js';

/** An archive of files as a blob; they are stored as they are. */
export const zip = files => downloadZip(files.map(({ name, blob }) => ({ name, input: blob }))).blob();
