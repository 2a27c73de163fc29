// What can be chosen for a conversion: the flags of the command line under their names here. Another flag is another line.

const number = value => Number.isInteger(value) && value >= 0;
const flag = value => typeof value === 'boolean';
const oneOf = (...words) => Object.assign(value => words.includes(value), { words });

// field is how the page offers it: the value that it begins with, which is that of a command line without the flag.
export const options = {
  imgsz: {
    flag: '--imgsz', is: value => [value].flat().length <= 2 && [value].flat().every(number), text: value => [value].flat().join('x'),
    field: { value: '', placeholder: '640, 480x640', parse: text => text.split(/[x×, ]+/).map(Number) },
  },
  batchSize: { flag: '--batch-size', is: number, field: { value: '1' } },
  opset: { flag: '--opset', is: number, field: { value: '17' } },
  dynamic: { flag: '--dynamic', is: oneOf('none', 'batch', 'all'), field: { value: 'none' } },
  head: { flag: '--head', is: oneOf('decoded', 'raw', 'raw-sigmoid', 'raw5d', 'v8'), field: { value: 'decoded' } },
  check: { flag: '--check', is: oneOf('full', 'fast', 'none'), field: { value: 'full' } },
  optimize: { flag: '--no-optimize', is: flag, inverted: true, field: { value: true } },
  externalData: { flag: '--external-data', is: flag, field: { value: false } },
  strict: { flag: '--strict', is: flag, field: { value: false } },
  seed: { flag: '--seed', is: number },
  scconv: { flag: '--scconv', is: oneOf('softmax', 'mask', 'normmask', 'where') },
};

const endings = ['.pt', '.pth', '.safetensors'];
export const isCheckpoint = name => endings.some(ending => name.toLowerCase().endsWith(ending));

/** The arguments for files, by their names, and choices. */
export function argumentsOf(names, choices, output) {
  const models = names.filter(name => !isCheckpoint(name)), weights = names.filter(isCheckpoint);
  if (models.length > 1 || weights.length > 1 || !names.length) throw new TypeError('convert takes a YAML, a checkpoint, or one of each');
  const args = [...models, ...(models.length && weights.length ? ['--weights', weights[0]] : weights)];
  if (output) args.push('-o', output.split(/[\\/]/).at(-1));
  for (const [name, value] of Object.entries(choices)) {
    const option = options[name];
    if (!option) throw new TypeError(`convert knows no option ${name}; there are ${Object.keys(options).join(', ')}`);
    if (value === undefined) continue;
    if (!option.is(value)) throw new TypeError(`convert's option ${name} cannot be ${JSON.stringify(value)}${option.is.words ? `; it is one of ${option.is.words.join(', ')}` : ''}`);
    if (typeof value !== 'boolean') args.push(`${option.flag}=${option.text?.(value) ?? value}`);
    else if (value !== Boolean(option.inverted)) args.push(option.flag);
  }
  return args;
}

/** The command line with these arguments, for a shell. */
export function line(args) {
  return ['ysc2onnx', ...args].map(word => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
