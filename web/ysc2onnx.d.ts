/** A model: a checkpoint (.pt, .pth, .safetensors) or a model YAML. A string is a path, under Node.js only. */
export type Input = File | { name: string; blob: Blob } | { name: string; text: string } | string;

/** A file that was made. */
export interface Made {
  name: string;
  size: number; // bytes
  sha256: string; // hexadecimal
  blob?: Blob; // its bytes, which lie in the browser's store and not in memory; undefined where path is given
  path?: string; // where it is, where Options.output named a place
}

/** The flags of `ysc2onnx MODEL`. What is left out is as there. */
export interface Options {
  imgsz?: number | [height: number, width: number]; // pixels
  batchSize?: number;
  opset?: number;
  dynamic?: 'none' | 'batch' | 'all';
  head?: 'decoded' | 'raw' | 'raw-sigmoid' | 'raw5d' | 'v8';
  seed?: number; // of the weights where there is no checkpoint
  optimize?: boolean; // false: --no-optimize
  externalData?: boolean; // the weights in a second file, whatever the size
  strict?: boolean;
  scconv?: 'softmax' | 'mask' | 'normmask' | 'where';
  check?: 'full' | 'fast' | 'none';
  output?: string; // under Node.js, the file to write; without it, the model stays in memory
  signal?: AbortSignal; // ends the work at once; nothing half-written is left
  onprogress?: (progress: Progress) => void;
}

/** How far the work is; done and total are bytes where the stage is "writing". */
export interface Progress { stage: string; done: number; total: number }

/** Where something in a YAML is wrong, and what. Lines and columns begin at 1. */
export interface Diagnostic {
  severity: 'error' | 'warning' | 'note';
  code?: string;
  file: string;
  line?: number;
  column?: number;
  endLine?: number;
  endColumn?: number;
  message: string;
  notes?: Omit<Diagnostic, 'severity' | 'code' | 'notes'>[];
}

/** What a conversion did: the document that `ysc2onnx MODEL --json` prints. */
export interface Report {
  output: string;
  opset: number;
  ir_version: number;
  batch: number;
  height: number;
  width: number;
  dynamic: 'none' | 'batch' | 'all';
  nodes: number;
  layers: number;
  parameters: number;
  bytes: number;
  seconds: number;
  warnings?: Diagnostic[];
  check: 'full' | 'fast' | 'none';
  checked: boolean; // it was run, and every check held
  not_checked?: string; // why it was not run
  checks?: { checks: { name: string; ok: boolean; detail: string }[]; [more: string]: unknown };
  error?: string; // which checks did not hold
  [more: string]: unknown;
}

/** A conversion that failed. For a YAML, the document says where. */
export class ConversionError extends Error {
  code: number; // the program's exit code
  document: { error: string; diagnostics?: Diagnostic[] };
}

/**
 * Converts a model: a checkpoint, a YAML, or a list of a YAML and its checkpoint. The file is byte for byte that of the
 * command line.
 *
 * @throws ConversionError where the model cannot be converted; TypeError for an option that there is not; the reason of the signal
 */
export function convert(input: Input | Input[], options?: Options): Promise<{
  model: Made;
  files: Made[]; // the model, and its data file where it has one
  report: Report;
  command: string; // what gives the same file on a command line
  dispose(): Promise<void>; // removes the files from the browser's store, which else happens after the page is closed
}>;

/** Runs ysc2onnx with arguments such as ['summary', 'yolov5s.yaml', '--json'], in a folder that holds files alone. */
export function run(args: string[], files?: Input[], options?: Pick<Options, 'signal' | 'onprogress' | 'output'>): Promise<{
  code: number; // as of the command line
  stdout: string;
  stderr: string;
  files: Made[]; // those that it made
  dispose(): Promise<void>; // as of convert
}>;

/** Removes what closed pages have left in the browser's store. A page calls it once, when it opens. */
export function sweep(): Promise<void>;
