// The YAML editor: a text area with numbers of lines, over marks where something is wrong.
import { $, element, findings, say } from './elements.js';
import { text } from './text.js';

let check; // reads a text; gives what is wrong
let stop = new AbortController();
let timer;

/** Says what is to be done when the text has changed. */
export function edited(callback) { check = callback; }

/** Opens the editor with a text. */
export function openEditor(value) {
  $('editor').hidden = false;
  $('yaml').value = value;
  changed(0);
}

function changed(patience) {
  const { value } = $('yaml');
  const lines = value.split('\n');
  $('yaml').rows = Math.max(lines.length, 8);
  $('lines').textContent = lines.map((_, i) => i + 1).join('\n');
  clearTimeout(timer);
  stop.abort();
  stop = new AbortController();
  const { signal } = stop;
  timer = setTimeout(async () => {
    try {
      const list = await check(value, signal);
      if (!signal.aborted) show(list, value);
    } catch (error) {
      if (!signal.aborted) say(error.message, true);
    }
  }, patience);
}

/** Marks what is wrong, and lists it. */
function show(list, value) {
  const at = list.filter(d => d.line && d.column);
  $('marks').replaceChildren(...value.split('\n').flatMap((line, i) => {
    const here = at.find(d => d.line === i + 1);
    if (!here) return [`${line}\n`];
    const from = here.column - 1, to = here.endLine === here.line && here.endColumn > here.column ? here.endColumn - 1 : line.length;
    return [line.slice(0, from), element('mark', { className: here.severity }, line.slice(from, to) || ' '), `${line.slice(to)}\n`];
  }));
  $('found').replaceChildren(...findings(list, value, n => text('line', n), go));
  if (!list.length) $('found').append(element('li', { className: 'fine' }, text('nothingWrong')));
  $('yaml').setAttribute('aria-invalid', list.some(d => d.severity === 'error'));
}

/** Puts the caret at a line and column. */
function go(line, column) {
  const at = $('yaml').value.split('\n').slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0) + column - 1;
  $('yaml').focus();
  $('yaml').setSelectionRange(at, at);
}

$('yaml').oninput = () => changed(250);
