// Under Node.js, files of the disk in the place of a browser's.
import { closeSync, ftruncateSync, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** A file of the disk. */
export class DiskFile {
  /** Opens a file to read it. */
  static open(path) { return new DiskFile(path, openSync(path, 'r')); }

  /** Makes a file that gets its name when it is whole, in the folder where it will be. Until then its name begins with mark. */
  static create(folder, mark) {
    const path = join(folder, `${mark}${crypto.randomUUID()}.ysc2onnx-tmp`);
    return new DiskFile(path, openSync(path, 'wx+'), folder);
  }

  constructor(path, fd, folder) {
    Object.assign(this, { path, fd, folder });
    this.size = fstatSync(fd).size;
  }

  read(bytes, at) { return readSync(this.fd, bytes, 0, bytes.length, at); }

  write(bytes, at) {
    const n = writeSync(this.fd, bytes, 0, bytes.length, at);
    this.size = Math.max(this.size, at + n);
    return n;
  }

  truncate(size) {
    ftruncateSync(this.fd, size);
    this.size = size;
  }

  close() {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }

  remove() {
    this.close();
    if (this.folder) rmSync(this.path);
  }

  /** Gives a new file its name. */
  result(name) {
    const path = join(this.folder, basename(name));
    renameSync(this.path, path);
    return { path };
  }
}

/** The folder in which a file is. */
export const folderOf = path => dirname(path);

globalThis.require ??= createRequire(import.meta.url); // ONNX Runtime Web asks for it
