// Small helpers for what the page shows.

export const $ = id => document.getElementById(id);

/** Makes an element with properties and children. */
export function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export const size = bytes => bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
export const count = n => n.toLocaleString('en');

/** Says how things are; wrong makes it an error. */
export function say(message, wrong = false) {
  $('status').textContent = message;
  $('status').classList.toggle('wrong', wrong);
}

/** Diagnostics of a YAML as a list: where and what, with the line and a caret. A click goes there, unless go is undefined. */
export function findings(list, yaml, lineWord, go) {
  const lines = yaml?.split('\n') ?? [];
  return list.map(d => {
    const item = element('li', { className: d.severity }, element('span', { className: 'what' }, d.message));
    if (d.line) {
      const where = lineWord(d.line);
      item.prepend(go ? Object.assign(element('button', { type: 'button', className: 'quiet' }, where), { onclick: () => go(d.line, d.column) }) : element('b', {}, where));
    }
    const source = lines[d.line - 1];
    if (source !== undefined && d.column) {
      const width = Math.max(1, d.endLine === d.line ? d.endColumn - d.column : 1);
      item.append(element('pre', {}, `${source}\n${' '.repeat(d.column - 1)}${'^'.repeat(Math.min(width, 60))}`));
    }
    for (const note of d.notes ?? []) item.append(element('small', {}, `${note.line ? `${lineWord(note.line)}: ` : ''}${note.message}`));
    return item;
  });
}
