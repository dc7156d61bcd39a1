/**
 * JSON for reading: what fits on a line stands on one.
 *
 * `JSON.stringify` with an indent gives every number of a list a line of its own, which makes an answer of thirty fields two pages long.
 */

const WIDTH = 110;

export function compactJson(value: unknown, indent = ''): string {
  const flat = inline(value);
  if (typeof value !== 'object' || value === null || indent.length + flat.length <= WIDTH) return flat;
  const deeper = `${indent}  `;
  const isList = Array.isArray(value);
  const lines = isList
    ? value.map((entry) => deeper + compactJson(entry, deeper))
    : Object.entries(value)
        .filter(([, entry]) => entry !== undefined)
        .map(([name, entry]) => `${deeper}${JSON.stringify(name)}: ${compactJson(entry, deeper)}`);
  const [open, close] = isList ? '[]' : '{}';
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}

function inline(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[${value.map(inline).join(', ')}]`;
  const fields = Object.entries(value).filter(([, entry]) => entry !== undefined);
  if (fields.length === 0) return '{}';
  return `{ ${fields.map(([name, entry]) => `${JSON.stringify(name)}: ${inline(entry)}`).join(', ')} }`;
}
