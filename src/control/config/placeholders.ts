/**
 * `{{name}}` in a text: what will be filled in later must be something that is known by then, so a name that is not is refused when the configuration
 * is read, and not found in a message that was sent.
 */
import { nameHint } from './nearest-name.ts';

/** @param prefix beginning of names that may have anything behind it, such as `data.`. @returns a fault, or null. */
export function placeholderFault(text: string, known: readonly string[], prefix: string | null = null): string | null {
  for (const [, inner = ''] of text.matchAll(/\{\{([^{}]*)\}\}/g)) {
    const name = inner.trim();
    if (known.includes(name)) continue;
    if (prefix !== null && name.startsWith(prefix) && /^[A-Za-z0-9_.-]+$/.test(name)) continue;
    return `nothing is filled in for {{${inner}}}; ${nameHint(name, known)}`;
  }
  return null;
}
