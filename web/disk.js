// The files that a run of the program sees, for wasm_exec.js, which asks for what Node.js calls fs: those given to it, read where they
// lie, and those that it makes. Nothing is held in memory but where there is no other place for it.

const ISDIR = 0o040000, ISREG = 0o100000;
const constants = { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024, O_DIRECTORY: 65536 };

/** An error as Node.js gives it: the program knows it by its code. */
function failure(code, text = code) {
  return Object.assign(new Error(text), { code });
}

/** What became of a failed write: a full disk or quota has a name of its own. */
function plain(error) {
  if (typeof error.code === 'string') return error; // a DOMException's is a number
  return failure(error.name === 'QuotaExceededError' ? 'ENOSPC' : 'EIO', error.message);
}

/** A file or blob, read by slices. */
export class BlobFile {
  constructor(blob) {
    this.blob = blob;
    this.size = blob.size;
  }

  /** Fills bytes from a place on; gives how many there were, or a promise of it. */
  read(bytes, at) {
    const part = this.blob.slice(at, at + bytes.length);
    const take = buffer => { bytes.set(new Uint8Array(buffer)); return buffer.byteLength; };
    return globalThis.FileReaderSync ? take(new FileReaderSync().readAsArrayBuffer(part)) : part.arrayBuffer().then(take);
  }

  write() { throw failure('EROFS'); }
  truncate() { throw failure('EROFS'); }
  close() {}
  remove() {}
  result() { return { blob: this.blob }; }
}

const CHUNK = 1 << 20;
const MOST = 1 << 30; // bytes of a file in memory

/** A file in memory, for what is small, and where a browser gives no other place. */
export class MemoryFile {
  size = 0;
  chunks = [];

  read(bytes, at) {
    const n = Math.max(0, Math.min(bytes.length, this.size - at));
    this.#each(at, n, (chunk, from, done, count) => bytes.set(chunk.subarray(from, from + count), done));
    return n;
  }

  write(bytes, at) {
    const end = at + bytes.length;
    if (end > MOST) throw failure('ENOSPC');
    while (this.chunks.length * CHUNK < end) this.chunks.push(new Uint8Array(CHUNK));
    this.#each(at, bytes.length, (chunk, from, done, count) => chunk.set(bytes.subarray(done, done + count), from));
    this.size = Math.max(this.size, end);
    return bytes.length;
  }

  truncate(size) {
    this.size = size;
    this.chunks.length = Math.ceil(size / CHUNK);
  }

  /** Visits the parts of a range, chunk by chunk. */
  #each(at, length, visit) {
    for (let done = 0; done < length;) {
      const from = (at + done) % CHUNK, count = Math.min(CHUNK - from, length - done);
      visit(this.chunks[Math.floor((at + done) / CHUNK)], from, done, count);
      done += count;
    }
  }

  close() {}
  remove() { this.chunks = []; }
  result() { return { blob: new Blob(this.chunks.map((chunk, i) => chunk.subarray(0, Math.min(CHUNK, this.size - i * CHUNK)))) }; }
}

/** A file in the browser's own store for this page (the origin private file system), which has a quota but is no memory. */
export class StoredFile {
  static async create(folder) {
    const file = new StoredFile();
    file.folder = folder;
    file.name = crypto.randomUUID();
    file.handle = await folder.getFileHandle(file.name, { create: true });
    file.access = await file.handle.createSyncAccessHandle();
    return file;
  }

  size = 0;
  read(bytes, at) { return this.access.read(bytes, { at }); }

  write(bytes, at) {
    const n = this.access.write(bytes, { at });
    this.size = Math.max(this.size, at + n);
    return n;
  }

  truncate(size) {
    this.access.truncate(size);
    this.size = size;
  }

  close() { this.access.close(); }

  async remove() {
    this.close();
    await this.folder.removeEntry(this.name);
  }

  async result() { return { blob: await this.handle.getFile() }; }
}

/** The files of one run, all in one folder. make gives a new file, or a promise of one. */
export class Disk {
  #files = new Map([['/', undefined]]);
  #open = new Map();
  #next = 3;
  #inode = 1;
  #make;
  #closed = false;
  output = ['', '']; // what the program printed: standard output, standard error
  #decoders = [new TextDecoder(), new TextDecoder()];

  constructor(make) { this.#make = make; }

  /** Adds a file. */
  add(name, file) {
    file.inode = ++this.#inode;
    file.time ??= Date.now();
    this.#files.set(this.#path(name), file);
  }

  /** The files, by name. */
  get files() { return [...this.#files].filter(([, file]) => file).map(([path, file]) => [path.slice(1), file]); }

  /** Lets go of the program, which has ended: nothing that it still waits for reaches it. */
  end() { this.#closed = true; }

  /** Closes the files. */
  close() {
    this.end();
    for (const [, file] of this.files) file.close();
  }

  #path(path) {
    const parts = [];
    for (const part of path.split('/')) {
      if (part === '..') parts.pop(); else if (part && part !== '.') parts.push(part);
    }
    return '/' + parts.join('/');
  }

  #find(path) {
    path = this.#path(path);
    if (!this.#files.has(path)) throw failure('ENOENT');
    return this.#files.get(path);
  }

  #descriptor(fd) {
    const open = this.#open.get(fd);
    if (!open) throw failure('EBADF');
    return open;
  }

  #stat(file) {
    const time = file?.time ?? 0;
    return {
      dev: 1, ino: file ? file.inode : 1, mode: file ? ISREG | 0o644 : ISDIR | 0o755, nlink: 1, uid: 0, gid: 0, rdev: 0,
      size: file ? file.size : 0, blksize: 4096, blocks: file ? Math.ceil(file.size / 512) : 0, atimeMs: time, mtimeMs: time, ctimeMs: time,
      isDirectory: () => !file,
    };
  }

  #calls = {
    open: async (path, flags) => {
      path = this.#path(path);
      let file = this.#files.get(path);
      if (this.#files.has(path)) {
        if (flags & constants.O_EXCL && flags & constants.O_CREAT) throw failure('EEXIST');
        if (!file && flags & 3) throw failure('EISDIR');
        if (file && flags & constants.O_TRUNC) file.truncate(0);
      } else {
        if (!(flags & constants.O_CREAT)) throw failure('ENOENT');
        if (path.lastIndexOf('/') > 0) throw failure('ENOENT'); // there is one folder
        file = await this.#make(path.slice(1));
        this.add(path, file);
      }
      this.#open.set(this.#next, { file, at: 0, append: Boolean(flags & constants.O_APPEND) });
      return this.#next++;
    },
    close: fd => { this.#descriptor(fd); this.#open.delete(fd); },
    read: (fd, bytes, offset, length, position) => {
      if (fd === 0) return 0; // nothing comes from a keyboard
      const open = this.#descriptor(fd);
      if (!open.file) throw failure('EISDIR');
      const moved = n => { if (position === null) open.at += n; return n; };
      const n = open.file.read(bytes.subarray(offset, offset + length), position ?? open.at);
      return n instanceof Promise ? n.then(moved) : moved(n);
    },
    write: (fd, bytes, offset, length, position) => {
      const part = bytes.subarray(offset, offset + length);
      if (fd === 1 || fd === 2) {
        this.output[fd - 1] += this.#decoders[fd - 1].decode(part, { stream: true });
        return length;
      }
      const open = this.#descriptor(fd);
      const n = open.file.write(part, position ?? (open.append ? open.file.size : open.at));
      open.file.time = Date.now();
      if (position === null) open.at += n;
      if (n < length) throw failure('ENOSPC');
      return n;
    },
    stat: path => this.#stat(this.#find(path)),
    lstat: path => this.#stat(this.#find(path)),
    fstat: fd => this.#stat(fd < 3 ? undefined : this.#descriptor(fd).file),
    ftruncate: (fd, size) => this.#descriptor(fd).file.truncate(size),
    fsync: () => undefined,
    readdir: path => { if (this.#find(path)) throw failure('ENOTDIR'); return this.files.map(([name]) => name); },
    readlink: path => { this.#find(path); throw failure('EINVAL'); },
    rename: async (from, to) => {
      const file = this.#find(from), old = this.#files.get(this.#path(to));
      this.#files.delete(this.#path(from));
      this.#files.set(this.#path(to), file);
      if (old && old !== file) await old.remove();
    },
    unlink: async path => {
      const file = this.#find(path);
      this.#files.delete(this.#path(path));
      await file.remove();
    },
    chmod: () => undefined, fchmod: () => undefined, utimes: () => undefined,
  };

  /** What wasm_exec.js takes as globalThis.fs: each call ends by calling back with an error or a value. */
  get fs() {
    const unknown = (...args) => args.at(-1)(failure('ENOSYS'));
    const fs = { constants, writeSync: (fd, bytes) => this.#calls.write(fd, bytes, 0, bytes.length, null) };
    for (const name of ['chown', 'fchown', 'lchown', 'link', 'mkdir', 'rmdir', 'symlink', 'truncate']) fs[name] = unknown;
    for (const [name, call] of Object.entries(this.#calls)) {
      // Never at once: the program might end while it is still in its call.
      fs[name] = async (...args) => {
        const done = args.pop();
        let value, failed = null;
        try {
          value = await call(...args);
        } catch (error) {
          failed = plain(error);
        }
        if (!this.#closed) done(failed, value);
      };
    }
    return fs;
  }
}
